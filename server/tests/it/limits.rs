//! How much a request may send, how slowly, and in which form.

use std::time::{Duration, Instant};

use reqwest::Method;
use server::access::routes;

use crate::{
    harness::{App, Client, PASSWORD, Raw},
    routes::{concrete, is_page},
    socket::slow::{a_watcher_that_never_reads_is_cut, a_watcher_that_reads_again_is_told_why},
};

fn head(client: &Client, method: &str, path: &str, more: &str) -> String {
    let cookie = client.cookie().map(|c| format!("Cookie: {c}\r\n")).unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{cookie}Content-Type: application/json\r\n{more}\r\n")
}

/// Row 57: what is announced as too much is refused before any of it is read, on every route.
#[tokio::test]
async fn a_gigabyte_is_refused_everywhere() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for route in routes().iter().filter(|r| r.method != "GET") {
        let request =
            head(&admin, &route.method, &concrete(&route.path), "Content-Length: 1073741824\r\nConnection: close\r\n");
        let heard = Raw::exchange(app.address, request).await;
        assert_eq!(heard.statuses(), [413], "{} {}: {}", route.method, route.path, heard.text);
        assert!(heard.text.contains("too_large") && heard.closed, "{}", heard.text);
    }
}

/// Row 57: what comes in pieces without an end is refused when it has become too much, on every route.
#[tokio::test]
async fn endless_bodies_are_cut_everywhere() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
    for route in routes().iter().filter(|r| r.method != "GET" && !is_page(r)) {
        let mut raw = Raw::connect(app.address).await;
        raw.send(head(
            &admin,
            &route.method,
            &concrete(&route.path),
            "Transfer-Encoding: chunked\r\nConnection: close\r\n",
        ))
        .await;
        // More than a file of people may have.
        for _ in 0..40 {
            if !raw.send(&chunk).await {
                break;
            }
        }
        let heard = raw.hear(crate::harness::PATIENCE).await;
        let status = heard.statuses().first().copied();
        assert!(status.is_none_or(|s| s < 500), "{} {}: {}", route.method, route.path, heard.text);
        assert!(heard.closed, "{} {}", route.method, route.path);
        if !admin.is_signed_in().await {
            assert_eq!(admin.log_in("ada", PASSWORD).await.status, 200);
        }
    }
}

/// Rows 4 and 57: a megabyte of password costs no hash; rows of other sizes are told what is too large.
#[tokio::test]
async fn a_megabyte_of_password_is_refused_at_once() {
    let app = App::start().await;
    let client = app.anonymous();
    let started = Instant::now();
    let answer = client.log_in("mia", &"x".repeat(1_000_000)).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (413, "too_large"));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(client.log_in("mia", &"x".repeat(200_000)).await.status, 401);
    assert_eq!(client.rpc("sign_in", &[("username", "mia"), ("password", &"x".repeat(1_000_000))]).await.status, 413);
}

/// Bodies that say they are packed are not unpacked.
#[tokio::test]
async fn packed_bodies_are_not_unpacked() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    // {} in gzip.
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0].to_vec();
    let request = mia.request(Method::POST, "/api/v1/heartbeat").header("content-type", "application/json");
    let answer = mia.send(request.header("content-encoding", "gzip").body(packed)).await;
    assert!([400, 415].contains(&answer.status.as_u16()), "{}", answer.text);
}

/// Rows 45 and 58: whoever is slow is given up. One test, because all of them wait, and can wait together.
#[tokio::test]
async fn slow_clients_are_given_up() {
    tokio::join!(
        slow_heads_are_closed(),
        slow_bodies_are_given_up(),
        a_watcher_that_never_reads_is_cut(),
        a_watcher_that_reads_again_is_told_why()
    );
}

/// A head that dribbles in, and a connection that says nothing, are closed within thirty seconds; meanwhile hundreds of
/// them keep nobody else waiting.
async fn slow_heads_are_closed() {
    let app = App::start().await;
    let mut idle = vec![];
    for _ in 0..300 {
        idle.push(Raw::connect(app.address).await);
    }
    let address = app.address;
    let started = Instant::now();
    let dribble = tokio::spawn(async move {
        let mut raw = Raw::connect(address).await;
        raw.send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
        let mut every = tokio::time::interval(Duration::from_secs(2));
        loop {
            tokio::select! {
                _ = every.tick() => { raw.send("y").await; }
                heard = raw.hear(Duration::from_secs(30)) => return (heard, started.elapsed()),
            }
        }
    });
    let kept = tokio::spawn(async move {
        // After an answer the next head has as long.
        let mut raw = Raw::connect(address).await;
        raw.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        (raw.hear(Duration::from_secs(30)).await, started.elapsed())
    });
    let client = app.anonymous();
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(client.get("/health/live").await.status, 200);
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
    for (heard, took) in [dribble.await.unwrap(), kept.await.unwrap()] {
        assert!(heard.closed && took < Duration::from_secs(30), "{took:?}: {}", heard.text);
    }
    for mut raw in idle {
        assert!(raw.hear(Duration::from_secs(8)).await.closed, "it never said a word");
    }
}

/// A body that does not come is given up with 408.
async fn slow_bodies_are_given_up() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let started = Instant::now();
    let mut raw = Raw::connect(app.address).await;
    raw.send(head(&mia, "POST", "/api/v1/heartbeat", "Content-Length: 100\r\n")).await;
    raw.send("{").await;
    let heard = raw.hear(Duration::from_secs(45)).await;
    assert_eq!(heard.statuses(), [408], "{}", heard.text);
    assert!(heard.text.contains("request_id") && heard.closed);
    assert!(started.elapsed() < Duration::from_secs(40));
}

/// Row 59: a request whose end can be read in two ways is no request, and nothing after it is read.
#[tokio::test]
async fn smuggled_requests_are_refused() {
    let app = App::start().await;
    let second = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    let of = |headers: &str, body: &str| {
        format!("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}{second}")
    };
    for (what, request) in [
        ("length and chunks", of("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("chunks and length", of("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")),
        ("two lengths", of("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")),
        ("a list of lengths", of("Content-Length: 5, 6\r\n", "hello")),
        ("a signed length", of("Content-Length: +5\r\n", "hello")),
        ("a negative length", of("Content-Length: -5\r\n", "hello")),
        ("a length that is none", of("Content-Length: 0x5\r\n", "hello")),
        ("an unknown coding", of("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
        ("a coding after chunks", of("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")),
        ("a space before the colon", of("Content-Length : 5\r\n", "hello")),
        ("a folded header", of("X-A: b\r\n Content-Length: 5\r\n", "hello")),
        ("a bad chunk", of("Transfer-Encoding: chunked\r\n", "zz\r\nhello\r\n0\r\n\r\n")),
        ("a signed chunk", of("Transfer-Encoding: chunked\r\n", "-1\r\nhello\r\n0\r\n\r\n")),
        ("a NUL in a header", of("X-A: a\0b\r\nContent-Length: 0\r\n", "")),
        ("no version", format!("GET /\r\n\r\n{second}")),
        ("two versions on", format!("GET / HTTP/3.0\r\nHost: x\r\n\r\n{second}")),
    ] {
        let heard = Raw::exchange(app.address, request).await;
        let statuses = heard.statuses();
        assert!(statuses.len() <= 1 && statuses.iter().all(|s| *s >= 400 && *s < 500), "{what}: {}", heard.text);
        assert!(heard.closed, "{what}");
    }
    assert_eq!(app.anonymous().get("/health/live").await.status, 200);
}

/// Row 59: methods that mean nothing here are refused, and none echoes what it was sent.
#[tokio::test]
async fn unknown_methods_are_refused() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    for method in ["TRACE", "PROPFIND", "FOO", "get", "PATCH"] {
        for path in [
            "/api/v1/session",
            "/api/v1/auth/login",
            "/rpc/sign_in",
            "/pkg/x.js",
            "/socket/websocket",
            "/health/live",
            "/login",
            "/",
        ] {
            let request = mia
                .request(Method::from_bytes(method.as_bytes()).unwrap(), path)
                .header("x-echo", "marker-in-a-header");
            let answer = mia.send(request).await;
            assert!([404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
            assert!(!answer.text.contains("marker-in-a-header"));
        }
    }
    let connect =
        Raw::exchange(app.address, "CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(connect.statuses().iter().all(|s| *s >= 400), "{}", connect.text);
}

/// Heads have limits: many headers, long ones, long addresses.
#[tokio::test]
async fn heads_have_a_size() {
    let app = App::start().await;
    let many = "X-Many: y\r\n".repeat(500);
    for (what, request) in [
        ("many headers", format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")),
        ("a long header", format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "y".repeat(200_000))),
        ("a long address", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(200_000))),
    ] {
        let heard = Raw::exchange(app.address, request).await;
        assert!(heard.statuses().iter().all(|s| (400..500).contains(s)) && heard.closed, "{what}: {}", heard.text);
    }
    let long = app.anonymous().get(&format!("/login?next=/{}", "y".repeat(8_000))).await;
    assert!(!long.status.is_server_error());
}

/// Row 61: what is for operators is on another listener, and nobody outside learns a version.
#[tokio::test]
async fn operations_are_not_public() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for path in [
        "/metrics",
        "/health/ready",
        "/health/",
        "/health/x",
        "/debug/pprof",
        "/.env",
        "/.git/config",
        "/server-status",
    ] {
        for client in [&admin, &app.anonymous()] {
            let answer = client.get(path).await;
            assert!([303, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
            assert!(!answer.text.contains("rollcall_"), "{path}");
        }
    }
    let live = app.anonymous().get("/health/live").await;
    assert_eq!((live.status.as_u16(), live.text.len() < 20), (200, true), "without detail");
}
