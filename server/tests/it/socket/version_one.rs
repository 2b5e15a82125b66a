//! Clients of version 1, which write and read objects: `{topic, event, payload, ref, join_ref}`.

use serde_json::{Value, json};

use crate::harness::{App, Socket};

/// Sends an object and gives the reply to it; frames before it are dropped.
async fn push(socket: &mut Socket, reference: &str, topic: &str, event: &str, payload: Value) -> Value {
    let frame = json!({"topic": topic, "event": event, "payload": payload, "ref": reference, "join_ref": "1"});
    socket.text(&frame.to_string()).await;
    loop {
        let heard = socket.frame().await;
        if heard["ref"] == reference && heard["event"] == "phx_reply" {
            return heard;
        }
    }
}

async fn event(socket: &mut Socket, topic: &str, event: &str) -> Value {
    loop {
        let heard = socket.frame().await;
        if heard["topic"] == topic && heard["event"] == event {
            return heard["payload"].clone();
        }
    }
}

/// A client that says version 1, and one that says none, do all that one of version 2 does, and read the same.
#[tokio::test]
async fn objects_say_what_arrays_do() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    for query in ["?vsn=1.0.0", ""] {
        let mut one = ada.socket_at(query).await;
        let reply = push(&mut one, "1", "presence:all", "phx_join", json!({})).await;
        assert_eq!(
            reply,
            json!({"join_ref": "1", "ref": "1", "topic": "presence:all", "event": "phx_reply",
                   "payload": {"status": "ok", "response": {}}})
        );
        assert_eq!(event(&mut one, "presence:all", "presence_state").await, json!({}));
        let mut two = ada.socket().await;
        assert_eq!(two.join("presence:all", json!({})).await["status"], "ok");
        let mut her = mia.socket_at(query).await;
        let reply = push(&mut her, "2", "presence:me", "phx_join", json!({"page": "/a, \"b\""})).await;
        assert_eq!(reply["payload"]["response"]["state"], "active", "{reply}");
        let diff = event(&mut one, "presence:all", "presence_diff").await;
        assert_eq!(diff, two.event("presence:all", "presence_diff").await);
        assert!(diff.to_string().contains(r#""page":"/a, \"b\"""#), "{diff}");
        let reply = push(&mut one, "9", "phoenix", "heartbeat", json!({})).await;
        assert_eq!(reply["payload"], json!({"status": "ok", "response": {}}));
        push(&mut one, "10", "presence:all", "phx_leave", json!({})).await;
        assert_eq!(event(&mut one, "presence:all", "phx_close").await, json!({}));
        // Gone at once and for good, so that the next round begins with nobody.
        push(&mut her, "11", "presence:me", "phx_leave", json!({})).await;
        mia.post("/api/v1/auth/logout", json!({})).await;
        let code = her.closed().await;
        assert_eq!(code, Some(4001));
        mia.set_cookie(app.sign_in("mia").await.cookie());
    }
}

/// What is no frame of its version closes the socket as malformed.
#[tokio::test]
async fn arrays_are_malformed() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    for text in
        [r#"["1","1","presence:me","phx_join",{}]"#, "[]", "{}", "x", r#"{"topic":"t","event":"e","payload":1}"#]
    {
        let mut socket = mia.socket_at("?vsn=1.0.0").await;
        socket.text(text).await;
        assert_eq!(socket.closed().await, Some(1007), "{text}");
    }
}
