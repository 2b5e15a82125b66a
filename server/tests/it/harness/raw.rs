//! Bytes on a connection, for what no honest client would send.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
}

/// What came back before the other side closed.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) text: String,
    /// The other side closed the connection.
    pub(crate) closed: bool,
}

impl Heard {
    /// The status of each answer.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let lines = self.text.split("HTTP/1.1 ").skip(1);
        lines.filter_map(|l| l.get(..3).and_then(|s| s.parse().ok())).collect()
    }
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }

    /// Sends as much as the other side takes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Reads until the other side closes, for as long as `patience` at most.
    pub(crate) async fn hear(&mut self, patience: Duration) -> Heard {
        let mut all = vec![];
        let mut buffer = vec![0; 16 * 1024];
        let closed = timeout(patience, async {
            while let Ok(n @ 1..) = self.stream.read(&mut buffer).await {
                all.extend_from_slice(&buffer[..n]);
            }
        })
        .await
        .is_ok();
        Heard { text: String::from_utf8_lossy(&all).into_owned(), closed }
    }

    /// Sends bytes on a new connection and reads until the other side closes it.
    pub(crate) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Heard {
        let mut raw = Self::connect(address).await;
        raw.send(bytes).await;
        raw.hear(PATIENCE).await
    }

    /// Switches to the socket protocol with this session.
    pub(crate) async fn upgrade(address: SocketAddr, cookie: &str) -> Self {
        let mut raw = Self::connect(address).await;
        let head = format!(
            "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        assert!(raw.send(head).await);
        let mut answer = vec![];
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(PATIENCE, raw.stream.read_u8()).await.unwrap().unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        raw
    }

    /// The payload of the next text frame.
    pub(crate) async fn text(&mut self, patience: Duration) -> String {
        timeout(patience, async {
            loop {
                let head = self.stream.read_u16().await.unwrap();
                let length = match head & 0x7f {
                    126 => u64::from(self.stream.read_u16().await.unwrap()),
                    127 => self.stream.read_u64().await.unwrap(),
                    n => u64::from(n),
                };
                let mut payload = vec![0; length as usize];
                self.stream.read_exact(&mut payload).await.unwrap();
                if (head >> 8) & 0x0f == 0x1 {
                    return String::from_utf8(payload).unwrap();
                }
            }
        })
        .await
        .expect("a frame in time")
    }

    /// The code of the closing frame the server sends, or nothing when the connection just ends.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        timeout(PATIENCE, async {
            loop {
                let head = self.stream.read_u16().await.ok()?;
                let length = match head & 0x7f {
                    126 => u64::from(self.stream.read_u16().await.ok()?),
                    127 => self.stream.read_u64().await.ok()?,
                    n => u64::from(n),
                };
                let mut payload = vec![0; length as usize];
                self.stream.read_exact(&mut payload).await.ok()?;
                if (head >> 8) & 0x0f == 0x8 {
                    return Some(u16::from_be_bytes([payload[0], payload[1]]));
                }
            }
        })
        .await
        .expect("closed in time")
    }
}

/// A frame as a client sends it: `first` is the byte of flags and opcode.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        n @ ..=125 => bytes.push(0x80 | n as u8),
        n @ 126..=0xffff => {
            bytes.push(0x80 | 0x7e);
            bytes.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            bytes.push(0x80 | 0x7f);
            bytes.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    // A mask of zeros is a mask.
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}
