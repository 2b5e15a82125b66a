//! A browser, as far as the server can tell: it signs in over HTTP and keeps a socket.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE, USER_AGENT},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, interval_at, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::cast::Device;
use crate::cli::fetch::{self, Answer};

/// As the protocol's own clients do.
const HEARTBEAT: Duration = Duration::from_secs(25);

/// Why a browser cannot go on.
pub(super) enum Lost {
    /// The password is not taken: the account is disabled or gone.
    Refused,
    /// The connection or the session ended.
    Gone,
}

/// One browser.
pub(super) struct Browser<'a> {
    pub(super) server: SocketAddr,
    pub(super) device: &'a Device,
    pub(super) password: &'a str,
    cookie: Option<HeaderValue>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(server: SocketAddr, device: &'a Device, password: &'a str) -> Self {
        Self { server, device, password, cookie: None }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(self.device.user_agent));
        let pairs = [
            (ORIGIN, format!("http://localhost:{}", self.server.port())),
            (HeaderName::from_static("x-forwarded-for"), self.device.address.clone()),
        ];
        for (name, value) in pairs {
            headers.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
        }
        headers.extend(self.cookie.clone().map(|cookie| (COOKIE, cookie)));
        headers
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Answer, Lost> {
        let mut headers = self.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = Bytes::from(body.to_string());
        fetch::send(self.server, Method::POST, path, headers, body).await.map_err(|_| Lost::Gone)
    }

    /// Sends a file of text to one of the two doors for files, filed under `label`.
    pub(super) async fn send_file(&self, path: &str, label: (&str, &str), name: &str, text: &str) -> Result<(), Lost> {
        const EDGE: &str = "----what-no-file-of-ours-holds";
        let mut headers = self.headers();
        let kind = format!("multipart/form-data; boundary={EDGE}");
        headers.extend(HeaderValue::from_str(&kind).ok().map(|value| (CONTENT_TYPE, value)));
        let (field, value) = label;
        let body = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n--{EDGE}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{text}\r\n--{EDGE}--\r\n"
        );
        // Refused or not, the person goes on.
        fetch::send(self.server, Method::POST, path, headers, Bytes::from(body)).await.map(drop).map_err(|_| Lost::Gone)
    }

    /// Signs in, unless a session is there.
    pub(super) async fn sign_in(&mut self) -> Result<(), Lost> {
        if self.cookie.is_some() {
            return Ok(());
        }
        let who = json!({ "username": self.device.person.username, "password": self.password });
        let answer = self.post("/api/v1/auth/login", &who).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(Lost::Refused);
        }
        let set = answer.headers.get(SET_COOKIE).and_then(|v| v.to_str().ok()).ok_or(Lost::Gone)?;
        let pair = set.split(';').next().unwrap_or_default();
        self.cookie = Some(HeaderValue::from_str(pair).map_err(|_| Lost::Gone)?);
        Ok(())
    }

    pub(super) async fn sign_out(&mut self) {
        // Signed out or not, this browser forgets its cookie.
        let _ = self.post("/api/v1/auth/logout", &json!({})).await;
        self.cookie = None;
    }

    /// The session ended elsewhere.
    pub(super) fn forget(&mut self) {
        self.cookie = None;
    }

    /// Opens a socket and joins, on `page`.
    pub(super) async fn connect(&self, page: &str) -> Result<Tab, Lost> {
        let stream = TcpStream::connect(self.server).await.map_err(|_| Lost::Gone)?;
        let url = format!("ws://{}/socket/websocket?vsn=2.0.0", self.server);
        let mut request = url.into_client_request().map_err(|_| Lost::Gone)?;
        request.headers_mut().extend(self.headers());
        let (socket, _) = client_async(request, stream).await.map_err(|_| Lost::Gone)?;
        let mut tab = Tab { socket, sent: 0, beat: Instant::now() + HEARTBEAT };
        tab.push("phx_join", &json!({ "page": page, "visible": true, "idle_ms": 0 })).await?;
        Ok(tab)
    }
}

/// One open tab.
pub(super) struct Tab {
    socket: WebSocketStream<TcpStream>,
    sent: u64,
    beat: Instant,
}

impl Tab {
    /// Tells the server something about this tab.
    pub(super) async fn push(&mut self, event: &str, payload: &Value) -> Result<(), Lost> {
        self.send("presence:me", event, payload).await
    }

    async fn send(&mut self, topic: &str, event: &str, payload: &Value) -> Result<(), Lost> {
        self.sent += 1;
        let joined = (topic == "presence:me").then_some("1");
        let frame = json!([joined, self.sent.to_string(), topic, event, payload]).to_string();
        self.socket.send(Message::text(frame)).await.map_err(|_| Lost::Gone)
    }

    /// Lets time pass: the socket stays alive, the person does nothing.
    pub(super) async fn rest(&mut self, pause: Duration) -> Result<(), Lost> {
        let until = Instant::now() + pause;
        let mut beats = interval_at(self.beat, HEARTBEAT);
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(()),
                beat = beats.tick() => {
                    self.beat = beat + HEARTBEAT;
                    self.send("phoenix", "heartbeat", &json!({})).await?;
                }
                // Reading also answers the server's pings.
                message = self.socket.next() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Lost::Gone),
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    /// Closes the tab, as a browser does.
    pub(super) async fn close(mut self) {
        // The connection is given up either way.
        let _ = self.socket.close(None).await;
    }
}
