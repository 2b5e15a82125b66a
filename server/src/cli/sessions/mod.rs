//! `rollcall sessions`: numbers, lists, ending and clean-up of sessions.

mod filter;
mod list;
mod revoke;
mod stats;

use clap::{Args, Subcommand};
use domain::{Actor, time::Millis};
use serde_json::json;

use super::{database::DatabaseArgs, failure::Failure, out};
use crate::settings::duration;

/// Count, list, end and clean up sessions
#[derive(Debug, Args)]
pub(super) struct SessionsArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Stats(StatsArgs),
    List(Box<list::ListArgs>),
    Revoke(Box<revoke::RevokeArgs>),
    Cleanup(CleanupArgs),
}

/// How many sessions, of whom, and how long they last
#[derive(Debug, Args)]
struct StatsArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Mark expired sessions as ended and delete those past their retention; never needed for correctness
#[derive(Debug, Args)]
struct CleanupArgs {
    /// Delete what ended longer ago than this, instead of the retention
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    older_than: Option<Millis>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: SessionsArgs) -> Result<(), Failure> {
    match args.act {
        Act::Stats(args) => stats::run(args).await,
        Act::List(args) => list::run(*args).await,
        Act::Revoke(args) => revoke::run(*args).await,
        Act::Cleanup(args) => clean_up(args).await,
    }
}

async fn clean_up(args: CleanupArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let cleaned = services.sessions.clean_up(&Actor::Operator, args.older_than).await?;
    if args.json {
        return out::json(&json!({ "ended": cleaned.ended, "deleted": cleaned.deleted }));
    }
    let (ended, deleted) = (out::count(cleaned.ended, "session"), out::count(cleaned.deleted, "session"));
    out::text(format!("{ended} marked as ended, {deleted} deleted"))
}
