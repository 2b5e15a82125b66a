//! Rows 43 and 44: how much may be said, and how fast.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{App, PATIENCE, settings};

/// A message of 64 KiB is heard, a larger one ends the socket with 1009.
#[tokio::test]
async fn messages_have_a_size() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let of = |n: usize| {
        let empty = r#"[null,"1","phoenix","heartbeat",{"x":""}]"#;
        empty.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(n - empty.len())))
    };
    let mut socket = mia.socket().await;
    socket.text(&of(64 * 1024)).await;
    assert_eq!(socket.frame().await[4]["status"], "ok");
    socket.text(&of(64 * 1024 + 1)).await;
    assert_eq!(socket.closed().await, Some(1009));
    let mut socket = mia.socket().await;
    // The server may close before all of it is written.
    let _ = socket.stream.send(Message::Text(of(3_000_000).into())).await;
    assert!([Some(1009), None].contains(&socket.closed().await));
    mia.socket().await.heartbeat().await;
}

/// What is no frame of the protocol ends the socket with 1007: text, binary, and JSON ten thousand deep.
#[tokio::test]
async fn malformed_messages_close_with_1007() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let deep = format!(r#"[null,"1","phoenix","heartbeat",{{"x":{}1{}}}]"#, "[".repeat(10_000), "]".repeat(10_000));
    for text in [
        "",
        "hello",
        "{}",
        "[]",
        "null",
        r#"["1","1","presence:me","phx_join"]"#,
        r#"["1","1","presence:me","phx_join",{},{}]"#,
        r#"["1","1","presence:me","phx_join",[]]"#,
        r#"["1","1","presence:me",5,{}]"#,
        r#"[{},"1","presence:me","phx_join",{}]"#,
        r#"["1","1",null,"phx_join",{}]"#,
        r#"["1","1","presence:me","phx_join",{}"#,
        &format!(r#"["1","1","{}","phx_join",{{}}]"#, "t".repeat(256)),
        &deep,
    ] {
        let mut socket = mia.socket().await;
        socket.text(text).await;
        assert_eq!(socket.closed().await, Some(1007), "{text:.60}");
    }
    for bytes in [vec![], vec![0, 1, 1, 1, 1], vec![0xff; 1_000]] {
        let mut socket = mia.socket().await;
        socket.send(Message::Binary(bytes.into())).await;
        assert_eq!(socket.closed().await, Some(1007));
    }
}

/// Row 44: two hundred messages at once end that socket with 4008, and no other.
#[tokio::test]
async fn a_flood_ends_its_own_socket_alone() {
    let app = App::start().await;
    let (mia, ben) = (app.signed_in("mia", "student", None).await, app.signed_in("ben", "student", None).await);
    let (mut flood, mut same, mut other) = (mia.socket().await, mia.socket().await, ben.socket().await);
    for n in 0..200 {
        let frame = json!([null, n.to_string(), "phoenix", "heartbeat", {}]).to_string();
        if flood.stream.send(Message::Text(frame.into())).await.is_err() {
            break;
        }
    }
    let (frames, code) = flood.ending().await;
    assert_eq!(code, Some(4008));
    assert!((100..200).contains(&frames.len()), "the first hundred are answered: {}", frames.len());
    same.heartbeat().await;
    other.heartbeat().await;
    // Pings count as well: they cost as much.
    let mut flood = mia.socket().await;
    for _ in 0..300 {
        if flood.stream.send(Message::Ping(vec![1].into())).await.is_err() {
            break;
        }
    }
    assert_eq!(flood.closed().await, Some(4008));
}

/// Row 45: the server pings, the client's pong keeps it; a client's ping is answered.
#[tokio::test]
async fn pings_go_both_ways() {
    let app = App::with(settings(|s| (s.heartbeat, s.presence.lost_after) = (100, 1_000))).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({})).await;
    socket.send(Message::Ping(b"are you there".to_vec().into())).await;
    let (mut pings, mut answered) = (0, false);
    // Longer than a silent peer would last; reading answers the server's pings.
    while pings < 15 || !answered {
        match timeout(PATIENCE, socket.stream.next()).await.unwrap().unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Pong(said) => answered = &*said == b"are you there",
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
    socket.heartbeat().await;
}

/// Row 45: a peer that is silent for longer than allowed is closed.
#[tokio::test]
async fn a_silent_peer_is_closed() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({"idle_ms": 0})).await;
    app.pass(46_000).await;
    assert_eq!(socket.closed().await, Some(1011));
}
