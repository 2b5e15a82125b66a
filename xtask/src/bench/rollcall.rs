//! The release binary as the bench uses it: one prepared data directory, a copy of it for each server.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{outcome::Outcome, process};

/// People with live sessions in the prepared database.
pub(super) const PEOPLE: u32 = 100_000;

const ADMIN: &str = "bench-admin";
/// Somebody who signs in over and over.
const SIGNER: &str = "bench-signer";
const PASSWORD: &str = "purple-otter-sings-91";
/// A little more than the server's own limit for a graceful stop.
const STOP_MAX: Duration = Duration::from_secs(12);

pub(super) struct Rollcall {
    binary: PathBuf,
    folder: TempDir,
}

impl Rollcall {
    /// A database of `PEOPLE` with sessions, and an admin.
    pub(super) fn prepare(binary: PathBuf) -> Outcome<Self> {
        Self::of(binary, PEOPLE, "member")
    }

    /// Another database, of fewer people of some role, and the same admin.
    pub(super) fn another(&self, people: u32, role: &str) -> Outcome<Self> {
        Self::of(self.binary.clone(), people, role)
    }

    /// Another database, of years of sessions; `words` say how many of which.
    pub(super) fn history(&self, words: &str) -> Outcome<Self> {
        self.past(&format!("sessions {words}"))
    }

    /// The same of whatever `rollcall load` can make up.
    pub(super) fn past(&self, words: &str) -> Outcome<Self> {
        let history = Self::filled(self.binary.clone(), words)?;
        // Nobody's cookie is known; whoever asks brings one that is none.
        fs::write(history.cookies(), "nobody\trollcall=none\n")?;
        Ok(history)
    }

    fn of(binary: PathBuf, people: u32, role: &str) -> Outcome<Self> {
        Self::filled(binary, &format!("prepare --people {people} --role {role} --out cookies"))
    }

    /// What `rollcall load` with these words puts into a database, an admin, and somebody who signs in.
    fn filled(binary: PathBuf, words: &str) -> Outcome<Self> {
        let rollcall = Self { binary, folder: TempDir::with_prefix("rollcall-bench-")? };
        fs::write(rollcall.stranger(), "nobody\trollcall=none\n")?;
        eprintln!("load {words}");
        let data = rollcall.data();
        let mut fill = rollcall.command(&["load"]);
        fill.args(words.split_whitespace()).arg("--data-dir").arg(&data).stdout(Stdio::null());
        process::run(&mut fill)?;
        for (username, role) in [(ADMIN, "admin"), (SIGNER, "member")] {
            let mut add =
                rollcall.command(&["user", "add", "--username", username, "--role", role, "--password-stdin"]);
            let mut adding = add.arg("--data-dir").arg(&data).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
            adding.stdin.take().ok_or("no input")?.write_all(format!("{PASSWORD}\n").as_bytes())?;
            if !adding.wait()?.success() {
                return Err(format!("{username} could not be added").into());
            }
        }
        Ok(rollcall)
    }

    /// Changes a setting of the prepared data.
    pub(super) fn set(&self, key: &str, value: &str) -> Outcome {
        let mut set = self.command(&["settings", "set", key, value, "--yes", "--data-dir"]);
        process::run(set.arg(self.data()).stdout(Stdio::null()))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("prepared")
    }

    /// The cookies of all people.
    pub(super) fn cookies(&self) -> PathBuf {
        self.folder.path().join("cookies")
    }

    /// A file with a cookie that is none.
    fn stranger(&self) -> PathBuf {
        self.folder.path().join("stranger")
    }

    /// The binary with arguments, and with nothing of our own environment that would change a setting.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLCALL_")) {
            command.env_remove(name);
        }
        command.args(args).current_dir(self.folder.path());
        command
    }

    /// A server with default settings on a fresh copy of the prepared data, and its admin signed in.
    pub(super) fn serve(&self) -> Outcome<Server<'_>> {
        let folder = TempDir::new_in(self.folder.path())?;
        let data = folder.path().join("data");
        copy(&self.data(), &data)?;
        // Free a moment ago; the server wants to be told which.
        let ops = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let (child, url) = self.start(folder.path(), "127.0.0.1:0", &ops)?;
        let admin = folder.path().join("admin");
        let server = Server { rollcall: self, child, url, ops, admin, folder };
        fs::write(&server.admin, format!("{ADMIN}\t{}\n", sign_in(&server.url)?))?;
        Ok(server)
    }

    /// A server on the data in `folder`, and where it listens; `ops` is where its metrics are.
    fn start(&self, folder: &Path, listen: &str, ops: &str) -> Outcome<(Child, String)> {
        let data = folder.join("data");
        let words = ["serve", "--listen", listen, "--ops-listen", ops, "--data-dir"].map(OsStr::new);
        self.listening(folder, words.into_iter().chain([data.as_os_str()]))
    }

    /// The binary with arguments that let it listen, and where it does.
    fn listening<'a>(&self, folder: &Path, args: impl Iterator<Item = &'a OsStr>) -> Outcome<(Child, String)> {
        let plain = self.command(&[]);
        let mut serve = process::that_ends_with_us(&self.binary, "KILL");
        for (name, _) in plain.get_envs() {
            serve.env_remove(name);
        }
        serve.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
        let log = self.folder.path().join("log");
        let mut child = serve.stderr(File::create(&log)?).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let url = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let Some(url) = url else {
            process::stop(&mut child, "KILL", STOP_MAX);
            return Err(format!("the server did not start:\n{}", said()).into());
        };
        Ok((child, url))
    }

    /// `rollcall load sockets` against a server that does nothing but answer.
    pub(super) fn sockets_of_a_bare_server(&self, words: &str) -> Outcome<Value> {
        let (mut bare, url) = self.listening(self.folder.path(), ["load", "bare"].map(OsStr::new).into_iter())?;
        let pid = bare.id().to_string();
        let mut load = self.command(&["load", "sockets", "--json", "--url", &url, "--pid", &pid]);
        // Nobody watches; any cookie will do.
        load.arg("--cookies").arg(self.cookies()).arg("--watch-cookie").arg(self.cookies());
        load.args(words.split_whitespace());
        let raw = process::read(&mut load);
        process::stop(&mut bare, "KILL", STOP_MAX);
        Ok(serde_json::from_str(&raw?)?)
    }

    /// How fast events are written into the prepared data itself.
    pub(super) fn ingest(&self, words: &str) -> Outcome<Value> {
        let mut ingest = self.command(&["load", "ingest", "--json"]);
        ingest.args(words.split_whitespace()).arg("--data-dir").arg(self.data());
        Ok(serde_json::from_str(&process::read(&mut ingest)?)?)
    }

    /// Single acts of the services, in a process and a database of their own.
    pub(super) fn micro(&self) -> Outcome<Value> {
        let people = PEOPLE.to_string();
        let mut micro = self.command(&["load", "micro", "--json", "--people", &people]);
        Ok(serde_json::from_str(&process::read(&mut micro)?)?)
    }
}

/// A running server; dropping it stops it and removes its data.
pub(super) struct Server<'a> {
    rollcall: &'a Rollcall,
    child: Child,
    url: String,
    /// The address of its metrics.
    ops: String,
    /// A file with the admin's cookie.
    admin: PathBuf,
    folder: TempDir,
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        process::stop(&mut self.child, "TERM", STOP_MAX);
    }
}

impl Server<'_> {
    /// `rollcall load http` as everybody; `words` are its further arguments, and so below.
    pub(super) fn http(&self, words: &str) -> Outcome<Value> {
        self.load("http", &self.rollcall.cookies(), words)
    }

    /// `rollcall load http` as the admin.
    pub(super) fn http_as_admin(&self, words: &str) -> Outcome<Value> {
        self.load("http", &self.admin, words)
    }

    /// `rollcall load files` as everybody.
    pub(super) fn files(&self, words: &str) -> Outcome<Value> {
        self.load("files", &self.rollcall.cookies(), words)
    }

    /// The same person signs in 20 times a second, for `seconds`.
    pub(super) fn sign_ins(&self, seconds: u32) -> Outcome<Value> {
        let body = json!({ "username": SIGNER, "password": PASSWORD });
        let login = "--method POST --path /api/v1/auth/login --connections 20 --every 1s";
        // Without a session: a sign-in ends the one that comes with it.
        self.load("http", &self.rollcall.stranger(), &format!("{login} --seconds {seconds} --body {body}"))
    }

    /// `rollcall load sockets` to its end.
    pub(super) fn sockets(&self, words: &str) -> Outcome<Value> {
        self.load("sockets", &self.rollcall.cookies(), words)
    }

    /// The same, and the highest value that the gauge `name` had meanwhile, looked at ten times a second.
    pub(super) fn sockets_and_highest(&self, words: &str, name: &str) -> Outcome<(Value, f64)> {
        let done = AtomicBool::new(false);
        let (raw, highest) = thread::scope(|scope| {
            let highest = scope.spawn(|| {
                let mut highest = f64::NAN;
                while !done.load(Ordering::Relaxed) {
                    highest = highest.max(gauge(&self.ops, name).unwrap_or(f64::NAN));
                    thread::sleep(Duration::from_millis(100));
                }
                highest
            });
            let raw = self.sockets(words);
            done.store(true, Ordering::Relaxed);
            (raw, highest.join())
        });
        Ok((raw?, highest.map_err(|_| "the metrics could not be read")?))
    }

    /// The same, with a stop and a new start when the people are ready for it.
    pub(super) fn sockets_through_a_restart(&mut self, words: &str) -> Outcome<Value> {
        let mut command = self.command("sockets", &self.rollcall.cookies(), &format!("{words} --restart"));
        let mut load = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (output, notes) = (load.stdout.take().ok_or("no output")?, load.stderr.take().ok_or("no output")?);
        // Kept to the end: whatever else it has to say must find a reader.
        let mut notes = BufReader::new(notes).lines().map_while(Result::ok);
        if notes.any(|line| line.starts_with("ready: ")) {
            process::stop(&mut self.child, "TERM", STOP_MAX);
            let address = self.url.trim_start_matches("http://").to_owned();
            (self.child, _) = self.rollcall.start(self.folder.path(), &address, &self.ops)?;
        }
        let value = first_value(output);
        load.wait()?;
        Ok(value
            .ok_or_else(|| format!("the return could not be measured: {}", notes.collect::<Vec<_>>().join("; ")))?)
    }

    /// The same, but its people stay until the result is dropped.
    pub(super) fn crowd(&self, words: &str) -> Outcome<(Value, Crowd)> {
        let mut command = self.command("sockets", &self.rollcall.cookies(), words);
        let mut child = command.arg("--hold").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take().ok_or("no output")?);
        let crowd = Crowd { child, input };
        Ok((first_value(output).ok_or("the sockets could not be measured")?, crowd))
    }

    fn load(&self, client: &str, cookies: &Path, words: &str) -> Outcome<Value> {
        Ok(serde_json::from_str(&process::read(&mut self.command(client, cookies, words))?)?)
    }

    fn command(&self, client: &str, cookies: &Path, words: &str) -> Command {
        let pid = self.child.id().to_string();
        let mut command = self.rollcall.command(&["load", client, "--json", "--url", &self.url, "--pid", &pid]);
        command.arg("--cookies").arg(cookies).args(words.split_whitespace());
        if client == "sockets" {
            command.arg("--watch-cookie").arg(&self.admin);
        }
        command
    }
}

/// People who stay connected while something else is measured.
pub(super) struct Crowd {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // They stay until their input ends.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The first JSON value, without waiting for the end of the output.
fn first_value(output: ChildStdout) -> Option<Value> {
    serde_json::Deserializer::from_reader(BufReader::new(output)).into_iter().next()?.ok()
}

/// Signs the admin in; returns the value of the `Cookie` header.
fn sign_in(url: &str) -> Outcome<String> {
    let authority = url.trim_start_matches("http://");
    let body = json!({ "username": ADMIN, "password": PASSWORD }).to_string();
    let about = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let answer = ask(authority, "POST /api/v1/auth/login", &about, &body)?;
    let cookie = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.trim().split(';').next())?
    });
    Ok(cookie.ok_or_else(|| format!("the admin could not sign in: {answer}"))?.to_owned())
}

/// What a gauge of the metrics at this address stands at.
fn gauge(authority: &str, name: &str) -> Option<f64> {
    let answer = ask(authority, "GET /metrics", "", "").ok()?;
    answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// The whole answer to one request.
fn ask(authority: &str, what: &str, headers: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(authority)?;
    let head = format!("{what} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Copies a folder of files and folders.
fn copy(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to)?;
    // The server warns about a directory that others may read.
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, target)?;
        }
    }
    Ok(())
}
