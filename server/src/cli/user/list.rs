//! `rollcall user list`.

use domain::{
    Actor, Time,
    people::{UserFilter, UserSort},
};

use super::ListArgs;
use crate::cli::{failure::Failure, out, table::table};

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;

pub(super) async fn run(args: ListArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let (mut accounts, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let filter = UserFilter::default();
        let page =
            services.accounts.list(&Actor::Operator, &filter, UserSort::Username, PAGE, cursor.as_deref()).await?;
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
