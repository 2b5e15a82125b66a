//! `cargo xtask dev`: rebuild, restart and reload on change.
//!
//! The page reloads itself: a development build's JavaScript watches `reload.txt` beside it, which gets another
//! content with every start of the server. A change that does not compile leaves the last server running.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::Child,
    thread,
    time::{Duration, SystemTime},
};

use crate::{
    outcome::{Outcome, serve_args},
    process,
    site::{self, Profile, Site, files_below},
    workspace::{cargo, root, target},
};

/// Folders and files whose change matters.
const WATCHED: [&str; 8] =
    [".cargo/config.toml", "Cargo.lock", "Cargo.toml", "app", "frontend", "migrations", "server", "style"];

/// Reading the times of a few hundred files takes about a millisecond, so looking often costs nothing.
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub(crate) fn run(args: &[String]) -> Outcome {
    let args = serve_args(args);
    let mut server = Server { child: None, starts: 0 };
    loop {
        let seen = times();
        if let Err(problem) = server.renew(args) {
            eprintln!("error: {}; waiting for a change", problem.sentence());
        }
        wait_for_change(&seen);
    }
}

struct Server {
    child: Option<Child>,
    starts: u32,
}

impl Server {
    /// Builds everything first, so that the page is away only for the moment of the restart.
    fn renew(&mut self, args: &[String]) -> Outcome {
        let site = Site::prepare(Profile::Reloading)?;
        process::run(cargo().args(["build", "--package", "server"]))?;
        self.stop();
        if let Some(site) = site {
            site.publish()?;
        }
        self.starts += 1;
        if let Some(folder) = site::published() {
            fs::write(folder.join("reload.txt"), format!("{}.{}", std::process::id(), self.starts))?;
        }
        let mut serve = process::that_ends_with_us(&target().join("debug/rollcall"), "TERM");
        self.child = Some(serve.arg("serve").args(args).spawn()?);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A little more than the server's own limit for a graceful stop.
            process::stop(&mut child, "TERM", Duration::from_secs(12));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns once something differs from `seen` and nothing has changed for one more look: an editor or a checkout
/// writes several files.
fn wait_for_change(seen: &BTreeMap<PathBuf, SystemTime>) {
    let mut last = times();
    loop {
        thread::sleep(LOOK_EVERY);
        let now = times();
        if now == last && now != *seen {
            return;
        }
        last = now;
    }
}

/// When each file was last written. A file that vanishes while we look is simply not in it.
fn times() -> BTreeMap<PathBuf, SystemTime> {
    let files = WATCHED.iter().filter_map(|name| files_below(&root().join(name)).ok()).flatten();
    files.filter_map(|path| Some((path.clone(), fs::metadata(&path).ok()?.modified().ok()?))).collect()
}
