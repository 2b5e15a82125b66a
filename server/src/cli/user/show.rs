//! `rollcall user show`.

use clap::Args;
use domain::{
    Time,
    people::{AccountRow, Moment, MomentKind},
    session::{SessionFilter, SessionState},
};
use serde::Serialize;

use super::{OP, Who, of};
use crate::cli::{database::DatabaseArgs, failure::Failure, out, table::table};

/// Show an account and what happened to it last
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    who: Who,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    account: AccountRow,
    second_factor: bool,
    live_sessions: u64,
    /// The newest first.
    timeline: Vec<Moment>,
}

/// Moments shown; the page of a person has all.
const MOMENTS: u32 = 10;

pub(super) async fn run(args: ShowArgs) -> Result<(), Failure> {
    let (services, who) = (args.database.open().await?, args.who.username());
    let account = services.accounts.one(OP, who.as_str()).await.map_err(|e| of(&who, e))?;
    let id = account.user.id;
    let live = SessionFilter {
        user: Some(account.user.username.clone()),
        state: Some(SessionState::Live),
        ..SessionFilter::default()
    };
    let shown = Shown {
        second_factor: services.accounts.card(OP, id).await?.second_factor,
        live_sessions: services.sessions.count(OP, &live).await?,
        timeline: services.accounts.timeline(OP, id, MOMENTS, None).await?.items,
        account,
    };
    if args.json { out::json(&shown) } else { out::text(text(shown)) }
}

fn text(s: Shown) -> String {
    let (a, or_never) = (s.account, |t: Option<Time>| t.map_or_else(|| "never".to_owned(), utc));
    let yes = |b: bool| if b { "yes" } else { "no" }.to_owned();
    let fields = [
        ["username".to_owned(), a.user.username],
        ["name".to_owned(), a.user.name],
        ["e-mail".to_owned(), a.user.email.unwrap_or_default()],
        ["role".to_owned(), format!("{} ({})", a.user.role, a.user.level.as_str())],
        ["organisation".to_owned(), a.user.organisation.unwrap_or_default()],
        ["teams".to_owned(), a.user.teams.join(", ")],
        ["state".to_owned(), a.disabled_at.map_or("enabled".to_owned(), |t| format!("disabled since {}", utc(t)))],
        ["password".to_owned(), yes(a.has_password)],
        ["second factor".to_owned(), yes(s.second_factor)],
        ["added".to_owned(), utc(a.created_at)],
        ["last sign-in".to_owned(), or_never(a.last_sign_in_at)],
        ["live sessions".to_owned(), s.live_sessions.to_string()],
        ["id".to_owned(), a.user.id.to_string()],
    ];
    let account = table(["ACCOUNT", ""], fields);
    if s.timeline.is_empty() {
        return account;
    }
    let moments = table(["AT (UTC)", "WHAT", "BY", "FROM"], s.timeline.into_iter().map(moment));
    format!("{account}\n\n{moments}")
}

fn utc(t: Time) -> String {
    format!("{} UTC", t.exact())
}

fn moment(m: Moment) -> [String; 4] {
    let what = match (m.kind, m.reason, m.action) {
        (MomentKind::SignedIn, ..) => "signed in".to_owned(),
        (MomentKind::Ended, Some(reason), _) => format!("session ended: {}", reason.as_str()),
        (MomentKind::Ended, None, _) => "session ended".to_owned(),
        (MomentKind::Act, _, action) => action.unwrap_or_default(),
    };
    let from: Vec<String> = m.device.into_iter().chain(m.ip).collect();
    [m.at.exact(), what, m.by.unwrap_or_default(), from.join(", ")]
}
