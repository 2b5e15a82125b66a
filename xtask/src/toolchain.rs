//! What rustup must have installed beside the compiler itself.

use std::{path::Path, process::Command};

use crate::{
    outcome::Outcome,
    process,
    workspace::{cargo, find_program, root},
};

/// The target of the browser's code.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Adds the wasm target where it is missing. The compiler is asked, not rustup: that is quicker, and a
/// distribution's compiler may have the target without rustup.
pub(crate) fn ensure_wasm_target() -> Outcome {
    let libraries = process::read(rustc().args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    rustup(&["target", "add", WASM])
}

/// Adds a component (`rustfmt`, `clippy`) where its cargo command does not answer.
pub(crate) fn ensure_component(component: &str, subcommand: &str) -> Outcome {
    if cargo().args([subcommand, "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    rustup(&["component", "add", component])
}

/// The compiler's full version: part of what a build's result depends on.
pub(crate) fn rustc_version() -> Outcome<String> {
    process::read(rustc().arg("-vV"))
}

fn rustc() -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(root());
    command
}

fn rustup(args: &[&str]) -> Outcome {
    if find_program("rustup").is_none() {
        return Err(format!("`rustup {}` is needed, but rustup is not installed", args.join(" ")).into());
    }
    process::run(Command::new("rustup").args(args).current_dir(root()))
}
