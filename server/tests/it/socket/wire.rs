//! Phoenix Channels V2 on the wire, as its clients rely on it.

use serde_json::{Value, json};

use crate::harness::App;

/// Replies echo both references as they came; leaving is answered and then closed; a second join replaces the first.
#[tokio::test]
async fn joins_and_leaves_follow_the_protocol() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut s = mia.socket().await;
    s.text(r#"[null,"heartbeat:00000000-0000-0000-0000-000000000000","phoenix","heartbeat",{}]"#).await;
    let pong = json!([null, "heartbeat:00000000-0000-0000-0000-000000000000", "phoenix", "phx_reply", {"status": "ok", "response": {}}]);
    assert_eq!(s.frame().await, pong);
    s.text(r#"[7,7,"presence:me","phx_join",{}]"#).await;
    let reply = s.frame().await;
    assert_eq!(
        (&reply[0], &reply[1], &reply[3], &reply[4]["status"]),
        (&json!(7), &json!(7), &json!("phx_reply"), &json!("ok"))
    );
    assert!(reply[4]["response"]["expires_at"].is_string());
    s.text(r#"["8","8","presence:me","phx_join",{}]"#).await;
    assert_eq!(s.frame().await[1], "8");
    assert_eq!(
        s.frame().await,
        json!([7, 7, "presence:me", "phx_close", {}]),
        "the first join is closed under its own reference"
    );
    // A push of the join that was replaced is ignored; one without a reference counts.
    s.text(r#"["7","9","presence:me","meta",{"page":"/old"}]"#).await;
    s.text(r#"[null,"10","presence:me","meta",{"page":"/new"}]"#).await;
    assert_eq!(s.frame().await[1], "10");
    assert_eq!(mia.get("/api/v1/presence/me").await.json()["devices"][0]["page"], "/new");
    s.text(r#"["8","11","presence:me","phx_leave",{}]"#).await;
    assert_eq!(s.frame().await, json!(["8", "11", "presence:me", "phx_reply", {"status": "ok", "response": {}}]));
    assert_eq!(s.frame().await, json!(["8", "8", "presence:me", "phx_close", {}]));
    s.text(r#"["8","12","presence:me","phx_leave",{}]"#).await;
    assert_eq!(s.frame().await[1], "12", "leaving twice is only answered");
    s.text(r#"["8","13","presence:me","meta",{}]"#).await;
    let reply = s.frame().await;
    assert_eq!((&reply[1], &reply[4]["response"]["reason"]), (&json!("13"), &json!("unmatched topic")));
}

/// Two sockets are one person; who leaves a topic hears nothing of it any more.
#[tokio::test]
async fn a_watcher_that_leaves_hears_nothing() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut watcher = admin.socket().await;
    watcher.join("presence:all", json!({})).await;
    watcher.push("presence:all", "phx_leave", json!({})).await;
    watcher.join("live:online", json!({})).await;
    watcher.push("live:online", "phx_leave", json!({})).await;
    let (mut one, mut two) = (mia.socket().await, mia.socket().await);
    for socket in [&mut one, &mut two] {
        socket.join("presence:me", json!({"page": "/"})).await;
    }
    let online = admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!((&online["total"], online["users"][0]["devices"].as_array().unwrap().len()), (&json!(1), 2));
    watcher.cast("phoenix", "heartbeat", json!({})).await;
    loop {
        let frame = watcher.frame().await;
        match frame[3].as_str().unwrap() {
            "phx_reply" if frame[2] == "phoenix" => break,
            "presence_diff" | "patch" => panic!("{frame}"),
            _ => {}
        }
    }
}

/// Other sockets of the session hear when it is extended; a payload that does not fit is told and changes nothing.
#[tokio::test]
async fn reports_are_checked_and_extensions_told() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let (mut one, mut two) = (mia.socket().await, mia.socket().await);
    one.join("presence:me", json!({"idle_ms": 0})).await;
    two.join("presence:me", json!({"idle_ms": 0})).await;
    for _ in 0..3 {
        app.pass(30_000).await;
        one.heartbeat().await;
        two.heartbeat().await;
    }
    assert_eq!(one.push("presence:me", "meta", json!({"idle_ms": 0})).await["status"], "ok");
    assert_eq!(two.event("presence:me", "session").await["expires_at"], "2027-01-16T08:01:30.000Z");
    for bad in
        [json!({"idle_ms": -1}), json!({"page": 1}), json!({"page": "x".repeat(600)}), json!({"input_at": "soon"})]
    {
        let reply = one.push("presence:me", "meta", bad.clone()).await;
        assert_eq!((&reply["status"], &reply["response"]["reason"]), (&json!("error"), &json!("invalid")), "{bad}");
    }
    let reply = one.push("presence:me", "dance", json!({})).await;
    assert_eq!(reply["status"], "error");
    assert_eq!(mia.get("/api/v1/presence/me").await.json()["devices"][0]["page"], Value::Null);
}
