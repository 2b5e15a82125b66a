//! `rollcall load events`: what a season of use leaves behind. `rollcall load ingest`: how fast more is written.

use clap::Args;
use domain::Actor;
use serde::Serialize;
use services::{Clock, PastEvents, Services};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::process::Process;
use crate::cli::{
    database::{self, DatabaseArgs},
    failure::Failure,
    out,
};

/// Fill a database with events of many people, and with what is counted of them
///
/// The people are load-00001 and so on, of 40 organisations; those who are there already are taken instead.
#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    /// How many
    #[arg(long, default_value_t = 10_000_000, value_name = "N")]
    events: u64,
    #[arg(long, default_value_t = 20_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// Over how many days up to now
    #[arg(long, default_value_t = 89, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: EventsArgs) -> Result<(), Failure> {
    let EventsArgs { events, people, days, database } = args;
    let services = database::open(&database.settings()?).await?;
    services.sessions.load_some_people(&Actor::Operator, people).await?;
    services.activity.load_past(&Actor::Operator, PastEvents { events, days }).await?;
    out::text(format!("{events} events of {days} days"))
}

/// Write events as the server does, as fast as it takes them, and measure
#[derive(Debug, Args)]
pub(super) struct IngestArgs {
    #[arg(long, default_value_t = 500_000, value_name = "N")]
    events: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    events: u64,
    seconds: f64,
    per_second: f64,
    /// How often the queue was full, which a client is told with 503.
    refused: u64,
    /// Of this process, in bytes: after a tenth, and at the end.
    memory_early: u64,
    memory: u64,
}

pub(super) async fn ingest(args: IngestArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let config = settings.config(settings.origin(), true);
    let services = Services::open(config, Clock::System, stop.clone(), &tasks).await;
    let services = services.map_err(|e| Failure::failed(format!("the database cannot be opened: {e}")))?;
    let own = Process(std::process::id());
    let early = services.activity.ingest(&Actor::Operator, args.events / 10).await?;
    let memory_early = own.usage()?.memory;
    let rest = services.activity.ingest(&Actor::Operator, args.events - args.events / 10).await?;
    let memory = own.usage()?.memory;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    let seconds = (early.took + rest.took).as_secs_f64();
    let per_second = args.events as f64 / seconds;
    let refused = early.refused + rest.refused;
    let report = Report { events: args.events, seconds, per_second, refused, memory_early, memory };
    if args.json {
        return out::json(&report);
    }
    out::text(format!(
        "{} events in {seconds:.1} s: {per_second:.0}/s; memory {} MiB, {} MiB after a tenth",
        args.events,
        memory >> 20,
        memory_early >> 20
    ))
}
