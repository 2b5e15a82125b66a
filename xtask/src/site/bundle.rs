//! From the compiled wasm to the files a browser loads: `rollcall.js`, `rollcall_bg.wasm`, `snippets/…`.
//!
//! The names are those leptos writes into a page when it is told `output_name("rollcall")`.

use std::{fs, path::Path};

use tempfile::TempDir;
use wasm_bindgen_cli_support::Bindgen;

use super::{Files, Profile, stamp, trim};
use crate::{outcome::Outcome, workspace::target};

/// Appended to the JavaScript of `cargo xtask dev`; the server knows nothing of it.
const RELOAD: &str = include_str!("reload.js");

/// Generates the files. Reading an unoptimised wasm takes seconds, so the result is kept until the wasm changes: an
/// edit of a style sheet then shows at once.
pub(super) fn files(wasm: &Path, profile: Profile) -> Outcome<Files> {
    let input = fs::read(wasm)?;
    let stamp =
        stamp::of_bytes(&[profile.name().as_bytes(), include_bytes!("bundle.rs"), include_bytes!("trim.rs"), &input]);
    let kept = target().join("xtask").join(profile.name());
    if fs::read_to_string(kept.join("stamp")).is_ok_and(|old| old == stamp) {
        return read(&kept.join("files"));
    }

    let fresh = TempDir::new_in(target())?;
    let readable = profile != Profile::Release;
    let module = if readable { input } else { trim::without_unused(&input)? };
    Bindgen::new()
        .input_bytes("rollcall", module)
        .web(true)?
        .typescript(false)
        .out_name("rollcall")
        // Function names are a third of the wasm's weight, and only panics read them.
        .remove_name_section(!readable)
        .remove_producers_section(true)
        .generate(fresh.path().join("files"))?;
    if profile == Profile::Reloading {
        let script = fresh.path().join("files/rollcall.js");
        fs::write(&script, fs::read_to_string(&script)? + RELOAD)?;
    }
    fs::write(fresh.path().join("stamp"), stamp)?;

    fs::create_dir_all(target().join("xtask"))?;
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    fs::rename(fresh.keep(), &kept)?;
    read(&kept.join("files"))
}

fn read(folder: &Path) -> Outcome<Files> {
    let mut files = Files::new();
    for path in stamp::files_below(folder)? {
        let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
        files.insert(name, fs::read(path)?);
    }
    Ok(files)
}
