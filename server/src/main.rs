//! The program `rollcall`. Everything is in the library, so that tests reach it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::run(std::env::args_os().collect())
}
