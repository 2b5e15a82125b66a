//! `rollcall demo`: a temporary database, and simulated people who really sign in and really connect.
//!
//! `cast`: who they are. `client`: their browsers. `story`: what they do. `chance`: how it varies.

mod cast;
mod chance;
mod client;
mod story;

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use domain::{
    Actor,
    settings::{PresenceLimits, Settings},
    time::{MINUTE, SECOND},
};
use services::{NewUser, Services, secret};
use tokio_util::sync::CancellationToken;

use self::{
    cast::{CAST, Device, Person},
    chance::Chance,
    client::Browser,
};
use super::{failure::Failure, out, serve};
use crate::{
    log,
    settings::{Listen, LogFormat, SECRET_KEY, ServeSettings, sqlite_url, storage_in},
};

/// Try it: a temporary database with forty lively, simulated people
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where to listen; this machine only
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    listen: Listen,
}

/// Who signs in to look.
const ADMIN: &str = "ada";
/// Of base64url characters: 120 bits, and short enough to type.
const PASSWORD_LENGTH: usize = 20;
/// Any number: it decides how the demo plays.
const SEED: u64 = 2_026;

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let listen = args.listen.0;
    if !listen.ip().is_loopback() {
        return Err(Failure::usage(format!("the demo is for this machine only, not {listen}: use 127.0.0.1:PORT")));
    }
    log::start("warn", LogFormat::Text);
    let home = tempfile::Builder::new().prefix("rollcall-demo-").tempdir()?;
    let settings = settings(listen, home.path());
    let listeners = serve::listen(&settings)?;
    let stop = serve::stop_by_signal()?;
    let people = stop.clone();
    let ready = async move |services: &Services, address: SocketAddr| {
        eprintln!("preparing {} people …", CAST.len());
        match prepare(services).await {
            Ok((admin, everybody)) => {
                welcome(address, &admin);
                play(address, &everybody, &people);
            }
            Err(problem) => {
                eprintln!("rollcall: the people could not be created: {problem}");
                people.cancel();
            }
        }
    };
    // Its files go with it, however this ends.
    let outcome = serve::run_until(settings, listeners, stop, ready).await;
    home.close()?;
    outcome
}

/// The real limits, shortened so that something happens while one looks.
fn settings(listen: SocketAddr, home: &std::path::Path) -> ServeSettings {
    let presence = PresenceLimits {
        idle_after: MINUTE,
        away_after: 3 * MINUTE,
        grace: 10 * SECOND,
        hidden_grace: MINUTE,
        ..PresenceLimits::default()
    };
    let ours = ["idle_after", "away_after", "grace", "hidden_grace"];
    ServeSettings {
        listen,
        ops_listen: None,
        data_dir: home.to_owned(),
        database_url: sqlite_url(&home.join("rollcall.db")),
        secret_key_file: home.join(SECRET_KEY),
        storage_url: storage_in(home),
        geoip_file: None,
        smtp: None,
        base_url: None,
        insecure_http: false,
        // The people say which address they come from.
        trusted_proxies: vec![listen.ip().into()],
        log: "warn".to_owned(),
        log_format: LogFormat::Text,
        services: Settings { presence, ..Settings::default() },
        fixed: ours.map(|key| (key.to_owned(), "rollcall demo".to_owned())).into(),
    }
}

/// Creates everybody; the passwords of the admin and of the people, which nobody has to remember.
async fn prepare(services: &Services) -> Result<(String, Arc<str>), domain::ApiError> {
    let [admin, everybody] = [(); 2].map(|()| secret::token().0.expose()[..PASSWORD_LENGTH].to_owned());
    let ada = NewUser {
        username: ADMIN.to_owned(),
        name: Some("Ada Okonkwo".to_owned()),
        email: Some(format!("{ADMIN}@{}", CAST[0].organisation.domain)),
        role: Some("admin".to_owned()),
        // With colleagues, so that the home page shows who of them is here.
        organisation: Some(CAST[0].organisation.name.to_owned()),
        teams: vec![CAST[0].team.to_owned()],
        password: Some(admin.clone()),
    };
    services.accounts.add(&Actor::Operator, ada).await?;
    for person in &CAST {
        services.accounts.add(&Actor::Operator, account(person, &everybody)).await?;
    }
    Ok((admin, everybody.into()))
}

fn account(person: &Person, password: &str) -> NewUser {
    NewUser {
        username: person.username.to_owned(),
        name: Some(person.name.to_owned()),
        email: Some(format!("{}@{}", person.username, person.organisation.domain)),
        role: Some(person.role.to_owned()),
        organisation: Some(person.organisation.name.to_owned()),
        teams: vec![person.team.to_owned()],
        password: Some(password.to_owned()),
    }
}

fn welcome(address: SocketAddr, password: &str) {
    let text = format!(
        "open     http://{address}/admin/live\nusername {ADMIN}\npassword {password}\nCtrl-C ends it and deletes \
         everything\nlistening on http://{address}"
    );
    // Nobody reads it: the demo goes on for whoever finds the page.
    let _ = out::text(text);
}

fn play(address: SocketAddr, password: &Arc<str>, stop: &CancellationToken) {
    for (device, seed) in cast::devices().into_iter().zip(SEED..) {
        let (password, stop) = (Arc::clone(password), stop.clone());
        let play = async move {
            let device: Device = device;
            story::play(Browser::new(address, &device, &password), Chance::new(seed)).await;
        };
        tokio::spawn(async move { stop.run_until_cancelled(play).await });
    }
}
