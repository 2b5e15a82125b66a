//! `rollcall sessions list`.

use clap::{Args, ValueEnum};
use domain::{
    Actor, Time,
    session::{EndReason, SessionFilter, SessionSort, SessionState, SessionView},
};

use super::filter::FilterArgs;
use crate::cli::{database::DatabaseArgs, failure::Failure, out, table::table};

/// List sessions, newest sign-in first
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Which ones [default: live, or those that ended for the reason that is asked for]
    #[arg(long)]
    state: Option<Wanted>,
    /// Only those that ended for this reason, such as revoked or idle_timeout
    #[arg(long, value_parser = reason)]
    reason: Option<EndReason>,
    /// started or activity: newest first
    #[arg(long, default_value = "started", value_parser = sort)]
    sort: SessionSort,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
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

fn reason(text: &str) -> Result<EndReason, String> {
    EndReason::parse(text).ok_or_else(|| format!("use one of {}", EndReason::ALL.map(EndReason::as_str).join(", ")))
}

fn sort(text: &str) -> Result<SessionSort, String> {
    SessionSort::parse(text).ok_or_else(|| "use started or activity".to_owned())
}

/// Fetched at a time; the list itself has no limit.
const PAGE: u64 = 200;

pub(super) async fn run(args: ListArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let state = match (args.state, args.reason) {
        (Some(Wanted::Live), _) | (None, None) => Some(SessionState::Live),
        (Some(Wanted::Ended), _) => Some(SessionState::Ended),
        (Some(Wanted::All), _) | (None, Some(_)) => None,
    };
    let filter = SessionFilter { state, reason: args.reason, ..args.filter.read(&services).await? };
    let (mut sessions, mut cursor, mut total) = (Vec::new(), None::<String>, 0);
    let limit = args.limit.unwrap_or(u64::MAX);
    loop {
        let some = PAGE.min(limit - sessions.len() as u64) as u32;
        let page = services.sessions.list(&Actor::Operator, &filter, args.sort, some, cursor.as_deref()).await?;
        sessions.extend(page.items);
        total = page.total.unwrap_or(total);
        cursor = page.next.filter(|_| (sessions.len() as u64) < limit);
        if cursor.is_none() {
            break;
        }
    }
    if args.json {
        return out::json(&sessions);
    }
    let head =
        ["ID", "USERNAME", "STARTED (UTC)", "LAST ACTIVITY (UTC)", "STATE", "ENDED (UTC)", "BY", "DEVICE", "ADDRESS"];
    let table = table(head, sessions.iter().map(row));
    let shown = sessions.len() as u64;
    out::text(if shown < total { format!("{table}\n{shown} of {total}") } else { table })
}

fn row(s: &SessionView) -> [String; 9] {
    let state = match (s.state, s.ended_reason) {
        (SessionState::Live, _) => "live".to_owned(),
        (SessionState::Ended, Some(reason)) => reason.as_str().to_owned(),
        (SessionState::Ended, None) => "expired".to_owned(),
    };
    [
        s.id.to_string(),
        s.username.clone(),
        s.created_at.exact(),
        s.last_activity_at.exact(),
        state,
        s.ended_at.map(Time::exact).unwrap_or_default(),
        s.ended_by.clone().unwrap_or_default(),
        s.device_label(),
        s.ip.clone(),
    ]
}
