//! `rollcall sessions`: numbers, lists, ending and clean-up of sessions.

mod list;
mod stats;

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    Actor, SessionId,
    session::{SessionFilter, SessionState},
    time::Millis,
};
use serde_json::json;
use services::Which;

use super::{database::DatabaseArgs, failure::Failure, out, user::of};
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
    List(ListArgs),
    Revoke(RevokeArgs),
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

/// List sessions, newest sign-in first
#[derive(Debug, Args)]
struct ListArgs {
    /// Of one person
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// Which ones
    #[arg(long, default_value = "live")]
    state: Wanted,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Wanted {
    Live,
    Ended,
    All,
}

impl Wanted {
    fn state(self) -> Option<SessionState> {
        match self {
            Self::Live => Some(SessionState::Live),
            Self::Ended => Some(SessionState::Ended),
            Self::All => None,
        }
    }
}

/// End live sessions: their sockets close within 2 s
#[derive(Debug, Args)]
struct RevokeArgs {
    #[command(flatten)]
    which: Chosen,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Chosen {
    /// One session; may be repeated
    #[arg(long)]
    id: Vec<SessionId>,
    /// All of one person
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// All of everybody
    #[arg(long)]
    all: bool,
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
        Act::List(args) => list::run(args).await,
        Act::Revoke(args) => revoke(args).await,
        Act::Cleanup(args) => clean_up(args).await,
    }
}

async fn revoke(args: RevokeArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    if let Some(user) = &args.which.user {
        known(&services, user).await?;
    }
    let one_by_one = !args.which.id.is_empty();
    let which = if one_by_one {
        Which::Ids(args.which.id)
    } else {
        Which::Filter(SessionFilter { user: args.which.user, ..SessionFilter::default() })
    };
    let ended = services.sessions.revoke(&Actor::Operator, which, true, args.dry_run).await?;
    if ended == 0 && one_by_one {
        return Err(Failure::failed("there is no live session with this id; `rollcall sessions list` shows all"));
    }
    if args.json {
        return out::json(&json!({ "ended": ended }));
    }
    out::text(format!("{} {}", sessions(ended), if args.dry_run { "would end" } else { "ended" }))
}

/// A slip in a username shall not look like success.
async fn known(services: &services::Services, user: &str) -> Result<(), Failure> {
    let name = domain::account::username(user)?;
    services.accounts.one(&Actor::Operator, name.as_str()).await.map(drop).map_err(|e| of(user, e))
}

async fn clean_up(args: CleanupArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let cleaned = services.sessions.clean_up(&Actor::Operator, args.older_than).await?;
    if args.json {
        return out::json(&json!({ "ended": cleaned.ended, "deleted": cleaned.deleted }));
    }
    out::text(format!("{} marked as ended, {} deleted", sessions(cleaned.ended), sessions(cleaned.deleted)))
}

fn sessions(n: u64) -> String {
    if n == 1 { "1 session".to_owned() } else { format!("{n} sessions") }
}
