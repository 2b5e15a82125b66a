//! `cargo xtask run`: build everything in release and become the server.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use crate::{
    outcome::{Outcome, serve_args},
    process,
    site::{self, Profile},
    workspace::{cargo, target},
};

pub(crate) fn run(args: &[String]) -> Outcome {
    let binary = build_release()?;
    // Replaces this process, so that signals and the exit code are the server's own.
    let error = Command::new(&binary).arg("serve").args(serve_args(args)).exec();
    Err(format!("{} could not be started: {error}", binary.display()).into())
}

/// The optimised server with the browser's files inside; returns its path.
pub(crate) fn build_release() -> Outcome<PathBuf> {
    site::build(Profile::Release)?;
    process::run(cargo().args(["build", "--release", "--package", "server"]))?;
    Ok(target().join("release/rollcall"))
}
