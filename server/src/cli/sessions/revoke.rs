//! `rollcall sessions revoke`.

use clap::Args;
use domain::{Actor, SessionId};
use serde_json::json;
use services::Which;

use super::filter::FilterArgs;
use crate::cli::{confirm, database::DatabaseArgs, failure::Failure, out};

/// End live sessions, by id or everything a filter matches: their sockets close within 2 s
#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// One session; may be repeated
    #[arg(long, conflicts_with_all = ["filter", "all"])]
    id: Vec<SessionId>,
    /// All of everybody
    #[arg(long, conflicts_with = "filter")]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

const OP: &Actor = &Actor::Operator;

pub(super) async fn run(args: RevokeArgs) -> Result<(), Failure> {
    let one_by_one = !args.id.is_empty();
    if !one_by_one && !args.all && args.filter.is_empty() {
        let said = "say which sessions: --id, a filter such as --user, or --all; see `rollcall sessions revoke --help`";
        return Err(Failure::usage(said));
    }
    let services = args.database.open().await?;
    let which = if one_by_one { Which::Ids(args.id) } else { Which::Filter(args.filter.read(&services).await?) };
    let count = async || services.sessions.revoke(OP, which.clone(), true, true).await;
    if !one_by_one && !args.dry_run && confirm::asks(args.yes) {
        let shown = count().await?;
        if shown > 0 {
            confirm::typed(&format!("This ends {} and cannot be undone.", out::count(shown, "session")), "end")?;
        }
        let now = count().await?;
        if now > shown {
            let many = out::count(now, "session");
            return Err(Failure::failed(format!("there are {many} now, more than you were shown: look again")));
        }
    }
    let ended = services.sessions.revoke(OP, which.clone(), true, args.dry_run).await?;
    if ended == 0 && one_by_one {
        return Err(Failure::failed("there is no live session with this id; `rollcall sessions list` shows all"));
    }
    if args.json {
        return out::json(&json!({ "ended": ended, "dry_run": args.dry_run }));
    }
    out::text(format!("{} {}", out::count(ended, "session"), if args.dry_run { "would end" } else { "ended" }))
}
