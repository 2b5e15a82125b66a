//! `rollcall load files`: one large file, and many small ones at once, sent as a form sends them.
//!
//! The bytes are the same piece over and over: the server neither compresses nor compares them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use clap::Args;
use domain::files::{bytes_of, bytes_text};
use serde::Serialize;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

use super::{
    cookies::{self, Person},
    http::read_answer,
    on_one_thread,
    process::Process,
    summary::{Latency, rounded},
    target::Target,
};
use crate::cli::{failure::Failure, out, table::table};

/// How often the server's memory is looked at.
const LOOK: Duration = Duration::from_millis(10);
const PIECE: usize = 64 * 1024;
const EDGE: &str = "----what-no-file-of-ours-holds";
/// What the first requests of their kind cost is not the files'.
const WARM: (u64, u64) = (8, 5_000_000);

/// Upload one large file, then many small ones, and measure the server
#[derive(Clone, Debug, Args)]
pub(super) struct FilesArgs {
    /// The server, as http://HOST:PORT
    #[arg(long)]
    url: Target,
    /// A file of `rollcall load prepare`; each client is the next person
    #[arg(long, value_name = "FILE")]
    cookies: PathBuf,
    /// The large file
    #[arg(long, default_value = "2GB", value_parser = bytes_of, value_name = "SIZE")]
    large: u64,
    /// How many small ones
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    files: u64,
    /// Each of them
    #[arg(long, default_value = "100kB", value_parser = bytes_of, value_name = "SIZE")]
    small: u64,
    /// Clients that send them at once, each on a connection of its own
    #[arg(long, default_value_t = 4, value_name = "N")]
    clients: usize,
    /// The server's process, to measure what it uses
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    large: Sent,
    small: Sent,
}

/// Some files that were sent.
#[derive(Debug, Serialize)]
struct Sent {
    /// Those the server took.
    files: u64,
    bytes_each: u64,
    clients: usize,
    /// All others, by status or by what went wrong.
    errors: BTreeMap<String, u64>,
    seconds: f64,
    files_per_second: f64,
    megabytes_per_second: f64,
    latency: Latency,
    /// Before the first, and the most while they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_most: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds: Option<f64>,
}

pub(super) async fn run(args: FilesArgs) -> Result<(), Failure> {
    let json = args.json;
    let report = on_one_thread(move || measure(args)).await?;
    if json { out::json(&report) } else { out::text(text(&report)) }
}

async fn measure(args: FilesArgs) -> Result<Report, Failure> {
    let people = cookies::read(&args.cookies)?;
    send(&args, &people, WARM.0, WARM.1, 1).await?;
    let large = send(&args, &people, 1, args.large, 1).await?;
    let small = send(&args, &people, args.files, args.small, args.clients.max(1)).await?;
    Ok(Report { large, small })
}

/// Sends so many files of this size, as many at a time as there are clients.
async fn send(args: &FilesArgs, people: &[Person], files: u64, size: u64, clients: usize) -> Result<Sent, Failure> {
    let process = args.pid.map(Process);
    let before = process.map(Process::usage).transpose()?;
    let started = Instant::now();
    let work = Rc::new(Work { left: Cell::new(files), size, times: RefCell::default(), errors: RefCell::default() });
    let mut all = JoinSet::new();
    for person in people.iter().cycle().take(clients) {
        let (work, url, person) = (Rc::clone(&work), args.url.clone(), person.clone());
        all.spawn_local(async move {
            while work.left.get() > 0 {
                // A connection that broke is an error of one file; the rest goes on with a new one.
                if let Err(e) = work.connection(&url, &person).await {
                    work.failed(e.to_string());
                }
            }
        });
    }
    let (mut most, mut look) = (before.map(|u| u.memory), tokio::time::interval(LOOK));
    loop {
        tokio::select! {
            done = all.join_next() => if done.is_none() { break },
            _ = look.tick() => most = most.max(process.map(Process::usage).transpose()?.map(|u| u.memory)),
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let after = process.map(Process::usage).transpose()?;
    let times = work.times.take();
    let taken = times.len() as u64;
    Ok(Sent {
        files: taken,
        bytes_each: size,
        clients,
        errors: work.errors.take(),
        seconds: rounded(seconds),
        files_per_second: rounded(taken as f64 / seconds),
        megabytes_per_second: rounded((taken * size) as f64 / 1e6 / seconds),
        latency: Latency::of(times),
        memory_before: before.map(|u| u.memory),
        memory_most: most,
        cpu_seconds: after.zip(before).map(|(after, before)| rounded(after.cpu - before.cpu)),
    })
}

/// What all clients share.
struct Work {
    left: Cell<u64>,
    size: u64,
    times: RefCell<Vec<Duration>>,
    errors: RefCell<BTreeMap<String, u64>>,
}

impl Work {
    fn failed(&self, how: String) {
        *self.errors.borrow_mut().entry(how).or_default() += 1;
    }

    /// Sends files on one connection until none is left or the connection breaks.
    async fn connection(&self, url: &Target, person: &Person) -> io::Result<()> {
        let (head, tail) = around(url, person, self.size);
        let (piece, mut answer) = (vec![7; PIECE], Vec::with_capacity(PIECE));
        // Taken before the connection is made, so that a server that is gone uses the files up.
        let mut stream = None;
        while self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            let stream = match &mut stream {
                Some(stream) => stream,
                None => stream.insert(TcpStream::connect(url.address).await?),
            };
            let sent = Instant::now();
            stream.write_all(head.as_bytes()).await?;
            let mut left = self.size;
            while left > 0 {
                let n = left.min(PIECE as u64);
                stream.write_all(&piece[..n as usize]).await?;
                left -= n;
            }
            stream.write_all(tail.as_bytes()).await?;
            match read_answer(stream, &mut answer).await?.status {
                201 => self.times.borrow_mut().push(sent.elapsed()),
                status => self.failed(status.to_string()),
            }
        }
        Ok(())
    }
}

/// The request's bytes before and after those of the file.
fn around(url: &Target, person: &Person, size: u64) -> (String, String) {
    let begin = format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"load.bin\"\r\n\r\n");
    let end = format!("\r\n--{EDGE}--\r\n");
    let length = begin.len() as u64 + size + end.len() as u64;
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nCookie: {}\r\n\
         Content-Type: multipart/form-data; boundary={EDGE}\r\nContent-Length: {length}\r\n\r\n{begin}",
        url.authority, person.cookie
    );
    (head, end)
}

fn text(r: &Report) -> String {
    let mib = |bytes: Option<u64>| bytes.map_or_else(String::new, |n| format!("{:.1} MiB", n as f64 / 1_048_576.0));
    let row = |s: &Sent| {
        [
            format!("{} of {}", s.files, bytes_text(s.bytes_each)),
            s.clients.to_string(),
            format!("{:.1}", s.files_per_second),
            format!("{:.0}", s.megabytes_per_second),
            format!("{:.1} ms", s.latency.p99_ms),
            mib(s.memory_before),
            mib(s.memory_most),
            s.errors.iter().map(|(how, n)| format!("{n} × {how}")).collect::<Vec<_>>().join(", "),
        ]
    };
    let head = ["FILES", "CLIENTS", "FILES/S", "MB/S", "P99", "MEMORY BEFORE", "AT MOST", "FAILED"];
    table(head, [row(&r.large), row(&r.small)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_true() {
        let url = "http://127.0.0.1:3000".parse().unwrap();
        let person = Person { username: "load-00001".into(), cookie: "rollcall=a".into() };
        let (head, tail) = around(&url, &person, 5);
        let (about, begin) = head.split_once("\r\n\r\n").unwrap();
        assert!(about.ends_with(&format!("Content-Length: {}", begin.len() + 5 + tail.len())), "{about}");
    }
}
