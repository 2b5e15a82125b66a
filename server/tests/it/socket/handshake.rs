//! Who may open a socket.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{App, Client, Raw, settings};

/// The status of a refused handshake; nothing when it is let in.
async fn refused(client: &Client, origin: Option<&str>, vsn: &str) -> Option<u16> {
    match client.try_socket(origin, vsn).await {
        Ok(_) => None,
        Err(Error::Http(answer)) => Some(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

/// Row 39: only our own pages, byte for byte; with a cookie, saying nothing is saying the wrong thing.
#[tokio::test]
async fn only_our_own_origins_may_open_one() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let port = app.address.port();
    for good in [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"), format!("http://[::1]:{port}")]
    {
        assert_eq!(refused(&mia, Some(&good), "2.0.0").await, None, "{good}");
    }
    for evil in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        "http://127.0.0.1".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{}", port - 1),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://evil.127.0.0.1:{port}"),
        format!("HTTP://127.0.0.1:{port}"),
        format!("http://LOCALHOST:{port}"),
        format!("http://user@127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}, http://127.0.0.1:{port}"),
        format!("ws://127.0.0.1:{port}"),
    ] {
        assert_eq!(refused(&mia, Some(&evil), "2.0.0").await, Some(403), "{evil}");
    }
    assert_eq!(refused(&mia, None, "2.0.0").await, Some(403), "a cookie without an origin");

    let app = App::with(|s| s.base_url = Some("https://rollcall.example".parse().unwrap())).await;
    let mia = app.signed_in("mia", "student", None).await;
    assert_eq!(refused(&mia, Some("https://rollcall.example"), "2.0.0").await, None);
    for evil in [
        "http://rollcall.example",
        "https://rollcall.example.evil",
        "https://app.rollcall.example",
        &format!("http://{}", app.address),
    ] {
        assert_eq!(refused(&mia, Some(evil), "2.0.0").await, Some(403), "{evil}");
    }
}

/// Row 40: the session is the cookie's; without a live one there is no socket.
#[tokio::test]
async fn no_session_no_socket() {
    let app = App::start().await;
    let nobody = app.anonymous();
    assert_eq!(refused(&nobody, Some(&app.origin), "2.0.0").await, Some(401));
    assert_eq!(refused(&nobody, None, "2.0.0").await, Some(401));
    nobody.set_cookie(Some(format!("rollcall={}", "A".repeat(43))));
    assert_eq!(refused(&nobody, Some(&app.origin), "2.0.0").await, Some(401));
    let mia = app.signed_in("mia", "student", None).await;
    let cookie = mia.cookie();
    mia.post("/api/v1/auth/logout", json!({})).await;
    mia.set_cookie(cookie);
    assert_eq!(refused(&mia, Some(&app.origin), "2.0.0").await, Some(401));
}

/// Versions that are not spoken, and requests that are no handshake, are refused before anything is switched.
#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    for vsn in ["3.0.0", "2.1.0", "2", "", "x", "1.9.0"] {
        assert_eq!(refused(&mia, Some(&app.origin), vsn).await, Some(403), "{vsn}");
    }
    let plain = mia.get("/socket/websocket?vsn=2.0.0").await;
    assert!(plain.status.is_client_error(), "{}", plain.status);
    let cookie = mia.cookie().unwrap();
    for header in
        ["Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Upgrade: websocket\r\n"]
    {
        let head = format!(
            "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: x\r\nOrigin: {}\r\nCookie: {cookie}\r\nConnection: Upgrade, close\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            app.origin
        );
        let heard = Raw::exchange(app.address, head.replace(header, "")).await;
        assert!(heard.statuses()[0] >= 400, "without {header}: {}", heard.text);
    }
}

/// The sub-protocol is chosen by its name alone; what came with it is not repeated.
#[tokio::test]
async fn the_protocol_is_phoenix() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let secret = STANDARD.encode("a secret");
    let head = format!(
        "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: x\r\nOrigin: {}\r\nCookie: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n\
         Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.{}\r\n\r\n",
        app.origin,
        mia.cookie().unwrap(),
        secret.trim_end_matches('=')
    );
    let mut raw = Raw::connect(app.address).await;
    raw.send(head).await;
    let mut said = String::new();
    while !said.ends_with("\r\n\r\n") {
        said.push(char::from(tokio::io::AsyncReadExt::read_u8(&mut raw.stream).await.unwrap()));
    }
    let said = said.to_lowercase();
    assert!(said.starts_with("http/1.1 101"), "{said}");
    assert!(said.contains("sec-websocket-protocol: phoenix\r\n"), "{said}");
    assert!(!said.contains("sec-websocket-extensions"), "row 43: nothing to inflate: {said}");
}

/// Row 44: a session has so many sockets, an address too; whoever has too many is told, and others are not touched.
#[tokio::test]
async fn sockets_are_limited_by_session_and_address() {
    let app = App::with(settings(|s| s.sockets_per_session = 3)).await;
    let mia = app.signed_in("mia", "student", None).await;
    let other = app.sign_in("mia").await;
    let mut open = vec![mia.socket().await, mia.socket().await, mia.socket().await];
    assert_eq!(refused(&mia, Some(&app.origin), "2.0.0").await, Some(429));
    assert_eq!(refused(&other, Some(&app.origin), "2.0.0").await, None);
    for socket in &mut open {
        socket.heartbeat().await;
    }
    open.pop().unwrap().stream.close(None).await.unwrap();
    crate::harness::until("room again", async || refused(&mia, Some(&app.origin), "2.0.0").await.is_none()).await;

    let app = App::with(settings(|s| s.sockets_per_address = 2)).await;
    let (mia, ben) = (app.signed_in("mia", "student", None).await, app.signed_in("ben", "student", None).await);
    let _open = [mia.socket().await, ben.socket().await];
    assert_eq!(refused(&mia, Some(&app.origin), "2.0.0").await, Some(429));
    assert_eq!(refused(&ben, Some(&app.origin), "2.0.0").await, Some(429));
}
