//! `cargo xtask bench`: the figures of docs/BENCHMARKS.md, measured on this machine.
//!
//! - `scenes`: what is run, each against a server of its own on a copy of the same prepared data.
//! - `rollcall`: the release binary as the bench uses it: prepare, serve, load.
//! - `figures`: how a number becomes a row, with its floor, its goal and what others reach.
//! - `page`: the part of docs/BENCHMARKS.md between its markers. `machine`: where all of it ran.
//!
//! To add a figure: a row in the scene that measures it. To add a scene: a function there and a line in `SCENES`.

mod figures;
mod machine;
mod page;
mod rollcall;
mod scenes;

use self::{figures::Figure, machine::Machine, rollcall::Rollcall, scenes::SCENES};
use crate::{
    outcome::{Outcome, Stop},
    process,
    workspace::{cargo, target},
};

/// Runs all scenes, or those asked for, which then leave the page as it is. Fails when a floor is not met.
pub(crate) fn run(args: &[String]) -> Outcome {
    let wanted = wanted(args)?;
    // Without the browser's files, which nothing here asks for.
    process::run(cargo().args(["build", "--release", "--package", "server"]))?;
    let binary = target().join("release/rollcall");
    let machine = Machine::here()?;
    let rollcall = Rollcall::prepare(binary)?;
    let (mut figures, mut raw) = (Vec::<Figure>::new(), serde_json::Map::new());
    for (name, play) in SCENES.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        eprintln!("measuring: {name}");
        let scene = play(&rollcall)?;
        figures.extend(scene.figures);
        raw.insert((*name).to_owned(), scene.raw);
    }
    let table = figures::table(&figures);
    let raw = serde_json::to_string_pretty(&raw)?;
    if wanted.is_empty() {
        page::write(&machine, &table, &raw)?;
    }
    let missed = figures.iter().filter(|f| f.met() == Some(false)).count();
    let floors = figures.iter().filter(|f| f.met().is_some()).count();
    say(&format!("{table}\n{raw}\n\n{machine}\n{} of {floors} floors met", floors - missed));
    if missed == 0 { Ok(()) } else { Err(Stop::Counted) }
}

#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
fn say(text: &str) {
    println!("{text}");
}

/// Reads `--only NAME`, which may be repeated.
fn wanted(args: &[String]) -> Outcome<Vec<&str>> {
    let mut wanted = Vec::new();
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        let name = args.next().map(String::as_str).filter(|_| flag == "--only");
        let known = name.filter(|name| SCENES.iter().any(|(scene, _)| scene == name));
        wanted.push(known.ok_or_else(|| {
            let names: Vec<&str> = SCENES.iter().map(|(name, _)| *name).collect();
            Stop::Usage(format!("bench understands --only {}", names.join("|")))
        })?);
    }
    Ok(wanted)
}
