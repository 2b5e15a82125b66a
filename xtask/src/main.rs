//! `cargo xtask …`: the front door of a checkout, one file per command.
//!
//! What several commands need lies in `workspace` (where things are), `process` (starting and stopping programs) and
//! `toolchain` (what rustup must have installed). Nothing of the product itself is here. To add a command: write its
//! file with `pub fn run(args: &[String]) -> Outcome`, then give it a line in `USAGE` and an arm in `dispatch`.
//!
//! Progress goes to standard error, so that standard output of `run` is the server's alone and `test` can end with
//! its one line.

mod bench;
mod chromium;
mod dev;
mod dist;
mod moto;
mod npm;
mod outcome;
mod postgres;
mod process;
mod run;
mod site;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use outcome::{Outcome, Stop};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [-- ARGS]     build everything in release, then `rollcall serve ARGS`
  dev [-- ARGS]     the same unoptimised; rebuilds, restarts and reloads on change
  test [--only fmt|lint|unit|browser]… [--dev]
                    all tests, or some; --dev bundles the browser's code unoptimised, with readable panics
  site [--dev]      only the browser's files, into target/site
  dist              dist/rollcall: one file, all assets inside
  bench [--only micro|idle|tracked|live|http|sessions|files]…
                    the figures of docs/BENCHMARKS.md; some of them leave that page as it is
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(error)) => {
            eprintln!("error: {error}");
            ExitCode::from(1)
        }
        Err(Stop::Counted) => ExitCode::from(1),
        Err(Stop::Usage(problem)) => {
            eprintln!("error: {problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(args: &[String]) -> Outcome {
    let (command, rest) = args.split_first().ok_or_else(|| Stop::Usage("a command is missing".into()))?;
    match command.as_str() {
        "run" => run::run(rest),
        "dev" => dev::run(rest),
        "test" => test::run(rest),
        "site" => site::run(rest),
        "dist" => dist::run(rest),
        "bench" => bench::run(rest),
        "help" | "--help" | "-h" => {
            eprint!("{USAGE}");
            Ok(())
        }
        other => Err(Stop::Usage(format!("there is no command `{other}`"))),
    }
}
