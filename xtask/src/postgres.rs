//! A private PostgreSQL for the tests: its own folder, port and user; gone afterwards.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{outcome::Outcome, process, workspace::find_program};

/// Debian keeps the server's programs out of `PATH`, one folder per major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A running server; dropping it stops it and removes its folder.
pub(crate) struct Postgres {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    /// Starts one, or says `None` when PostgreSQL is not installed.
    pub(crate) fn start() -> Outcome<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder = TempDir::with_prefix("rollcall-postgres-")?;
        let owner = owner(folder.path())?;
        let data = folder.path().join("data");
        let program = |name: &str| {
            let mut command = process::that_ends_with_us(&programs.join(name), "INT");
            command.current_dir(folder.path());
            if let Some((user, group)) = owner {
                command.uid(user).gid(group);
            }
            command
        };

        let mut initdb = program("initdb");
        initdb.arg("--pgdata").arg(&data).args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--no-sync"]).stdout(Stdio::null());
        process::run(&mut initdb)?;

        let port = free_port()?;
        let log = folder.path().join("log");
        let mut server = program("postgres");
        server.arg("-D").arg(&data).args(settings(port).iter().flat_map(|setting| ["-c", setting]));
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let mut postgres = Self { child, port, _folder: folder };
        postgres.wait_until_ready(&log)?;
        Ok(Some(postgres))
    }

    /// The address of its maintenance database, where tests create their own.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, log: &Path) -> Outcome {
        let started = Instant::now();
        loop {
            let said = fs::read_to_string(log).unwrap_or_default();
            if said.contains("ready to accept connections") {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || started.elapsed() > Duration::from_secs(30) {
                return Err(format!("PostgreSQL did not start:\n{said}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // INT is its fast shutdown: it drops connections, but frees its shared memory.
        process::stop(&mut self.child, "INT", Duration::from_secs(10));
    }
}

/// Losing this server costs nothing, so it need not wait for the disk. Many test databases are open at once.
fn settings(port: u16) -> [String; 7] {
    [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        "unix_socket_directories=".into(),
        "max_connections=300".into(),
        "fsync=off".into(),
        "synchronous_commit=off".into(),
        "full_page_writes=off".into(),
    ]
}

/// The folder that holds both `initdb` and `postgres`.
fn programs() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let in_path = find_program("initdb").and_then(|path| path.parent().map(Path::to_owned)).filter(complete);
    in_path.or_else(|| {
        let versions = fs::read_dir(DEBIAN).ok()?.flatten().map(|entry| entry.path().join("bin")).filter(complete);
        versions.max_by_key(|bin| major(bin))
    })
}

/// 15 of `/usr/lib/postgresql/15/bin`.
fn major(bin: &Path) -> u32 {
    bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0)
}

/// PostgreSQL refuses to run as root: then it runs as the package's own user, to whom the folder is given.
fn owner(folder: &Path) -> Outcome<Option<(u32, u32)>> {
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let (user, group) = account(&accounts, "postgres")
        .or_else(|| account(&accounts, "nobody"))
        .ok_or("PostgreSQL cannot run as root, and there is no user `postgres` or `nobody`")?;
    chown(folder, Some(user), Some(group))?;
    Ok(Some((user, group)))
}

/// User and group number of a line `name:x:uid:gid:…` of the password file.
fn account(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// A port nobody listens on. Another program could take it before PostgreSQL does; then the start fails and says so.
fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_server_comes_and_goes() {
        // Where it is not installed there is nothing to start.
        let Some(postgres) = Postgres::start().unwrap() else { return };
        let address = ("127.0.0.1", postgres.port);
        assert!(std::net::TcpStream::connect(address).is_ok());
        drop(postgres);
        assert!(std::net::TcpStream::connect(address).is_err());
    }

    #[test]
    fn an_account_is_read_from_the_password_file() {
        let file = "root:x:0:0:root:/root:/bin/bash\npostgres:x:107:113::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(account(file, "postgres"), Some((107, 113)));
        assert_eq!(account(file, "post"), None);
    }

    #[test]
    fn the_newest_version_wins_by_number() {
        assert!(major(Path::new("/usr/lib/postgresql/15/bin")) > major(Path::new("/usr/lib/postgresql/9/bin")));
    }
}
