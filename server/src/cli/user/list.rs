//! `rollcall user list`.

use domain::{Actor, Time};

use super::ListArgs;
use crate::cli::{failure::Failure, out, table::table};

pub(super) async fn run(args: ListArgs) -> Result<(), Failure> {
    let accounts = args.database.open().await?.accounts.list(&Actor::Operator).await?;
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
