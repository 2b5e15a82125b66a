//! `rollcall user delete` and `rollcall user erase`: what goes is counted first, and said.

use clap::Args;
use domain::people::GoesWith;

use super::{OP, Who, of};
use crate::cli::{confirm, database::DatabaseArgs, failure::Failure, out};

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    who: Who,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print what goes as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: DeleteArgs) -> Result<(), Failure> {
    end(args, false).await
}

pub(crate) async fn erase(args: DeleteArgs) -> Result<(), Failure> {
    end(args, true).await
}

async fn end(args: DeleteArgs, erase: bool) -> Result<(), Failure> {
    let (services, who) = (args.database.open().await?, args.who.username());
    let accounts = &services.accounts;
    let (verb, done) = if erase { ("erases", "erased") } else { ("deletes", "deleted") };
    if args.dry_run || confirm::asks(args.yes) {
        let goes =
            if erase { accounts.erases(OP, who.as_str()).await } else { accounts.goes_with(OP, who.as_str()).await };
        let goes = goes.map_err(|e| of(&who, e))?;
        if args.dry_run {
            return if args.json {
                out::json(&goes)
            } else {
                out::text(format!("{who} would be {done}, with {}", listed(&goes)))
            };
        }
        confirm::typed(&format!("This {verb} {who} for good, with {}.", listed(&goes)), &who)?;
    }
    let gone = if erase { accounts.erase(OP, who.as_str()).await } else { accounts.delete(OP, who.as_str()).await };
    let gone = gone.map_err(|e| of(&who, e))?;
    if args.json { out::json(&gone) } else { out::text(format!("{who} is {done}, with {}", listed(&gone))) }
}

/// `38 records (sessions: 12, of which 2 live; events: 26)`.
fn listed(goes: &GoesWith) -> String {
    let kinds: Vec<String> = goes
        .rows
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(kind, n)| match (kind.as_str(), goes.live_sessions) {
            ("sessions", live) if live > 0 => format!("sessions: {n}, of which {live} live"),
            _ => format!("{}: {n}", kind.replace('_', " ")),
        })
        .collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join("; ")) };
    let said = match goes.audit_entries {
        None => String::new(),
        Some(1) => " and what 1 entry of the audit log said".to_owned(),
        Some(n) => format!(" and what {n} entries of the audit log said"),
    };
    format!("{}{kinds}{said}", out::count(goes.rows.values().sum(), "record"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_spelled_out() {
        let rows = [("sessions", 12), ("mails", 0), ("presence_intervals", 26)];
        let rows = rows.map(|(kind, n)| (kind.to_owned(), n)).into();
        let mut goes = GoesWith { live_sessions: 2, rows, audit_entries: None };
        assert_eq!(listed(&goes), "38 records (presence intervals: 26; sessions: 12, of which 2 live)");
        goes.audit_entries = Some(1);
        assert!(listed(&goes).ends_with(") and what 1 entry of the audit log said"));
        assert_eq!(listed(&GoesWith::default()), "0 records");
    }
}
