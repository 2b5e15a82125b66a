//! `rollcall doctor`: looks at what an operator can get wrong, and says why it matters and how to mend it.
//!
//! `files`: the data directory, the disk, the keys, the place file and the storage. `database`: reachable, migrated, whole.
//! `data`: what is in it: administrators, mails, the clean-up, sealed values, the audit log, files. `network`: listeners, the
//! address people use, proxies, the mail server. `system`: open files and the clock. To add a check: a function that gives
//! a `Finding`, and its line in `run`. Nothing is changed.

mod data;
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
    /// As one may want it, and good to know.
    Info,
    Warn,
    /// Something is broken, or open to others.
    Bad,
}

/// What one check found.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// Why it matters; nothing when all is well.
    why: Option<&'static str>,
    /// How to mend it; nothing when all is well.
    mend: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), why: None, mend: None }
    }

    fn info(check: &'static str, found: impl Into<String>, why: &'static str, mend: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Info, found: found.into(), why: Some(why), mend: Some(mend.into()) }
    }

    fn warn(check: &'static str, found: impl Into<String>, why: &'static str, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, ..Self::info(check, found, why, mend) }
    }

    fn bad(check: &'static str, found: impl Into<String>, why: &'static str, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, ..Self::info(check, found, why, mend) }
    }

    fn line(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Info => "info",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad ",
        };
        let below =
            |word: &str, text: Option<&str>| text.map(|text| format!("\n{:20}{word}: {text}", "")).unwrap_or_default();
        let (why, mend) = (below("why", self.why), below("mend", self.mend.as_deref()));
        format!("{verdict}  {:12}  {}{why}{mend}", self.check, self.found)
    }
}

pub(super) async fn run(args: DoctorArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let mut findings = vec![files::data_dir(&settings), files::disk(&settings), files::key_file(&settings)];
    findings.extend(files::place_file(&settings));
    findings.push(files::storage(&settings).await);
    findings.extend(database::database(&settings).await);
    findings.push(network::listen(&settings).await);
    findings.push(network::base_url(&settings));
    findings.push(network::proxies(&settings));
    findings.push(network::mail_server(&settings).await);
    findings.push(system::open_files());
    findings.push(system::clock(&settings));
    let number = |verdict| findings.iter().filter(|f| f.verdict == verdict).count();
    let (bad, warn) = (number(Verdict::Bad), number(Verdict::Warn));
    if args.json {
        out::json(&findings)?;
    } else {
        let lines = findings.iter().map(Finding::line).collect::<Vec<_>>().join("\n");
        out::text(format!("{lines}\n\n{}", summary(bad, warn)))?;
    }
    if bad > 0 { Err(Failure::Told) } else { Ok(()) }
}

fn summary(bad: usize, warn: usize) -> String {
    let things = |n: usize| if n == 1 { "1 thing".to_owned() } else { format!("{n} things") };
    match (bad, warn) {
        (0, 0) => "nothing is wrong".to_owned(),
        (0, warn) => format!("nothing is broken, {} to look at", things(warn)),
        (bad, 0) => format!("{} to mend", things(bad)),
        (bad, warn) => format!("{} to mend, {} to look at", things(bad), things(warn)),
    }
}
