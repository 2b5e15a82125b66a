//! `rollcall load sockets`: many people on sockets, a few who watch them, and a script of what happens.
//!
//! - `crowd`: the people. `watcher`: those who watch. `connect`: opening one socket.
//! - `script`: the steps, in order; `steps`: what is done and measured in each. `report`: the results, as JSON and as a table.

mod connect;
mod crowd;
mod report;
mod script;
mod steps;
mod watcher;

use std::path::PathBuf;

use clap::Args;
use domain::time::Millis;

use self::{script::Script, watcher::Watched};
use super::{on_one_thread, target::Target};
use crate::{
    cli::{failure::Failure, out},
    settings::duration,
};

/// Open many sockets, watch them, and measure: connect, change pages, beat, drop, come back
#[derive(Clone, Debug, Args)]
pub(super) struct SocketsArgs {
    /// The server, as http://HOST:PORT
    #[arg(long)]
    url: Target,
    /// A file of `rollcall load prepare`
    #[arg(long, value_name = "FILE")]
    cookies: PathBuf,
    /// How many of the file open a socket
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// They join presence:me, so that they count as online; without, they only keep a connection
    #[arg(long)]
    join: bool,
    /// They also join this topic, on which they must all see each other: presence:all if they are admins
    #[arg(long, value_name = "TOPIC", requires = "join")]
    room: Option<String>,
    /// Sockets opened a second at first; 0 = all at once
    #[arg(long, default_value_t = 0, value_name = "N")]
    rate: u32,
    /// Connect from this many addresses of the loopback, 127.0.0.1 and on
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=250))]
    sources: u8,
    /// Who watches
    #[arg(long, default_value_t = 0, value_name = "N", requires = "watch_cookie")]
    watchers: u32,
    /// A file like the other, whose first person may watch everybody
    #[arg(long, value_name = "FILE")]
    watch_cookie: Option<PathBuf>,
    /// What they watch
    #[arg(long, default_value = "presence", value_name = "WHAT")]
    watch: Watched,
    /// More watchers, who read nothing until the changes are over, and then catch up
    #[arg(long, default_value_t = 0, value_name = "N", requires_all = ["watchers", "changes_per_second"])]
    stuck: u32,
    /// Page changes a second; with `--watch live`, of people in the window, then of anybody
    #[arg(long, default_value_t = 0, value_name = "N", requires_all = ["join", "watchers"])]
    changes_per_second: u32,
    /// For how long
    #[arg(long, default_value_t = 10, value_name = "N")]
    seconds: u32,
    /// Heartbeats each person sends after that
    #[arg(long, default_value_t = 0, value_name = "N")]
    heartbeats: u32,
    /// Then all connections break off at once
    #[arg(long, requires_all = ["join", "watchers"])]
    drop: bool,
    /// The server's grace, taken off the time until watchers have seen everybody go
    #[arg(long, default_value = "15s", value_parser = duration, value_name = "DURATION")]
    grace: Millis,
    /// Then all come back at once
    #[arg(long, requires = "drop")]
    reconnect: bool,
    /// Then wait until the server is stopped and started again at the same address, and all come back at once
    #[arg(long, requires_all = ["join", "watchers"])]
    restart: bool,
    /// At the end, stay until standard input ends
    #[arg(long)]
    hold: bool,
    /// The server's process, to measure what it uses
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: SocketsArgs) -> Result<(), Failure> {
    on_one_thread(async move || {
        let mut script = Script::prepare(&args).await?;
        let report = script.play(&args).await?;
        let told = if args.json { out::json(&report) } else { out::text(report.text()) };
        told?;
        if args.hold {
            // Whoever started us closes our input, or ends.
            let input = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
            let _ = input.await;
        }
        Ok(())
    })
    .await
}
