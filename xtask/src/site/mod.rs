//! `cargo xtask site`: the browser's files, in `target/site/pkg/HASH/`, where the server takes them from.
//!
//! Here is the order of the work; `bundle` turns the compiled wasm into files, `style` joins the style sheets,
//! `compress` writes `.br` and `.gz` beside every file, `stamp` knows whether anything changed. The folder, not each
//! file, carries the hash of everything in it: relative imports inside it stay true, and all of it may be cached for
//! ever.

mod bundle;
mod compress;
mod stamp;
mod style;
mod trim;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    outcome::{Outcome, no_more},
    process,
    toolchain::{self, WASM},
    workspace::{cargo, root, site, target},
};

/// Path inside the folder → contents.
pub(crate) use stamp::files_below;

type Files = BTreeMap<String, Vec<u8>>;

/// Bytes of brotli the browser's wasm may weigh; a slow phone line carries that in about two seconds.
const WASM_LIMIT: usize = 350_000;

/// How the browser's code is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Small: what people get.
    Release,
    /// Quick to build, panics readable, not compressed.
    Debug,
    /// As `Debug`, and the page reloads itself when [`Site::publish`] has brought a newer one.
    Reloading,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
            Self::Reloading => "reloading",
        }
    }

    /// Cargo's name of the profile, and of its folder.
    fn cargo(self) -> (&'static str, &'static str) {
        if self == Self::Release { ("wasm-release", "wasm-release") } else { ("dev", "debug") }
    }
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let (profile, rest) = match args.split_first() {
        Some((flag, rest)) if flag == "--dev" => (Profile::Debug, rest),
        _ => (Profile::Release, args),
    };
    no_more(rest)?;
    build(profile)
}

/// Everything, unless nothing changed since the last time.
pub(crate) fn build(profile: Profile) -> Outcome {
    match Site::prepare(profile)? {
        Some(site) => site.publish(),
        None => Ok(()),
    }
}

/// A complete new folder that waits beside the current one.
pub(crate) struct Site {
    folder: PathBuf,
    hash: String,
    stamp: String,
}

impl Site {
    /// Builds the folder, or says `None` when the published one is still right.
    pub(crate) fn prepare(profile: Profile) -> Outcome<Option<Self>> {
        let stamp = stamp::of_sources(profile)?;
        if stamp::is_current(&stamp) {
            return Ok(None);
        }
        toolchain::ensure_wasm_target()?;
        let (cargo_profile, folder) = profile.cargo();
        let args = ["build", "--package", "frontend", "--target", WASM, "--profile", cargo_profile];
        process::run(cargo().args(args))?;

        let wasm = target().join(WASM).join(folder).join("frontend.wasm");
        let mut files = bundle::files(&wasm, profile)?;
        files.insert("rollcall.css".into(), style::sheet(&root().join("style"))?.into_bytes());
        add_static(&mut files, &root().join("style/static"), "")?;
        // `rollcall.js` imports them from there.
        add_static(&mut files, &root().join("frontend/agent"), "agent/")?;

        let hash = stamp::of_files(&files);
        let staging = root().join("target/site.new");
        if staging.exists() {
            fs::remove_dir_all(&staging)?;
        }
        write(&files, &staging)?;
        if profile == Profile::Release {
            compress::all(&files, &staging, published().as_deref())?;
            check_weight(&staging)?;
        }
        Ok(Some(Self { folder: staging, hash, stamp }))
    }

    /// Puts the folder in place, then removes older ones: there is a complete one at every moment.
    pub(crate) fn publish(self) -> Outcome {
        let pkg = site().join("pkg");
        fs::create_dir_all(&pkg)?;
        let place = pkg.join(&self.hash);
        if place.exists() {
            // The same files from an earlier build, perhaps without their compressed copies.
            fs::remove_dir_all(&place)?;
        }
        fs::rename(&self.folder, &place)?;
        for entry in fs::read_dir(&pkg)? {
            let path = entry?.path();
            if path != place {
                fs::remove_dir_all(path)?;
            }
        }
        stamp::save(&self.stamp, &place)
    }
}

/// The folder that is in place now.
pub(crate) fn published() -> Option<PathBuf> {
    fs::read_dir(site().join("pkg")).ok()?.flatten().map(|entry| entry.path()).find(|path| path.is_dir())
}

/// Icons, scripts and the like, as they are.
fn add_static(files: &mut Files, folder: &Path, prefix: &str) -> Outcome {
    if !folder.is_dir() {
        return Ok(());
    }
    for path in files_below(folder)? {
        let name = format!("{prefix}{}", path.strip_prefix(folder)?.to_string_lossy());
        files.insert(name, fs::read(path)?);
    }
    Ok(())
}

fn write(files: &Files, folder: &Path) -> Outcome {
    for (name, contents) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, contents)?;
    }
    Ok(())
}

fn check_weight(folder: &Path) -> Outcome {
    let bytes = fs::metadata(folder.join("rollcall_bg.wasm.br"))?.len() as usize;
    let weight = format!("wasm {:.1} kB brotli (limit {} kB)", bytes as f64 / 1000.0, WASM_LIMIT / 1000);
    if bytes > WASM_LIMIT {
        return Err(format!("{weight}: too heavy; see what grew before raising the limit").into());
    }
    eprintln!("{weight}");
    Ok(())
}
