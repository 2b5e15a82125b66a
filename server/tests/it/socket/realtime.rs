//! The Supabase dialect, as `@supabase/realtime-js` speaks it.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::topics::{organisation, state};
use crate::harness::{App, settings};

/// What the client sends with every join.
fn config(key: &str) -> Value {
    json!({
        "config": {
            "broadcast": {"ack": false, "self": false},
            "presence": {"key": key, "enabled": true},
            "postgres_changes": [],
            "private": false
        },
        "access_token": "somebody's"
    })
}

/// `track` makes a connection count as a join of `presence:me` does, `untrack` and leaving end that.
#[tokio::test]
async fn tracking_is_being_here() {
    let app = App::with(settings(|s| s.presence.grace = 100)).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let mut watcher = admin.socket_of("/realtime/v1/websocket?apikey=anything&vsn=2.0.0").await;
    let reply = watcher.join("realtime:all", config("chosen")).await;
    assert_eq!(reply, json!({"status": "ok", "response": {"postgres_changes": []}}));
    assert_eq!(state(&mut watcher, "realtime:all").await, json!({}));

    let topic = format!("realtime:org:{}", organisation(&mia).await);
    let mut socket = mia.socket_of("/realtime/v1/websocket?apikey=anything&vsn=2.0.0").await;
    // Somebody else's key: what is in `config` is not looked at.
    assert_eq!(socket.join(&topic, config("ada")).await["response"], json!({"postgres_changes": []}));
    assert_eq!(admin.get("/api/v1/admin/users/online").await.json()["total"], 0, "a join of a topic is not being here");
    let track = |page: Value| json!({"type": "presence", "event": "track", "payload": {"page": page, "user": "ada", "role": "admin"}});
    socket.cast(&topic, "presence", track(json!("/shop"))).await;
    let diff = watcher.event("realtime:all", "presence_diff").await;
    let joined = diff["joins"].as_object().unwrap();
    assert_eq!(joined.keys().collect::<Vec<_>>(), [&id], "the key is the session's person");
    let meta = &joined[&id]["metas"][0];
    assert_eq!((&meta["username"], &meta["page"], &meta["role"]), (&json!("mia"), &json!("/shop"), &json!("student")));
    assert!(meta.get("user").is_none(), "{meta}");
    let own = socket.event(&topic, "presence_diff").await;
    assert!(own["joins"][&id]["metas"][0].get("page").is_none(), "a member is shown what colleagues are: {own}");

    // Again, with another page; then with none that is one.
    socket.push(&topic, "presence", track(json!("/cart"))).await;
    // All of them leaves, then all of them joins.
    let (gone, come) =
        (watcher.event("realtime:all", "presence_diff").await, watcher.event("realtime:all", "presence_diff").await);
    assert_eq!((&gone["joins"], gone["leaves"].get(&id).is_some(), &come["leaves"]), (&json!({}), true, &json!({})));
    let now = &come["joins"][&id]["metas"][0];
    assert_eq!((&now["page"], now.get("phx_ref_prev")), (&json!("/cart"), None));
    assert_eq!(socket.push(&topic, "presence", track(json!({"an": "object"}))).await["status"], "ok");
    assert_eq!(socket.push(&topic, "presence", track(json!("x".repeat(600)))).await["status"], "error");
    for bad in [json!({}), json!({"event": "steal"}), json!({"event": null}), json!({"event": 1, "payload": []})] {
        assert_eq!(socket.push(&topic, "presence", bad.clone()).await["status"], "error", "{bad}");
    }
    let online = admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!((&online["total"], &online["users"][0]["devices"][0]["page"]), (&json!(1), &json!("/cart")));

    let untrack = json!({"type": "presence", "event": "untrack"});
    assert_eq!(socket.push(&topic, "presence", untrack.clone()).await["status"], "ok");
    assert_eq!(watcher.event("realtime:all", "presence_diff").await["joins"], json!({}));
    assert_eq!(socket.push(&topic, "presence", untrack.clone()).await["status"], "ok", "twice is once");
    // Whoever is here by `presence:me` as well stays.
    socket.push(&topic, "presence", track(json!("/shop"))).await;
    watcher.event("realtime:all", "presence_diff").await;
    socket.join("presence:me", json!({"page": "/me"})).await;
    socket.push(&topic, "presence", untrack).await;
    socket.push(&topic, "presence", track(json!("/shop"))).await;
    socket.push("presence:me", "phx_leave", json!({})).await;
    assert_eq!(admin.get("/api/v1/admin/users/online").await.json()["total"], 1);
    // The topic's end is the end of tracking on it.
    socket.push(&topic, "phx_leave", json!({})).await;
    crate::harness::until("gone", async || admin.get("/api/v1/admin/users/online").await.json()["total"] == 0).await;
}

/// A token is taken without a word, broadcasts are refused without harm, in text and in bytes.
#[tokio::test]
async fn what_is_not_presence_is_refused_politely() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut socket = admin.socket_of("/realtime/v1/websocket?vsn=2.0.0").await;
    let bytes = |topic: &str| {
        let mut frame = vec![3, 1, 2, topic.len() as u8, 5, 0, 1];
        frame.extend(format!("122{topic}shout{{}}").into_bytes());
        Message::Binary(frame.into())
    };
    socket.send(bytes("realtime:all")).await;
    assert_eq!(socket.frame().await[4]["response"]["reason"], "unmatched topic");
    socket.text(&json!(["1", "1", "realtime:all", "phx_join", config("k")]).to_string()).await;
    for event in ["phx_reply", "presence_state", "presence_state"] {
        assert_eq!(socket.frame().await[3], event);
    }
    socket.text(r#"["1","9","realtime:all","access_token",{"access_token":"new"}]"#).await;
    socket.text(r#"["1","10","realtime:all","broadcast",{"type":"broadcast","event":"shout","payload":{}}]"#).await;
    let reply = socket.frame().await;
    assert_eq!((&reply[1], &reply[4]["status"]), (&json!("10"), &json!("error")), "no reply to the token");
    socket.send(bytes("realtime:all")).await;
    let reply = socket.frame().await;
    assert_eq!((&reply[0], &reply[1], &reply[4]["status"]), (&json!("1"), &json!("22"), &json!("error")), "{reply}");
    socket.heartbeat().await;
    // These are events of the dialect, and of no other topic.
    socket.join("presence:all", json!({})).await;
    for event in ["presence", "access_token", "broadcast"] {
        assert_eq!(socket.push("presence:all", event, json!({"event": "track"})).await["status"], "error", "{event}");
    }
    socket.send(Message::Binary(vec![3, 200, 0, 0, 0, 0, 0].into())).await;
    assert_eq!(socket.closed().await, Some(1007), "lengths beyond the end");
}

/// Both names of a topic on one socket: each hears under its own.
#[tokio::test]
async fn both_names_are_heard() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut watcher = admin.socket().await;
    for topic in ["presence:all", "realtime:all"] {
        watcher.join(topic, json!({})).await;
        state(&mut watcher, topic).await;
    }
    admin.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let mut topics = [watcher.frame().await, watcher.frame().await].map(|f| f[2].as_str().unwrap().to_owned());
    topics.sort();
    assert_eq!(topics, ["presence:all", "realtime:all"]);
    watcher.push("presence:all", "phx_leave", json!({})).await;
    admin.put("/api/v1/presence/me", json!({"choice": "busy"})).await;
    watcher.event("realtime:all", "presence_diff").await;
}
