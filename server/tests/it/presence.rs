//! One's own presence: choosing a state, with a message and an end.

use std::sync::Arc;

use domain::{
    Actor, Level,
    account::{Named, UserCard},
    time::{MINUTE, SECOND},
};
use serde_json::{Value, json};

use crate::harness::App;

/// A choice is in force at once, ends by itself, and never makes somebody appear who is not here.
#[tokio::test]
async fn a_choice_is_in_force_until_its_end() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let me = async || mia.get("/api/v1/presence/me").await.json();
    let chosen = json!({"choice": "busy", "message": "  in a lesson  ", "until": "2027-01-15T08:10:00.000Z"});
    let answer = mia.put("/api/v1/presence/me", chosen).await;
    assert_eq!(answer.status, 200);
    assert_eq!((&answer.json()["choice"], &answer.json()["message"]), (&json!("busy"), &json!("in a lesson")));
    assert_eq!(answer.json()["state"], "offline", "a choice is not being here");
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    assert_eq!(me().await["state"], "busy");
    app.pass(4 * MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({})).await;
    app.pass(4 * MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({})).await;
    assert_eq!(me().await["state"], "busy", "busy does not idle");
    app.pass(2 * MINUTE).await;
    let now = me().await;
    assert_eq!(
        (&now["choice"], &now["state"], &now["cause"]),
        (&json!("available"), &json!("idle"), &json!("choice_ended"))
    );
    assert_eq!(now["message"], Value::Null);

    for (choice, state) in [("away", "away"), ("available", "idle"), ("invisible", "idle")] {
        assert_eq!(mia.put("/api/v1/presence/me", json!({"choice": choice})).await.json()["state"], state, "{choice}");
    }
    let row = admin.get("/api/v1/admin/users/online").await.json()["users"][0].clone();
    assert_eq!(row["invisible"], true, "an admin is told");
}

/// A choice outlives the session and the server.
#[tokio::test]
async fn a_choice_survives_a_restart() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    mia.put("/api/v1/presence/me", json!({"choice": "busy", "message": "exam"})).await;
    let app = app.restart(|_| {}).await;
    let mia = app.sign_in("mia").await;
    let me = mia.get("/api/v1/presence/me").await.json();
    assert_eq!((&me["choice"], &me["message"]), (&json!("busy"), &json!("exam")));
    assert_eq!(mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await.json()["state"], "busy");
}

/// Choices have limits, and one that makes no sense changes nothing.
#[tokio::test]
async fn choices_are_checked() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let put = async |body: Value| mia.put("/api/v1/presence/me", body).await;
    assert_eq!(put(json!({"choice": "busy", "message": "ü".repeat(140)})).await.status, 200);
    for bad in [
        json!({"choice": "busy", "message": "x".repeat(141)}),
        json!({"choice": "busy", "message": "two\nlines"}),
        json!({"choice": "busy", "until": "2027-01-15T08:00:00.000Z"}),
        json!({"choice": "busy", "until": "2020-01-01T00:00:00Z"}),
        json!({"choice": "busy", "until": "tomorrow"}),
        json!({"choice": "offline"}),
        json!({"choice": "BUSY"}),
        json!({"choice": null}),
        json!({}),
        json!({"choice": "busy", "state": "active"}),
    ] {
        assert!([400, 422].contains(&put(bad.clone()).await.status.as_u16()), "{bad}");
    }
    let me = mia.get("/api/v1/presence/me").await.json();
    assert_eq!((&me["choice"], &me["message"]), (&json!("busy"), &json!("ü".repeat(140))));
}

/// The same over the socket.
#[tokio::test]
async fn the_socket_takes_choices_too() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({})).await;
    let reply = socket.push("presence:me", "status", json!({"choice": "busy", "message": "exam"})).await;
    assert_eq!((&reply["status"], &reply["response"]["state"]), (&json!("ok"), &json!("busy")));
    let reply = socket.push("presence:me", "status", json!({"choice": "dancing"})).await;
    assert_eq!(reply["status"], "error");
    assert_eq!(mia.get("/api/v1/presence/me").await.json()["message"], "exam");
}

/// The person by whom the server checks itself comes and goes, and is nobody to anybody.
#[tokio::test]
async fn the_canary_is_never_seen() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut watcher = admin.socket().await;
    watcher.join("presence:all", json!({})).await;
    assert_eq!(watcher.event("presence:all", "presence_state").await, json!({}));
    watcher.join("live:online", json!({})).await;
    assert_eq!(watcher.event("live:online", "snapshot").await["rows"], json!([]));
    for _ in 0..120 {
        app.pass(5 * SECOND).await;
        let page = admin.get("/api/v1/admin/users/online").await.json();
        assert_eq!((&page["total"], &page["users"], &page["seq"]), (&json!(0), &json!([]), &json!(0)));
        let states = page["counts"]["by_state"].as_object().unwrap();
        assert!(states.values().all(|n| *n == json!(0)), "{page}");
        assert!(!admin.get("/api/v1/admin/users").await.text.contains("anary"));
    }
    // The first that watchers hear of anybody is of somebody who exists.
    let mia = app.signed_in("mia", "student", None).await;
    mia.post("/api/v1/heartbeat", json!({})).await;
    let diff = watcher.event("presence:all", "presence_diff").await;
    assert!(diff["joins"].as_object().unwrap().len() == 1 && diff.to_string().contains("mia"), "{diff}");
    let patch = watcher.event("live:online", "patch").await;
    assert!(patch["upsert"].as_array().unwrap().len() == 1 && patch.to_string().contains("mia"), "{patch}");
}

/// A changed account shows at once to whoever watches; a deleted one is gone, and cannot be asked for.
#[tokio::test]
async fn accounts_change_while_people_are_here() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0, "page": "/files/7"})).await;
    let mut socket = admin.socket().await;
    socket.join("live:online", json!({})).await;
    let row = socket.event("live:online", "snapshot").await["rows"][0].clone();
    let card = UserCard {
        id: row["id"].as_str().unwrap().parse().unwrap(),
        username: "mia".to_owned(),
        name: "Mia Winter".to_owned(),
        email: None,
        role: "teacher".to_owned(),
        level: Level::Member,
        organisation: Some(Named { id: uuid::Uuid::from_u128(7), name: "South".to_owned() }),
        teams: vec![],
        second_factor: false,
    };
    app.services.presence.card_changed(Arc::new(card));
    let patch = socket.event("live:online", "patch").await;
    let now = &patch["upsert"][0];
    assert_eq!((&now["name"], &now["organisation"]), (&json!("Mia Winter"), &json!("South")));
    assert_eq!((&now["since"], &now["state"]), (&row["since"], &row["state"]), "no transition");
    assert_eq!((&patch["counts"]["by_role"]["teacher"], &patch["counts"]["by_org"]["South"]), (&json!(1), &json!(1)));
    let found =
        async |query: &str| admin.get(&format!("/api/v1/admin/users/online?{query}")).await.json()["total"].clone();
    assert_eq!((found("page=FILES/").await, found("page=/activity").await), (json!(1), json!(0)));
    app.services.accounts.delete(&Actor::Operator, "mia").await.unwrap();
    assert_eq!(socket.event("live:online", "patch").await["remove"], json!([row["id"]]));
    let why = format!("/api/v1/admin/users/{}/why", row["id"].as_str().unwrap());
    assert_eq!(admin.get(&why).await.status, 404);
    assert_eq!(found("").await, 0);
}
