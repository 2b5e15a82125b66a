//! Signs of life without a socket.

use domain::time::{MINUTE, SECOND};
use serde_json::json;

use crate::harness::App;

/// A session without a socket counts as connected for the online window, in the state its input gives.
#[tokio::test]
async fn a_beat_counts_for_five_minutes() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let online = async || admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!(online().await["total"], 0, "signing in alone is not being here");
    assert_eq!(mia.post("/api/v1/heartbeat", json!({"page": "/files"})).await.json()["state"], "active");
    let page = online().await;
    let row = &page["users"][0];
    assert_eq!((&row["username"], &row["page"], &row["cause"]), (&json!("mia"), &json!("/files"), &json!("signed_in")));
    assert_eq!(row["devices"][0]["connection"], json!(null), "no socket");
    app.pass(5 * MINUTE).await;
    assert_eq!(online().await["total"], 1);
    app.pass(1).await;
    assert_eq!(online().await["total"], 0);
    let id = row["id"].as_str().unwrap();
    let why = admin.get(&format!("/api/v1/admin/users/{id}/why")).await.json();
    assert_eq!((&why["state"], &why["cause"]), (&json!("offline"), &json!("heartbeat_missed")));
}

/// Beats keep a person here; only input keeps them active.
#[tokio::test]
async fn the_state_of_a_beat_follows_its_input() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let beat = async |body: serde_json::Value| {
        mia.post("/api/v1/heartbeat", body).await.json()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(beat(json!({"idle_ms": 0})).await, "active");
    app.pass(4 * MINUTE).await;
    assert_eq!(beat(json!({"visible": true})).await, "active");
    app.pass(2 * MINUTE).await;
    assert_eq!(beat(json!({})).await, "idle", "six minutes without input");
    for _ in 0..3 {
        app.pass(4 * MINUTE).await;
        beat(json!({})).await;
    }
    assert_eq!(beat(json!({})).await, "away");
    assert_eq!(beat(json!({"idle_ms": 6 * MINUTE})).await, "idle");
    assert_eq!(beat(json!({"idle_ms": 2 * SECOND})).await, "active");
    let body = mia.send(mia.request(reqwest::Method::POST, "/api/v1/heartbeat")).await;
    assert_eq!(body.json()["state"], "active", "no body at all is a beat too");
}

/// `idle_ms` wins over `input_at`, the future is now, and what makes no sense is refused.
#[tokio::test]
async fn reports_are_checked() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    app.pass(10 * MINUTE).await;
    let beat = async |body: serde_json::Value| mia.post("/api/v1/heartbeat", body).await;
    assert_eq!(beat(json!({"input_at": "2099-01-01T00:00:00Z", "idle_ms": 6 * MINUTE})).await.json()["state"], "idle");
    assert_eq!(beat(json!({"input_at": "2099-01-01T00:00:00Z"})).await.json()["state"], "active");
    for bad in [
        json!({"idle_ms": -1}),
        json!({"idle_ms": "soon"}),
        json!({"idle_ms": 1.5}),
        json!({"idle_ms": 1e300}),
        json!({"input_at": "yesterday"}),
        json!({"input_at": 5}),
        json!({"page": 5}),
        json!({"page": "x".repeat(513)}),
        json!({"page": "/a\nb"}),
        json!({"visible": "yes"}),
    ] {
        assert_eq!(beat(bad.clone()).await.status, 422, "{bad}");
    }
    for odd in [
        json!({"idle_ms": i64::MAX}),
        json!({"input_at": "0001-01-01T00:00:00Z"}),
        json!({"page": "x".repeat(512)}),
        json!({"page": "", "visible": null}),
    ] {
        assert_eq!(beat(odd.clone()).await.status, 200, "{odd}");
    }
}

/// Beside a socket a beat keeps nothing alive: the socket is what says whether somebody is here.
#[tokio::test]
async fn a_beat_beside_a_socket_is_only_input() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({"page": "/", "idle_ms": 0})).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let page = admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!(page["users"][0]["devices"].as_array().unwrap().len(), 1);
    drop(socket);
    let total =
        async || admin.get("/api/v1/admin/users/online").await.json()["users"][0]["devices"][0]["connected"].clone();
    crate::harness::until("lost", async || total().await == json!(false)).await;
    app.pass(15 * SECOND + 1).await;
    assert_eq!(admin.get("/api/v1/admin/users/online").await.json()["total"], 0, "gone after the grace");
}
