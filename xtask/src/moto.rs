//! A private S3-compatible service for the tests: moto, of Python's packages, which keeps everything in memory; gone
//! afterwards. The packages are in a folder of their own beside what cargo builds.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    outcome::Outcome,
    process,
    workspace::{root, target},
};

/// A running service; dropping it stops it.
pub(crate) struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    /// Starts one, or says `None` where Python cannot make a folder for its packages.
    pub(crate) fn start() -> Outcome<Option<Self>> {
        if !has_venv() {
            return Ok(None);
        }
        let folder = target().join("moto");
        ensure_packages(&folder)?;
        // Another program could take the port before it does; then the start fails and says so.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = process::that_ends_with_us(&folder.join("bin/moto_server"), "TERM");
        server.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut moto = Self { child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if moto.child.try_wait()?.is_some() || started.elapsed() > Duration::from_mins(1) {
                return Err(format!("{} did not start", folder.join("bin/moto_server").display()).into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(moto))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        process::stop(&mut self.child, "TERM", Duration::from_secs(5));
    }
}

/// Debian has it in a package beside Python's own.
fn has_venv() -> bool {
    let mut asked = Command::new("python3");
    asked.args(["-c", "import ensurepip, venv"]).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// Installs exactly what the list says, unless that has been done.
fn ensure_packages(folder: &Path) -> Outcome {
    let list = root().join("xtask/moto.txt");
    let (wanted, installed) = (fs::read(&list)?, folder.join("installed"));
    if fs::read(&installed).is_ok_and(|old| old == wanted) {
        return Ok(());
    }
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]).arg(&list);
    process::run(&mut pip)?;
    Ok(fs::write(installed, wanted)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_pinned() {
        let list = fs::read_to_string(root().join("xtask/moto.txt")).unwrap();
        assert!(list.lines().any(|line| line.starts_with("moto==")));
        for line in list.lines() {
            let (name, version) = line.split_once("==").expect(line);
            assert!(!name.contains([' ', '/']) && version.starts_with(|c: char| c.is_ascii_digit()), "{line}");
        }
    }

    #[test]
    fn a_private_service_comes_and_goes() {
        // Where there is no Python there is nothing to start.
        let Some(moto) = Moto::start().unwrap() else { return };
        let address = ("127.0.0.1", moto.port);
        assert!(TcpStream::connect(address).is_ok());
        drop(moto);
        assert!(TcpStream::connect(address).is_err());
    }
}
