//! The built binary: one-shot commands and a running server, on a database of their own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client::IntoClientRequest};

pub(super) const PASSWORD: &str = "seven green bicycles sing";

/// A data directory, and commands run on it.
pub(super) struct Program {
    home: TempDir,
}

/// What a command said.
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    /// Standard output as JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {} {}", self.out, self.err))
    }

    /// The command did what was asked.
    #[track_caller]
    pub(super) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{} {}", self.out, self.err);
        self
    }

    /// It failed with this code and one sentence that holds `word`.
    #[track_caller]
    pub(super) fn refused(self, code: i32, word: &str) -> Self {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        assert_eq!(self.err.trim_end().lines().count(), 1, "one sentence: {}", self.err);
        assert!(self.err.starts_with("rollcall: ") && self.err.contains(word), "{word}: {}", self.err);
        self
    }
}

impl Program {
    pub(super) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        for (name, _) in std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("ROLLCALL_")) {
            command.env_remove(name);
        }
        command.args(args).current_dir(self.home.path());
        command.env("ROLLCALL_DATA_DIR", self.data_dir()).env("TMPDIR", self.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, "", &[])
    }

    pub(super) fn run_with(&self, args: &[&str], input: &str, env: &[(&str, &str)]) -> Said {
        let mut child = self.command(args).envs(env.iter().copied()).spawn().expect("the binary starts");
        // The command may be over before it reads, and then the pipe is closed.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        said(child)
    }

    /// The same for somebody at a terminal, who types `typed`.
    pub(super) fn at_terminal(&self, args: &[&str], typed: &str) -> Said {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("ours");
        let name = ptsname(&ours, vec![]).expect("a name").into_string().expect("UTF-8");
        let theirs = std::fs::File::options().read(true).write(true).open(name).expect("its other end");
        let child = self.command(args).stdin(theirs).spawn().expect("the binary starts");
        let mut ours = std::fs::File::from(ours);
        ours.write_all(typed.as_bytes()).expect("it takes a line");
        said(child)
    }

    /// Adds a person whose password is `PASSWORD`.
    pub(super) fn add(&self, username: &str, more: &[&str]) -> Said {
        let args = ["user", "add", "--username", username, "--password-stdin"];
        self.run_with(&[&args, more].concat(), &format!("{PASSWORD}\n"), &[]).done()
    }

    /// Starts a server on a free port.
    pub(super) fn serve(&self, more: &[&str]) -> Server {
        let args = ["serve", "--listen", "127.0.0.1:0", "--ops-listen", "off"];
        self.start(&[&args, more].concat())
    }

    /// Starts a command that listens.
    pub(super) fn start(&self, args: &[&str]) -> Server {
        let mut child = self.command(args).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (mut err, written) = (BufReader::new(child.stderr.take().expect("piped")), Arc::clone(&log));
        thread::spawn(move || {
            let mut line = String::new();
            while err.read_line(&mut line).is_ok_and(|n| n > 0) {
                written.lock().expect("no panic").push_str(&line);
                line.clear();
            }
        });
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = Vec::new();
        let address = loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).expect("readable") > 0, "it ended: {lines:?} {log:?}");
            let line = line.trim_end().to_owned();
            let address = line.strip_prefix("listening on http://").map(|a| a.parse().expect("an address"));
            lines.push(line);
            if let Some(address) = address {
                break address;
            }
        };
        Server { child, out, log, lines, address }
    }
}

fn said(child: Child) -> Said {
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A running server; it is killed when dropped.
pub(super) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    log: Arc<Mutex<String>>,
    /// What it printed up to "listening on".
    pub(super) lines: Vec<String>,
    pub(super) address: SocketAddr,
}

impl Server {
    /// The first line of the log that holds `word`, which may still be on its way.
    pub(super) fn logged(&self, word: &str) -> String {
        for _ in 0..500 {
            if let Some(line) = self.log.lock().expect("no panic").lines().find(|l| l.contains(word)) {
                return line.to_owned();
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{word}: {}", self.log.lock().expect("no panic"));
    }

    /// All of the log so far.
    pub(super) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Status, head and body of an answer.
    pub(super) fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        request(self.address, method, path, headers, body)
    }

    /// Signs in; the value of the Cookie header.
    pub(super) fn sign_in(&self, username: &str) -> String {
        self.sign_in_with(username, PASSWORD)
    }

    pub(super) fn sign_in_with(&self, username: &str, password: &str) -> String {
        let body = serde_json::json!({ "username": username, "password": password }).to_string();
        let (status, head, body) = self.request("POST", "/api/v1/auth/login", "", &body);
        assert_eq!(status, 200, "{body}");
        let set = head.lines().find_map(|l| l.to_ascii_lowercase().starts_with("set-cookie: ").then(|| &l[12..]));
        set.expect("a cookie").split(';').next().expect("a value").to_owned()
    }

    /// Whether the cookie still authenticates.
    pub(super) fn session(&self, cookie: &str) -> u16 {
        self.request("GET", "/api/v1/session", &format!("Cookie: {cookie}\r\n"), "").0
    }

    /// A joined socket.
    pub(super) fn socket(&self, cookie: &str) -> WebSocket<TcpStream> {
        let url = format!("ws://{}/socket/websocket?vsn=2.0.0", self.address);
        let mut request = url.into_client_request().expect("a request");
        let origin = format!("http://{}", self.address);
        request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        let (mut socket, _) = tokio_tungstenite::tungstenite::client(request, stream).expect("a socket");
        let join = r#"["1","1","presence:me","phx_join",{"page":"/"}]"#;
        socket.send(Message::text(join)).expect("it reads");
        let reply = socket.read().expect("a reply").into_text().expect("text");
        assert!(reply.contains(r#""status":"ok""#), "{reply}");
        socket
    }

    /// SIGTERM; its exit code and what else it printed.
    pub(super) fn stop(mut self) -> (i32, String) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("readable");
        (self.child.wait().expect("it ends").code().unwrap_or(-1), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The permission bits of a file.
pub(super) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Status, head and body of an answer; a connection for each, for there is nothing to gain from fewer.
pub(super) fn request(
    server: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/json\r\n{headers}\r\n{body}"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (status, head.to_owned(), body.to_owned())
}
