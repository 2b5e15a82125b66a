//! A mail server for tests: a listener that speaks as much SMTP as a client needs, and keeps what it was given.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use services::Smtp;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) to: Vec<String>,
    pub(crate) headers: String,
    pub(crate) body: String,
}

pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: tokio::task::JoinHandle<()>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::new(Mutex::new(vec![]));
        let into = arrived.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(speak(stream, into.clone()));
            }
        });
        Self { address, arrived, task }
    }

    /// Sends by this server.
    pub(crate) fn smtp(&self) -> Smtp {
        Smtp::new(&format!("smtp://{}", self.address), "Rollcall <rollcall@example.org>").unwrap()
    }

    pub(crate) fn mails(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// Waits for the `n`th mail.
    pub(crate) async fn mail(&self, n: usize) -> Arrived {
        for _ in 0..2_000 {
            if let Some(mail) = self.mails().get(n - 1) {
                return mail.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {} mails came: {:?}", self.mails().len(), self.mails());
    }

    /// It dies; what it was given stays known.
    pub(crate) async fn die(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn speak(stream: TcpStream, into: Arc<Mutex<Vec<Arrived>>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut to = vec![];
    let _ = write.write_all(b"220 test\r\n").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let answer: &[u8] = match &*word {
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "RCPT" if line.contains("refused@") => b"550 nobody of that name\r\n",
            "RCPT" => {
                to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                b"250 ok\r\n"
            }
            "DATA" => {
                let _ = write.write_all(b"354 go on\r\n").await;
                let mut text = vec![];
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    text.push(line.strip_prefix('.').unwrap_or(&line).to_owned());
                }
                let end = text.iter().position(String::is_empty).unwrap_or(text.len());
                let (headers, body) = (text[..end].join("\n"), plain(&text[end..].join("\n"), &text[..end]));
                into.lock().unwrap().push(Arrived { to: std::mem::take(&mut to), headers, body });
                b"250 ok\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        if write.write_all(answer).await.is_err() || word == "QUIT" {
            return;
        }
    }
}

/// What a reader sees.
fn plain(body: &str, headers: &[String]) -> String {
    if !headers.iter().any(|h| h.to_lowercase().ends_with("quoted-printable")) {
        return body.to_owned();
    }
    let joined = body.replace("=\n", "");
    let mut bytes = vec![];
    let mut rest = joined.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'=', [a, b, tail @ ..]) => {
                let hex = std::str::from_utf8(&[*a, *b]).ok().and_then(|h| u8::from_str_radix(h, 16).ok());
                bytes.push(hex.unwrap_or(b'?'));
                tail
            }
            (byte, tail) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
