//! The browser's files are embedded from `target/site`, which `cargo xtask site` fills.

use std::{env, fs, io};

const SITE: &str = "../target/site";

fn main() -> io::Result<()> {
    // The macro that embeds the folder does not compile without it.
    fs::create_dir_all(SITE)?;
    println!("cargo::rerun-if-changed=build.rs");
    // Only an optimised server carries the files inside. Others read the folder while they run, so a changed style
    // sheet must not make them compile again.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={SITE}");
    }
    Ok(())
}
