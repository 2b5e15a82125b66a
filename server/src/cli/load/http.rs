//! `rollcall load http`: the same request over and over, for many sessions, on a few connections.
//!
//! Each connection sends its next request when it has the answer to the last, or when it is time to ask again. The client shares the processor with
//! the server it measures, so it writes prepared bytes and looks at no more of an answer than its status and length.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use clap::Args;
use domain::time::Millis;
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{
    cookies::{self, Person},
    on_one_thread,
    process::Process,
    summary::{Latency, rounded},
    target::Target,
};
use crate::{
    cli::{failure::Failure, out, table::table},
    settings::duration,
};

/// Send one request over and over and measure the answers
#[derive(Clone, Debug, Args)]
pub(super) struct HttpArgs {
    /// The server, as http://HOST:PORT
    #[arg(long)]
    url: Target,
    /// A file of `rollcall load prepare`; each request is the next person's
    #[arg(long, value_name = "FILE")]
    cookies: PathBuf,
    #[arg(long, default_value = "/api/v1/session")]
    path: String,
    #[arg(long, default_value = "GET")]
    method: http::Method,
    /// A JSON body
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    #[arg(long, default_value_t = 32, value_name = "N")]
    connections: usize,
    #[arg(long, default_value_t = 10, value_name = "N")]
    seconds: u64,
    /// Stop after this many requests instead
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    requests: Option<u64>,
    /// Ask this often on each connection, as a page that polls does, instead of at once after each answer
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    every: Option<Millis>,
    /// The server's process, to measure what it uses
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    method: String,
    path: String,
    connections: usize,
    /// Different people the requests were sent for.
    sessions: u64,
    /// Answers of status 2xx.
    requests: u64,
    /// Everything else, by status or by what went wrong.
    errors: BTreeMap<String, u64>,
    seconds: f64,
    per_second: f64,
    latency: Latency,
    /// Bytes of the last answer's body.
    body_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds_per_1000: Option<f64>,
    /// The server's, in per cent of one processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_percent: Option<f64>,
}

pub(super) async fn run(args: HttpArgs) -> Result<(), Failure> {
    let json = args.json;
    let report = on_one_thread(move || measure(args)).await?;
    if json { out::json(&report) } else { out::text(text(&report)) }
}

/// What all connections share.
struct Work {
    people: Vec<Person>,
    /// What goes before and after the cookie's value.
    before: String,
    after: String,
    next: Cell<u64>,
    stop_at: u64,
    until: Option<Instant>,
    every: Option<Duration>,
    times: RefCell<Vec<Duration>>,
    errors: RefCell<BTreeMap<String, u64>>,
    body_bytes: Cell<usize>,
}

async fn measure(args: HttpArgs) -> Result<Report, Failure> {
    let people = cookies::read(&args.cookies)?;
    let process = args.pid.map(Process);
    let (before, after) = request(&args);
    let used_before = process.map(Process::usage).transpose()?;
    let started = Instant::now();
    let work = Rc::new(Work {
        people,
        before,
        after,
        next: Cell::new(0),
        stop_at: args.requests.unwrap_or(u64::MAX),
        until: args.requests.is_none().then(|| started + Duration::from_secs(args.seconds)),
        every: args.every.map(|ms| Duration::from_millis(ms as u64)),
        times: RefCell::default(),
        errors: RefCell::default(),
        body_bytes: Cell::new(0),
    });
    let mut connections = JoinSet::new();
    for n in 0..args.connections.max(1) {
        let (work, address) = (Rc::clone(&work), args.url.address);
        // Pollers do not all ask at the same moment.
        let first = work.every.unwrap_or_default().mul_f64(n as f64 / args.connections.max(1) as f64);
        connections.spawn_local(async move {
            tokio::time::sleep(first).await;
            while !work.is_done() {
                // A connection that broke is an error of one request; the rest goes on with a new one.
                if let Err(e) = work.connection(address).await {
                    work.failed(e.to_string());
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
    }
    connections.join_all().await;
    let seconds = started.elapsed().as_secs_f64();
    let used = process.map(Process::usage).transpose()?;
    let cpu = used.zip(used_before).map(|(after, before)| after.cpu - before.cpu);
    let times = work.times.take();
    let requests = times.len() as u64;
    let errors = work.errors.take();
    let all = requests + errors.values().sum::<u64>();
    Ok(Report {
        method: args.method.to_string(),
        path: args.path,
        connections: args.connections,
        sessions: all.min(work.people.len() as u64),
        requests,
        errors,
        seconds: rounded(seconds),
        per_second: rounded(requests as f64 / seconds),
        latency: Latency::of(times),
        body_bytes: work.body_bytes.get(),
        cpu_seconds_per_1000: cpu.filter(|_| all > 0).map(|cpu| rounded(cpu / all as f64 * 1e3)),
        cpu_percent: cpu.map(|cpu| rounded(cpu / seconds * 1e2)),
    })
}

/// The request's bytes before and after the value of its cookie.
fn request(args: &HttpArgs) -> (String, String) {
    let HttpArgs { url, method, path, body, .. } = args;
    let before = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nCookie: ", url.authority);
    let after = match body {
        Some(body) => format!("\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        None if method == http::Method::GET => "\r\n\r\n".to_owned(),
        None => "\r\nContent-Length: 0\r\n\r\n".to_owned(),
    };
    (before, after)
}

impl Work {
    fn is_done(&self) -> bool {
        self.next.get() >= self.stop_at || self.until.is_some_and(|until| Instant::now() >= until)
    }

    fn failed(&self, how: String) {
        *self.errors.borrow_mut().entry(how).or_default() += 1;
    }

    /// Sends requests on one connection until all is done or the connection breaks.
    async fn connection(&self, address: std::net::SocketAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (mut request, mut answer) = (Vec::new(), Vec::with_capacity(16 * 1024));
        let mut due = Instant::now();
        while !self.is_done() {
            if let Some(every) = self.every {
                tokio::time::sleep_until(due.into()).await;
                due += every;
            }
            let n = self.next.replace(self.next.get() + 1);
            let person = &self.people[(n % self.people.len() as u64) as usize];
            request.clear();
            for part in [&self.before, &person.cookie, &self.after] {
                request.extend_from_slice(part.as_bytes());
            }
            let sent = Instant::now();
            stream.write_all(&request).await?;
            let head = read_answer(&mut stream, &mut answer).await?;
            if (200..300).contains(&head.status) {
                self.times.borrow_mut().push(sent.elapsed());
            } else {
                self.failed(head.status.to_string());
            }
            self.body_bytes.set(head.length);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes of the head itself, up to and with the empty line.
    size: usize,
    /// Bytes of the body.
    length: usize,
}

/// Reads one whole answer; `buffer` is only there to be used again.
pub(super) async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Head> {
    buffer.clear();
    let mut head = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        if head.is_none() {
            head = parse_head(buffer)?;
        }
        if let Some(head) = head.filter(|h| buffer.len() >= h.size + h.length) {
            return Ok(head);
        }
    }
}

/// The head, once all of it is there.
fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "an answer that is not understood");
    let text = str::from_utf8(&bytes[..end]).map_err(|_| strange())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|l| l.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).ok_or_else(strange)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let length = match length {
        Some(length) => length,
        None if status == 204 || status == 304 => 0,
        None => return Err(strange()),
    };
    Ok(Some(Head { status, size: end + 4, length }))
}

fn text(r: &Report) -> String {
    let ms = |ms: f64| format!("{ms:.2} ms");
    let mut rows = vec![
        ["requests/s".to_owned(), format!("{:.0}", r.per_second)],
        ["p50".to_owned(), ms(r.latency.p50_ms)],
        ["p99".to_owned(), ms(r.latency.p99_ms)],
        ["max".to_owned(), ms(r.latency.max_ms)],
        ["requests".to_owned(), r.requests.to_string()],
        ["sessions".to_owned(), r.sessions.to_string()],
    ];
    rows.extend(r.cpu_seconds_per_1000.map(|cpu| ["server's CPU per 1,000".to_owned(), format!("{cpu:.3} s")]));
    rows.extend(r.errors.iter().map(|(how, n)| [format!("failed: {how}"), n.to_string()]));
    table(["MEASURE", &format!("{} {}", r.method, r.path)], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_once_they_are_whole() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        let head = Head { status: 200, size: answer.len() - 2, length: 2 };
        assert_eq!(parse_head(answer).unwrap(), Some(head));
        assert_eq!(parse_head(&answer[..40]).unwrap(), None);
        assert_eq!(parse_head(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().map(|h| h.length), Some(0));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse_head(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
