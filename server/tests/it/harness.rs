//! A server, people, clients and sockets for tests.
//!
//! - `always`: what is checked of every answer and frame that passes through here.
//! - `socket`: a Phoenix client. `phoenix`: what such a client makes of presence. `raw`: bytes.
//! - `database`: a look past the server. `program`: the server as a process of its own. `dice`: chance with a seed.

pub(crate) mod always;
pub(crate) mod database;
pub(crate) mod dice;
pub(crate) mod phoenix;
pub(crate) mod program;
pub(crate) mod raw;
mod socket;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{Actor, settings::Settings};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use server::{
    serve::{Listeners, serve},
    settings::ServeSettings,
};
use services::{Clock, NewUser, Services};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{database::Database, dice::Dice, program::Program, raw::Raw, socket::Socket};

/// Long enough for everybody, an admin included, and in no dictionary.
pub(crate) const PASSWORD: &str = "purple-otter-sings-91";

/// Whatever is waited for comes well within this, or not at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) services: Services,
    /// What pages of this server send as `Origin`.
    pub(crate) origin: String,
    pub(crate) dir: Arc<TempDir>,
    /// Milliseconds since 1970; nothing when the clock is the system's.
    clock: Option<Arc<AtomicI64>>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl App {
    /// A server with default settings and the system's clock.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with changed settings.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeSettings)) -> Self {
        Self::build(change, None, Arc::new(tempfile::tempdir().unwrap())).await
    }

    /// A server whose clock stands still until a test moves it.
    pub(crate) async fn frozen(change: impl FnOnce(&mut ServeSettings)) -> Self {
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000));
        Self::build(change, Some(clock), Arc::new(tempfile::tempdir().unwrap())).await
    }

    async fn build(change: impl FnOnce(&mut ServeSettings), clock: Option<Arc<AtomicI64>>, dir: Arc<TempDir>) -> Self {
        let mut settings = defaults(dir.path());
        change(&mut settings);
        let base = settings.base_url.as_ref().map(|b| b.origin.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stop = CancellationToken::new();
        let (tell, told) = oneshot::channel();
        let wanted = clock.clone().map_or(Clock::System, Clock::Manual);
        let server_stop = stop.clone();
        let server = tokio::spawn(async move {
            let listeners = Listeners { main: listener, ops: None };
            let ready = async |services: &Services, address| {
                let _ = tell.send((services.clone(), address));
            };
            serve(settings, listeners, wanted, server_stop, ready).await.unwrap();
        });
        let (services, address) = told.await.unwrap();
        let origin = base.unwrap_or_else(|| format!("http://{address}"));
        Self { address, services, origin, dir, clock, stop, server }
    }

    /// A server on what another left behind.
    pub(crate) async fn on(dir: Arc<TempDir>) -> Self {
        Self::build(|_| {}, None, dir).await
    }

    /// Stops the server and starts another on the same data, on another port.
    pub(crate) async fn restart(self, change: impl FnOnce(&mut ServeSettings)) -> Self {
        let (clock, dir) = (self.clock.clone(), self.dir.clone());
        self.stop().await;
        Self::build(change, clock, dir).await
    }

    /// Moves the clock and lets everything happen that is due.
    pub(crate) async fn pass(&self, ms: i64) {
        self.clock.as_ref().expect("a frozen clock").fetch_add(ms, Ordering::SeqCst);
        self.services.presence.tick().await;
    }

    /// Makes a person with `PASSWORD`.
    pub(crate) async fn person(&self, username: &str, role: &str, organisation: Option<&str>) -> uuid::Uuid {
        let new = NewUser {
            username: username.to_owned(),
            name: Some(format!("{}{}", username[..1].to_uppercase(), &username[1..])),
            email: Some(format!("{username}@example.org")),
            role: Some(role.to_owned()),
            organisation: organisation.map(str::to_owned),
            teams: vec![],
            password: Some(PASSWORD.to_owned()),
        };
        self.add(new).await
    }

    pub(crate) async fn add(&self, new: NewUser) -> uuid::Uuid {
        self.services.accounts.add(&Actor::Operator, new).await.unwrap().id
    }

    /// A client without a session.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(self.address, &self.origin)
    }

    /// A client signed in as `username`.
    pub(crate) async fn sign_in(&self, username: &str) -> Client {
        let client = self.anonymous();
        let answer = client.log_in(username, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        client
    }

    /// Makes a person and signs them in.
    pub(crate) async fn signed_in(&self, username: &str, role: &str, organisation: Option<&str>) -> Client {
        self.person(username, role, organisation).await;
        self.sign_in(username).await
    }

    pub(crate) async fn database(&self) -> Database {
        Database::open(self.dir.path()).await
    }

    /// Stops the server as a signal would, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.server).await.expect("stops in time").unwrap();
    }
}

/// The defaults of the program on a data directory.
fn defaults(dir: &Path) -> ServeSettings {
    let flags = ["--listen", "127.0.0.1:0", "--ops-listen", "off", "--data-dir"].map(Into::into);
    let flags = flags.into_iter().chain([dir.as_os_str().to_owned()]).collect();
    server::settings::read(flags).unwrap().settings().unwrap()
}

/// Changes what the services are told.
pub(crate) fn settings(change: impl FnOnce(&mut Settings)) -> impl FnOnce(&mut ServeSettings) {
    move |s| change(&mut s.services)
}

/// Waits until `is` holds; for what happens by itself, and soon.
pub(crate) async fn until(what: &str, is: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is().await {
        assert!(started.elapsed() < PATIENCE, "{what} in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A browser, as far as HTTP goes: keeps the session cookie.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    address: SocketAddr,
    pub(crate) origin: String,
    cookie: Mutex<Option<String>>,
    /// Sent as `X-Forwarded-For`.
    pub(crate) forwarded: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// The code of an error, in either of its forms.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["error"]["code"].as_str().or(body["code"].as_str()).unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    /// The body without what differs between any two answers.
    pub(crate) fn body_without_id(&self) -> String {
        let mut body = self.json();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("request_id");
        }
        body.to_string()
    }
}

/// A client of HTTP. The program's has TLS, so ours must be told which, though no test speaks it.
pub(crate) fn http() -> reqwest::ClientBuilder {
    // Done once is done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

impl Client {
    pub(crate) fn new(address: SocketAddr, origin: &str) -> Self {
        let http = http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, address, origin: origin.to_owned(), cookie: Mutex::default(), forwarded: None }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The session cookie as `name=value`.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub(crate) fn set_cookie(&self, cookie: Option<String>) {
        *self.cookie.lock().unwrap() = cookie;
    }

    pub(crate) fn token(&self) -> String {
        self.cookie().and_then(|c| c.split_once('=').map(|(_, v)| v.to_owned())).unwrap_or_default()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, self.url(path));
        if let Some(cookie) = self.cookie() {
            request = request.header("cookie", cookie);
        }
        if let Some(forwarded) = &self.forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        request
    }

    /// Sends a request, keeps the cookie it sets, and checks what holds for every answer.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers, path) = (response.status(), response.headers().clone(), response.url().path().to_owned());
        for set in headers.get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            if let Some((name, value)) = pair.split_once('=').filter(|(n, _)| n.ends_with("rollcall")) {
                always::issued(value);
                let kept = (!value.is_empty()).then(|| format!("{name}={value}"));
                self.set_cookie(kept);
            }
        }
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        let answer = Answer { status, headers, text };
        always::check(&path, self.origin.starts_with("https"), &answer);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Opens an address as a browser does.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("accept", "text/html")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({"username": username, "password": password})).await
    }

    /// Whether the session is live, without an effect of the question other than activity.
    pub(crate) async fn is_signed_in(&self) -> bool {
        self.get("/api/v1/session").await.status == StatusCode::OK
    }

    /// The id of the current session.
    pub(crate) async fn session_id(&self) -> String {
        self.get("/api/v1/session").await.json()["session"]["id"].as_str().unwrap().to_owned()
    }

    /// Calls a server function as our own script does.
    pub(crate) async fn rpc(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.fields(name, fields).header("accept", "application/json")).await
    }

    /// Posts a plain HTML form to a server function.
    pub(crate) async fn form(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.fields(name, fields).header("accept", "text/html")).await
    }

    fn fields(&self, name: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let pair = |(k, v): &(&str, &str)| format!("{k}={}", app::routes::escape(v));
        let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
        let request = self.request(Method::POST, &format!("/rpc/{name}"));
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Opens the socket as one of our pages would.
    pub(crate) async fn socket(&self) -> Socket {
        self.try_socket(Some(&self.origin), "2.0.0").await.unwrap()
    }

    /// Opens a socket with another query than ours.
    pub(crate) async fn socket_at(&self, query: &str) -> Socket {
        self.open(&format!("/socket/websocket{query}"), Some(&self.origin), None).await.unwrap()
    }

    /// Opens a socket at another door than ours.
    pub(crate) async fn socket_of(&self, path: &str) -> Socket {
        self.open(path, Some(&self.origin), None).await.unwrap()
    }

    pub(crate) async fn try_socket(&self, origin: Option<&str>, vsn: &str) -> Result<Socket, tungstenite::Error> {
        self.open(&format!("/socket/websocket?vsn={vsn}"), origin, None).await
    }

    /// Opens a socket whose receive buffer holds no more than `buffer` bytes.
    pub(crate) async fn narrow_socket(&self, buffer: u32) -> Socket {
        self.open("/socket/websocket?vsn=2.0.0", Some(&self.origin), Some(buffer)).await.unwrap()
    }

    async fn open(&self, path: &str, origin: Option<&str>, buffer: Option<u32>) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        let headers =
            [("origin", origin), ("cookie", self.cookie().as_deref()), ("x-forwarded-for", self.forwarded.as_deref())]
                .map(|(name, value)| (name, value.map(str::to_owned)));
        for (name, value) in headers {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(buffer) = buffer {
            socket.set_recv_buffer_size(buffer).unwrap();
        }
        let stream = socket.connect(self.address).await.unwrap();
        let (stream, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Socket::new(stream))
    }
}
