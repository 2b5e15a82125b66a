//! `cargo xtask dist`: one file to carry anywhere.

use std::fs;

use crate::{
    outcome::{Outcome, no_more},
    run, workspace,
};

pub(crate) fn run(args: &[String]) -> Outcome {
    no_more(args)?;
    let binary = run::build_release()?;
    let folder = workspace::root().join("dist");
    fs::create_dir_all(&folder)?;
    let copy = folder.join("rollcall");
    // A running server keeps its old file; writing over that file would fail with "text file busy".
    let fresh = folder.join("rollcall.new");
    let bytes = fs::copy(binary, &fresh)?;
    fs::rename(fresh, &copy)?;
    eprintln!("{} ({:.1} MB)", copy.display(), bytes as f64 / 1e6);
    Ok(())
}
