//! `rollcall load micro`: single acts of the services, one at a time, without a network.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use domain::{
    Actor,
    account::UserCard,
    settings::{Fixed, Settings},
};
use serde::Serialize;
use services::{Clock, Config, Origin, Services, Token, secret};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    refusals::{self, Refusals},
    summary::Latency,
};
use crate::{
    cli::{failure::Failure, out, table::table},
    log,
    settings::{LogFormat, sqlite_url, storage_in},
};

/// Measure single acts on a temporary database: make a token; begin, check and end a session
#[derive(Clone, Debug, Args)]
pub(super) struct MicroArgs {
    /// People with a session each who are in the database
    #[arg(
        long,
        default_value_t = 100_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(i64::from(TIMES)..=1_000_000)
    )]
    people: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How often each act is done.
const TIMES: u32 = 1_000;

#[derive(Debug, Serialize)]
struct Report {
    /// Rows in the table of sessions before the first act.
    sessions: u32,
    /// 256 random bits and their hash.
    token: Latency,
    /// Everything of a sign-in but the check of the password: row, limit, event, audit, commit.
    creation: Latency,
    /// A session that is not in memory.
    first_check: Latency,
    /// One that is.
    check: Latency,
    /// A sign-out: row, event, audit, commit, memory, sockets.
    invalidation: Latency,
    refusals: Refusals,
}

pub(super) async fn run(args: MicroArgs) -> Result<(), Failure> {
    log::start("warn", LogFormat::Text);
    let folder = tempfile::Builder::new().prefix("rollcall-micro-").tempdir()?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let config = Config {
        database_url: sqlite_url(&folder.path().join("rollcall.db")),
        settings: Settings::default(),
        fixed: Fixed::default(),
        secret_key_file: folder.path().join("secret.key"),
        data_dir: folder.path().to_owned(),
        storage_url: storage_in(folder.path()),
        geoip_file: None,
        base: String::new(),
        smtp: None,
        // As in a server: with presence, and with the tasks that write behind.
        background: true,
    };
    let services = Services::open(config, Clock::System, stop.clone(), &tasks).await;
    let services = services.map_err(|e| Failure::failed(format!("a temporary database cannot be opened: {e}")))?;
    let measured = measure(&services, args.people).await;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    let report = measured?;
    if args.json { out::json(&report) } else { out::text(text(&report)) }
}

async fn measure(services: &Services, people: u32) -> Result<Report, Failure> {
    let sessions = &services.sessions;
    let known = sessions.bulk_load(&Actor::Operator, people, "member", false).await?;
    let mut token = Times::default();
    for _ in 0..TIMES {
        token.of(secret::token);
    }
    // Spread over the whole table, whose pages are not all in memory.
    let spread: Vec<&Token> = known.iter().step_by((people / TIMES) as usize).map(|(_, t)| t).collect();
    let (mut first_check, mut check) = (Times::default(), Times::default());
    let mut cards = Vec::<Arc<UserCard>>::new();
    for token in spread.iter().take(TIMES as usize) {
        let session = first_check.of_act(sessions.authenticate(token.expose())).await?;
        cards.push(session.ok_or_else(|| Failure::failed("a prepared session is not live"))?.card());
    }
    for token in spread.iter().take(TIMES as usize) {
        check.of_act(sessions.authenticate(token.expose())).await?;
    }
    let from = Origin { ip: "127.0.0.1".to_owned(), user_agent: "rollcall-load/1".to_owned() };
    let (mut creation, mut invalidation) = (Times::default(), Times::default());
    let mut begun = Vec::new();
    for card in &cards {
        begun.push(creation.of_act(sessions.create(card, false, &from)).await?);
    }
    for signed_in in &begun {
        invalidation.of_act(sessions.sign_out(&signed_in.session.actor(), &signed_in.session)).await?;
    }
    Ok(Report {
        sessions: people,
        token: token.latency(),
        creation: creation.latency(),
        first_check: first_check.latency(),
        check: check.latency(),
        invalidation: invalidation.latency(),
        refusals: refusals::measure(services, &cards[0]).await?,
    })
}

/// How long one kind of act took, each time.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn of<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = act();
        self.0.push(started.elapsed());
        done
    }

    async fn of_act<T>(&mut self, act: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let done = act.await;
        self.0.push(started.elapsed());
        done
    }

    fn latency(self) -> Latency {
        Latency::of(self.0)
    }
}

fn text(r: &Report) -> String {
    let acts = [
        ("token generation", r.token),
        ("session creation, hashing apart", r.creation),
        ("session check, first time", r.first_check),
        ("session check, again", r.check),
        ("session invalidation", r.invalidation),
    ];
    let rows = acts.into_iter().chain(refusals::rows(&r.refusals));
    let ms = |ms: f64| format!("{ms:.4} ms");
    let rows = rows.map(|(act, l)| [act.to_owned(), ms(l.mean_ms), ms(l.p50_ms), ms(l.p99_ms)]);
    let spread = |of: &str, spread: f64| [of.to_owned(), String::new(), format!("{spread:.3}"), String::new()];
    let rows = rows.chain([
        spread("refused: slowest by quickest", r.refusals.spread),
        spread("the same, throttled", r.refusals.throttled_spread),
    ]);
    table([&format!("{} SESSIONS", r.sessions), "MEAN", "MEDIAN", "P99"], rows)
}
