//! People as a file: the same for the command and the download.

use domain::{Time, people::AccountRow};
use services::csv;

const HEAD: [&str; 10] = [
    "username",
    "name",
    "email",
    "role",
    "organisation",
    "teams",
    "state",
    "created_at",
    "last_sign_in_at",
    "disabled_at",
];

/// The line that names the columns.
pub fn head() -> Vec<u8> {
    csv::lines([HEAD.map(str::to_owned)])
}

/// A line for each.
pub fn lines(rows: Vec<AccountRow>) -> Vec<u8> {
    csv::lines(rows.into_iter().map(cells))
}

fn cells(row: AccountRow) -> [String; 10] {
    let at = |t: Option<Time>| t.map(|t| t.to_string()).unwrap_or_default();
    [
        row.user.username,
        row.user.name,
        row.user.email.unwrap_or_default(),
        row.user.role,
        row.user.organisation.unwrap_or_default(),
        row.user.teams.join("; "),
        row.state.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        row.created_at.to_string(),
        at(row.last_sign_in_at),
        at(row.disabled_at),
    ]
}
