//! The program itself, as a process of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use tokio::task::spawn_blocking;

/// `rollcall serve` on a data directory; killed when dropped.
pub(crate) struct Program {
    child: Mutex<Child>,
    pub(crate) address: SocketAddr,
    /// The one-time token of the link printed on a fresh database.
    pub(crate) setup: Option<String>,
}

impl Program {
    /// Starts it and waits until it listens. Its log is added to `log` in the data directory.
    pub(crate) async fn start(dir: &Path, variables: &[(&str, &str)]) -> Self {
        let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("ROLLCALL_")) {
            command.env_remove(name);
        }
        command.arg("serve").env("ROLLCALL_DATA_DIR", dir);
        command.env("ROLLCALL_LISTEN", "127.0.0.1:0").env("ROLLCALL_OPS_LISTEN", "off").envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (address, setup) = spawn_blocking(|| {
            let mut setup = None;
            for line in out.lines() {
                let line = line.unwrap();
                if let Some((_, token)) = line.split_once("/setup?token=") {
                    setup = Some(token.trim().to_owned());
                }
                if let Some((_, address)) = line.split_once("listening on http://") {
                    return (address.trim().parse().unwrap(), setup);
                }
            }
            panic!("it ended before it listened");
        })
        .await
        .unwrap();
        Self { child: Mutex::new(child), address, setup }
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have ended by itself; then there is nothing to end.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Stops it in its tracks, or lets it go on: `kill -STOP`, `kill -CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.lock().unwrap_or_else(PoisonError::into_inner).id();
        assert!(Command::new("kill").args([signal, &id.to_string()]).status().unwrap().success());
    }

    /// Bytes of memory it holds.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.lock().unwrap_or_else(PoisonError::into_inner).id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Whether it is still running.
    pub(crate) fn is_alive(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(child.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
