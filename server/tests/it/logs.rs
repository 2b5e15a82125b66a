//! Rows 52 and 63: what the log of a real program says, and what it does not.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Client, PASSWORD, Program};

const NEW: &str = "purple-otter-sings-92";
/// Typed into the wrong box.
const WRONG: &str = "lilac-badger-hums-37";

/// Everything with a secret in it, once, with the log as loud as it gets; then the log is searched.
async fn assert_quiet(level: &str, format: &str) {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path(), &[("ROLLCALL_LOG", level), ("ROLLCALL_LOG_FORMAT", format)]).await;
    let client = Client::new(program.address, &format!("http://{}", program.address));
    let mut secrets: Vec<String> = [PASSWORD, NEW, WRONG].map(str::to_owned).to_vec();
    let setup = program.setup.clone().unwrap();
    assert_eq!(client.get(&format!("/setup?token={setup}")).await.status, 200);
    let fields = [("token", &*setup), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(client.rpc("set_up", &fields).await.status, 200);
    secrets.extend([setup, client.token()]);
    assert_eq!(client.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_eq!(client.log_in(WRONG, WRONG).await.status, 401);
    assert_eq!(client.log_in("ada", WRONG).await.status, 401);
    assert_eq!(client.log_in("ada", PASSWORD).await.status, 200);
    secrets.push(client.token());
    assert_eq!(client.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    secrets.push(client.token());
    assert_eq!(client.post("/api/v1/auth/password", json!({"current": PASSWORD, "new": NEW})).await.status, 204);
    secrets.push(client.token());
    assert_eq!(client.form("sign_in", &[("username", "ada"), ("password", NEW), ("next", "/admin")]).await.status, 302);
    secrets.push(client.token());
    let token = client.token();
    let mut socket = client.socket().await;
    socket.join("presence:me", json!({"page": "/admin"})).await;
    // In places where no secret belongs, and people put them all the same.
    client.get(&format!("/login?token={token}")).await;
    client.get(&format!("/api/v1/session?token={token}")).await;
    let request = client.request(Method::GET, "/api/v1/session").header("authorization", format!("Bearer {token}"));
    client.send(request).await;
    client.post("/api/v1/auth/login", json!({"username": 5, "password": PASSWORD})).await;
    client.post("/api/v1/auth/login", json!({"username": "ada", "password": [PASSWORD], "extra": PASSWORD})).await;
    assert_eq!(client.rpc("reset_password", &[("token", WRONG), ("password", NEW)]).await.status, 404);
    // Lines cannot be forged by what is in an address or a header.
    client.get("/api/v1/%0a2026-01-01T00:00:00Z%20INFO%20all%20is%20well").await;
    client.get("/api/v1/%1b%5b2Jx%0d%0aX-Injected:%20a").await;
    let agent = "Mozilla\u{9}INFO forged".as_bytes().to_vec();
    client.send(client.request(Method::GET, "/login").header("user-agent", agent)).await;
    assert!(program.is_alive());
    program.kill();

    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.lines().count() > 10, "there is a log at all: {log}");
    for secret in secrets {
        let line = log.lines().find(|l| l.contains(&*secret));
        assert!(line.is_none(), "a secret in the log: {line:?}");
    }
    for line in log.lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let begins = if format == "json" { line.starts_with('{') } else { line.starts_with("20") };
        assert!(begins, "a line of its own: {line:?}");
        assert!(!line.to_lowercase().contains("cookie:"), "{line}");
    }
}

#[tokio::test]
async fn logs_hold_no_secret() {
    assert_quiet("debug", "text").await;
}

#[tokio::test]
async fn loud_logs_as_json_hold_no_secret() {
    assert_quiet("trace", "json").await;
}
