//! `rollcall sessions list`.

use domain::{
    Actor,
    session::{SessionFilter, SessionSort, SessionState, SessionView},
};

use super::{ListArgs, known};
use crate::cli::{failure::Failure, out, table::table};

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;

pub(super) async fn run(args: ListArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    if let Some(user) = &args.user {
        known(&services, user).await?;
    }
    let filter = SessionFilter { user: args.user, state: args.state.state(), ..SessionFilter::default() };
    let (mut sessions, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page =
            services.sessions.list(&Actor::Operator, &filter, SessionSort::Started, PAGE, cursor.as_deref()).await?;
        sessions.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if args.json {
        return out::json(&sessions);
    }
    let head = ["ID", "USERNAME", "STARTED (UTC)", "LAST ACTIVITY (UTC)", "STATE", "DEVICE", "ADDRESS"];
    out::text(table(head, sessions.iter().map(row)))
}

fn row(s: &SessionView) -> [String; 7] {
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
        s.device_label(),
        s.ip.clone(),
    ]
}
