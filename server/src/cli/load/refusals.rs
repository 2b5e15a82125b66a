//! How long refused sign-ins take: whoever measures them must not learn which names there are.

use std::time::{Duration, Instant};

use domain::{Actor, ErrorCode, account::UserCard};
use serde::Serialize;
use services::{NewUser, Origin, Services};

use super::summary::{Latency, rounded};
use crate::cli::failure::Failure;

/// Of each kind.
const SAMPLES: usize = 300;
/// So many accounts of each kind take turns, so that none of them fails often enough to be throttled.
const ACCOUNTS: usize = 40;
/// As many tries of each kind come from each of these as there are kinds.
const ADDRESSES: u32 = 300;
const PASSWORD: &str = "purple-otter-sings-91";

#[derive(Debug, Serialize)]
pub(super) struct Refusals {
    unknown: Latency,
    wrong_password: Latency,
    disabled: Latency,
    no_password: Latency,
    /// The largest of these medians by the smallest.
    pub(super) spread: f64,
    /// After too many failures: nothing is hashed any more, for a name that is there and one that is not.
    throttled_known: Latency,
    throttled_unknown: Latency,
    pub(super) throttled_spread: f64,
}

/// Interleaved, so that whatever else the machine does reaches all kinds alike. `somebody` has signed in before from every
/// address that tries: strangers may fail only so often together.
pub(super) async fn measure(services: &Services, somebody: &UserCard) -> Result<Refusals, Failure> {
    let (operator, accounts) = (&Actor::Operator, &services.accounts);
    for n in 0..ACCOUNTS {
        for (kind, password) in [("wrong", Some(PASSWORD)), ("disabled", Some(PASSWORD)), ("without", None)] {
            let username = format!("{kind}-{n}");
            let new =
                NewUser { username: username.clone(), password: password.map(str::to_owned), ..NewUser::default() };
            accounts.add(operator, new).await?;
            if kind == "disabled" {
                accounts.disable(operator, username.as_str()).await?;
            }
        }
    }
    let mut addresses = Addresses(0);
    for _ in 0..ADDRESSES {
        services.sessions.create(somebody, false, &from(&addresses.next())).await?;
    }
    let mut times: [Vec<Duration>; 4] = Default::default();
    for n in 0..SAMPLES {
        for (kind, times) in ["unknown", "wrong", "disabled", "without"].iter().zip(&mut times) {
            let username = format!("{kind}-{}", n % ACCOUNTS);
            times.push(refused(services, &username, &addresses.next(), ErrorCode::InvalidCredentials).await?);
        }
    }
    let names = ["wrong-0", "unknown-0"];
    for name in names {
        while refused(services, name, &addresses.next(), ErrorCode::InvalidCredentials).await.is_ok() {}
    }
    let mut throttled: [Vec<Duration>; 2] = Default::default();
    for _ in 0..SAMPLES {
        for (name, times) in names.iter().zip(&mut throttled) {
            times.push(refused(services, name, &addresses.next(), ErrorCode::TooManyRequests).await?);
        }
    }
    let [unknown, wrong_password, disabled, no_password] = times.map(Latency::of);
    let [throttled_known, throttled_unknown] = throttled.map(Latency::of);
    Ok(Refusals {
        spread: spread(&[unknown, wrong_password, disabled, no_password]),
        throttled_spread: spread(&[throttled_known, throttled_unknown]),
        unknown,
        wrong_password,
        disabled,
        no_password,
        throttled_known,
        throttled_unknown,
    })
}

/// One try, which must be refused in this way.
async fn refused(services: &Services, username: &str, ip: &str, code: ErrorCode) -> Result<Duration, Failure> {
    let from = from(ip);
    let started = Instant::now();
    let tried = services.sessions.sign_in(username, "a wrong password", false, &from, None).await;
    let took = started.elapsed();
    match tried {
        Err(e) if e.code == code => Ok(took),
        Err(e) => Err(e.into()),
        Ok(_) => Err(Failure::failed("a sign-in was not refused")),
    }
}

fn from(ip: &str) -> Origin {
    Origin { ip: ip.to_owned(), user_agent: String::new() }
}

/// Each try comes from the next one: an address, too, may fail only so often.
struct Addresses(u32);

impl Addresses {
    fn next(&mut self) -> String {
        self.0 = (self.0 + 1) % ADDRESSES;
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + self.0).to_string()
    }
}

fn spread(all: &[Latency]) -> f64 {
    let medians = || all.iter().map(|l| l.p50_ms);
    rounded(medians().fold(0.0, f64::max) / medians().fold(f64::INFINITY, f64::min))
}

pub(super) fn rows(r: &Refusals) -> [(&'static str, Latency); 6] {
    [
        ("refused: unknown name", r.unknown),
        ("refused: wrong password", r.wrong_password),
        ("refused: disabled", r.disabled),
        ("refused: no password", r.no_password),
        ("refused: throttled", r.throttled_known),
        ("refused: throttled, unknown name", r.throttled_unknown),
    ]
}
