//! The program `rollcall`. Everything is in the library, so that tests reach it too.

use std::process::ExitCode;

/// A join, a change and a ping are dozens of small allocations each, on one thread and given back on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::cli::run(std::env::args_os().collect())
}
