//! `rollcall doctor`: looks at what an operator can get wrong, and says how to mend it.
//!
//! `files`: the data directory, the disk, the keys and the place file. `database`: reachable, migrated, whole. `network`: listeners, the address
//! people use, proxies. `system`: open files and the clock. To add a check: a function that gives a `Finding`, and its
//! line in `run`. Nothing is changed.

mod database;
mod files;
mod network;
mod system;

use clap::Args;
use serde::Serialize;

use super::{database::DatabaseArgs, failure::Failure, out};

/// Check this installation and say how to mend what is wrong
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warn,
    Bad,
}

/// What one check found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// How to mend it; nothing when all is well.
    mend: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), mend: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    fn bad(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Bad, found: found.into(), mend: Some(mend.into()) }
    }

    fn line(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad ",
        };
        let mend = self.mend.as_ref().map(|mend| format!("\n{:20}{mend}", "")).unwrap_or_default();
        format!("{verdict}  {:12}  {}{mend}", self.check, self.found)
    }
}

pub(super) async fn run(args: DoctorArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let mut findings = vec![files::data_dir(&settings), files::disk(&settings), files::key_file(&settings)];
    findings.extend(files::place_file(&settings));
    findings.extend(database::database(&settings).await);
    findings.push(network::listen(&settings).await);
    findings.push(network::base_url(&settings));
    findings.push(network::proxies(&settings));
    findings.push(system::open_files());
    findings.push(system::clock(&settings));
    if args.json {
        out::json(&findings)?;
    } else {
        out::text(findings.iter().map(Finding::line).collect::<Vec<_>>().join("\n"))?;
    }
    if findings.iter().any(|f| f.verdict == Verdict::Bad) { Err(Failure::Told) } else { Ok(()) }
}
