//! Cargo's own: format, lints for both targets, unit and integration tests; and Node's, of the scripts in the browser.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use super::tally::Tally;
use crate::{
    moto::Moto,
    npm,
    outcome::Outcome,
    postgres::Postgres,
    process,
    toolchain::{self, WASM},
    workspace::cargo,
};

/// Everything that runs on this machine. `frontend` is left out because one build must never hold both of leptos's
/// sides; xtask because beside it cargo would build a hundred shared crates a second time, with the features of both.
const HOUSE: &[&str] = &["--workspace", "--exclude", "frontend", "--exclude", "xtask"];
const XTASK: &[&str] = &["--package", "xtask"];

pub(super) fn format() -> Outcome<Tally> {
    toolchain::ensure_component("rustfmt", "fmt")?;
    process::run(cargo().args(["fmt", "--all", "--", "--check"]))?;
    Ok(Tally::ONE)
}

/// The house, this tool, and the browser's side, in which cargo lints the crates both sides share once more.
pub(super) fn lint() -> Outcome<Tally> {
    toolchain::ensure_component("clippy", "clippy")?;
    toolchain::ensure_wasm_target()?;
    let mut sum = Tally::default();
    let selections: [&[&str]; 3] = [HOUSE, XTASK, &["--package", "frontend", "--target", WASM]];
    for selection in selections {
        let mut clippy = cargo();
        clippy.arg("clippy").args(selection);
        if !selection.contains(&WASM) {
            clippy.arg("--all-targets");
        }
        sum += match process::run(clippy.args(["--", "--deny", "warnings"])) {
            Ok(()) => Tally::ONE,
            Err(problem) => {
                eprintln!("error: {}", problem.sentence());
                Tally { failed: 1, ..Tally::default() }
            }
        };
    }
    Ok(sum)
}

/// All tests of all crates that run on this machine, against SQLite and, where it is installed, PostgreSQL, and an
/// S3-compatible service where Python is; and those of the scripts.
pub(super) fn unit() -> Outcome<Tally> {
    let mut sum = Tally::default();
    let postgres = Postgres::start()?;
    if postgres.is_none() {
        eprintln!("PostgreSQL is not installed: the tests run on SQLite only");
        sum.skipped += 1;
    }
    let moto = match Moto::start() {
        Ok(Some(moto)) => Some(moto),
        Ok(None) => {
            eprintln!(
                "python3 cannot make a virtual environment (Debian: python3-venv): files are tested in folders only"
            );
            sum.skipped += 1;
            None
        }
        Err(problem) => {
            eprintln!("error: files are tested in folders only: {}", problem.sentence());
            sum.failed += 1;
            None
        }
    };
    let mut house = cargo();
    house.arg("test").args(HOUSE).arg("--no-fail-fast");
    if let Some(postgres) = &postgres {
        house.env("ROLLCALL_TEST_POSTGRES", postgres.url());
    }
    if let Some(moto) = &moto {
        house.env("ROLLCALL_TEST_S3", moto.url());
    }
    sum += counted(&mut house, Tally::of_cargo_line)?;
    sum += counted(cargo().arg("test").args(XTASK), Tally::of_cargo_line)?;
    sum += counted(&mut npm::scripts(), Tally::of_node_line)?;
    Ok(sum)
}

/// Shows the output as it comes and adds up the results that `tally` reads from its lines.
#[expect(clippy::print_stdout, reason = "the tests' own output is passed on")]
fn counted(command: &mut Command, tally: impl Fn(&str) -> Option<Tally>) -> Outcome<Tally> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut sum = Tally::default();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line?;
        println!("{line}");
        if let Some(tally) = tally(&line) {
            sum += tally;
        }
    }
    if !child.wait()?.success() && sum.failed == 0 {
        // Nothing was counted as failed, so it did not compile, or a test program died.
        eprintln!("error: {} failed", process::line(command));
        sum.failed += 1;
    }
    Ok(sum)
}
