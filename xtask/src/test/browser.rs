//! The browser tests of `end2end`, in Chromium, against the built server.

use std::fs;

use super::tally::Tally;
use crate::{
    chromium, npm,
    outcome::Outcome,
    process,
    workspace::{cargo, target},
};

/// The server is the unoptimised one that the integration tests have just been linked beside: a release build would
/// add ten minutes on a small machine and change no behaviour. It reads the browser's files from the disk; those are
/// the optimised ones that people get.
pub(super) fn run() -> Outcome<Tally> {
    npm::ensure_packages()?;
    let chromium = chromium::ensure()?;
    process::run(cargo().args(["build", "--package", "server"]))?;

    let report = npm::folder().join("test-results/report.json");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut playwright = npm::program("playwright");
    playwright.arg("test").env("ROLLCALL_BIN", target().join("debug/rollcall")).env("CHROMIUM", chromium);
    let outcome = process::run(&mut playwright);
    let counted = fs::read(&report).ok().and_then(|report| serde_json::from_slice(&report).ok());
    match counted.as_ref().and_then(Tally::of_playwright) {
        Some(tally) if outcome.is_ok() || tally.failed > 0 => Ok(tally),
        _ => Err(outcome.err().unwrap_or_else(|| "Playwright left no report".into())),
    }
}
