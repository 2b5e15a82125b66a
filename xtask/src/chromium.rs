//! The browser of the browser tests: the system's, else Debian's package, else Playwright's own download.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{npm, outcome::Outcome, process, workspace::find_program};

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The path of a Chromium, installed if need be. The npm packages must be there already.
pub(crate) fn ensure() -> Outcome<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    if let Some(path) = installed() {
        return Ok(path);
    }
    if is_root()? && find_program("apt-get").is_some() {
        eprintln!("installing Chromium with apt-get");
        let apt = || {
            let mut command = Command::new("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr());
            command
        };
        process::run(apt().args(["update", "--quiet"]))?;
        process::run(apt().args(["install", "--quiet", "--yes", "--no-install-recommends", "chromium"]))?;
        if let Some(path) = installed() {
            return Ok(path);
        }
    }
    process::run(npm::program("playwright").args(["install", "chromium"]))?;
    let script = "console.log(require('@playwright/test').chromium.executablePath())";
    let path = process::read(Command::new("node").args(["-e", script]).current_dir(npm::folder()))?;
    if Path::new(&path).is_file() { Ok(path.into()) } else { Err("Chromium could not be installed".into()) }
}

fn installed() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| find_program(name))
}

fn is_root() -> Outcome<bool> {
    Ok(process::read(Command::new("id").arg("-u"))? == "0")
}
