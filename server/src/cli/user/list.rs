//! `rollcall user list`.

use clap::Args;
use domain::{
    Time,
    people::{AccountRow, UserSort},
};

use super::{OP, filter::FilterArgs};
use crate::{
    cli::{database::DatabaseArgs, failure::Failure, out, table::table},
    people_file,
};

/// List accounts
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// name, username, created, sign_in or dormant
    #[arg(long, default_value = "username", value_parser = sort)]
    sort: UserSort,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the file that the page of people exports, as CSV; the export is written down in the audit log
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn sort(text: &str) -> Result<UserSort, String> {
    UserSort::parse(text).ok_or_else(|| "use name, username, created, sign_in or dormant".to_owned())
}

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;

pub(super) async fn run(args: ListArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let filter = args.filter.read(&services.clock);
    if args.csv {
        services.accounts.begin_export(OP, &filter).await?;
        part(&people_file::head())?;
    }
    let (mut accounts, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = services.accounts.list(OP, &filter, args.sort, PAGE, cursor.as_deref()).await?;
        if args.csv {
            part(&people_file::lines(page.items))?;
        } else {
            accounts.extend(page.items);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    match (args.csv, args.json) {
        (true, _) => Ok(()),
        (false, true) => out::json(&accounts),
        (false, false) => {
            let head = ["USERNAME", "NAME", "ROLE", "ORGANISATION", "TEAMS", "LAST SIGN-IN (UTC)", "STATE"];
            out::text(table(head, accounts.into_iter().map(row)))
        }
    }
}

fn part(lines: &[u8]) -> Result<(), Failure> {
    out::part(&String::from_utf8_lossy(lines))
}

fn row(a: AccountRow) -> [String; 7] {
    [
        a.user.username,
        a.user.name,
        a.user.role,
        a.user.organisation.unwrap_or_default(),
        a.user.teams.join(", "),
        a.last_sign_in_at.map(Time::exact).unwrap_or_default(),
        if a.disabled_at.is_some() { "disabled" } else { "enabled" }.to_owned(),
    ]
}
