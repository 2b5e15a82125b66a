//! The npm packages of the browser tests.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    outcome::Outcome,
    process,
    workspace::{find_program, root},
};

/// The folder of the browser tests.
pub(crate) fn folder() -> PathBuf {
    root().join("end2end")
}

/// Installs exactly what the lock file says, unless that has been done.
pub(crate) fn ensure_packages() -> Outcome {
    for program in ["node", "npm"] {
        if find_program(program).is_none() {
            return Err(format!("the browser tests need `{program}`: install Node 20 or newer").into());
        }
    }
    let lock = fs::read(folder().join("package-lock.json"))?;
    let installed = folder().join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|old| old == lock) {
        return Ok(());
    }
    // The browser is found or installed on its own, so no package needs to fetch one.
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder()).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    process::run(&mut npm)?;
    Ok(fs::write(installed, lock)?)
}

/// A program that one of the packages brings.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(Path::new("node_modules/.bin").join(name));
    command.current_dir(folder());
    command
}

/// Node's own tests, of the scripts in `frontend/agent`; they need no package.
pub(crate) fn scripts() -> Command {
    let mut command = Command::new("node");
    let tests = ["hub", "presences", "times", "files"].map(|name| format!("unit/{name}.test.mjs"));
    command.args(["--test", "--test-reporter=tap"]).args(tests).current_dir(folder());
    command
}
