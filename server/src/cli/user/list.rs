//! `rollcall user list`.

use domain::{Actor, Time, people::UserFilter, time::Millis};

use super::ListArgs;
use crate::cli::{failure::Failure, out, table::table};

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;

pub(super) async fn run(args: ListArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let ago = |d: Option<Millis>| d.map(|d| services.clock.now().plus(-d));
    let filter = UserFilter {
        q: args.q,
        role: args.role,
        org: args.org,
        team: args.team,
        state: None,
        disabled: (args.disabled || args.enabled).then_some(args.disabled),
        signed_in_after: ago(args.signed_in_within),
        signed_in_before: ago(args.not_signed_in_for),
    };
    let (mut accounts, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = services.accounts.list(&Actor::Operator, &filter, args.sort, PAGE, cursor.as_deref()).await?;
        accounts.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if args.json {
        return out::json(&accounts);
    }
    let rows = accounts.into_iter().map(|a| {
        [
            a.user.username,
            a.user.name,
            a.user.role,
            a.user.organisation.unwrap_or_default(),
            a.user.teams.join(", "),
            a.last_sign_in_at.map(Time::exact).unwrap_or_default(),
            if a.disabled_at.is_some() { "disabled" } else { "enabled" }.to_owned(),
        ]
    });
    out::text(table(["USERNAME", "NAME", "ROLE", "ORGANISATION", "TEAMS", "LAST SIGN-IN (UTC)", "STATE"], rows))
}
