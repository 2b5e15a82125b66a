//! `rollcall load sessions`: what years of use leave behind.

use clap::Args;
use domain::Actor;
use services::History;

use crate::cli::{
    database::{self, DatabaseArgs},
    failure::Failure,
    out,
};

/// Fill a database with sessions, live and over, of many people
///
/// The people are load-00001 and so on, of 40 organisations and several roles. They have no passwords, and nobody
/// learns their tokens: this is for lists, counts and bulk acts.
#[derive(Debug, Args)]
pub(super) struct SessionsArgs {
    /// How many sessions in all
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    sessions: u32,
    /// How many of them are live
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    live: u32,
    /// How many are over by their times, and not cleaned up yet
    #[arg(long, default_value_t = 0, value_name = "N")]
    expired: u32,
    #[arg(long, default_value_t = 50_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: SessionsArgs) -> Result<(), Failure> {
    let SessionsArgs { sessions, live, expired, people, .. } = args;
    let over = live.checked_add(expired).and_then(|some| sessions.checked_sub(some));
    let ended = over.ok_or_else(|| Failure::usage("--live and --expired are together more than --sessions"))?;
    let services = database::open(&args.database.settings()?).await?;
    services.sessions.load_history(&Actor::Operator, History { people, live, expired, ended }).await?;
    out::text(format!("{sessions} sessions of {people} people: {live} live, {expired} expired, {ended} ended"))
}
