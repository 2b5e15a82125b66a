//! The current session: how long it lasts, what extends it, and what an app keeps with it.

use domain::{
    Time,
    settings::{Lifetimes, Settings},
    time::{DAY, HOUR, MINUTE, SECOND},
};
use serde_json::{Value, json};

use crate::harness::{App, Client, PASSWORD, settings};

async fn expires_at(client: &Client) -> Time {
    let me = client.get("/api/v1/session").await.json();
    Time::parse(me["session"]["expires_at"].as_str().unwrap()).unwrap()
}

/// Row 21: requests extend a session; after 24 hours without one it is over.
#[tokio::test]
async fn a_session_ends_after_its_idle_time() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    for _ in 0..3 {
        app.pass(24 * HOUR - 1).await;
        assert!(mia.is_signed_in().await);
    }
    app.pass(24 * HOUR).await;
    assert_eq!(mia.get("/api/v1/session").await.code(), "unauthenticated");
    assert_eq!(mia.get("/").await.status, 303);
}

/// Row 21: signs of life do not extend it: neither heartbeats nor what a socket sends by itself.
#[tokio::test]
async fn signs_of_life_do_not_extend_a_session() {
    let app = App::frozen(settings(|s| s.lifetimes.idle = 2 * MINUTE)).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({"idle_ms": 0})).await;
    for seconds in (0..120).step_by(30) {
        socket.heartbeat().await;
        let beat = mia.post("/api/v1/heartbeat", json!({"idle_ms": seconds * 1_000, "visible": true})).await.json();
        assert_eq!(beat["expires_at"], "2027-01-15T08:02:00.000Z", "{seconds}");
        assert_eq!(socket.push("presence:me", "meta", json!({"page": "/files"})).await["status"], "ok");
        app.pass(30 * SECOND).await;
    }
    assert_eq!(socket.closed().await, Some(4001));
    assert!(!mia.is_signed_in().await);
}

/// Input extends it, over the socket and by heartbeat, and by as much as there was.
#[tokio::test]
async fn input_extends_a_session() {
    let app = App::frozen(settings(|s| s.lifetimes.idle = 2 * MINUTE)).await;
    let mia = app.signed_in("mia", "student", None).await;
    app.pass(90 * SECOND).await;
    let beat = mia.post("/api/v1/heartbeat", json!({"idle_ms": 10_000})).await.json();
    assert_eq!(beat["expires_at"], "2027-01-15T08:03:20.000Z");
    // What is said of the past takes nothing back, and what is said of the future is now.
    let beat = mia.post("/api/v1/heartbeat", json!({"idle_ms": 80_000})).await.json();
    assert_eq!(beat["expires_at"], "2027-01-15T08:03:20.000Z");
    let beat = mia.post("/api/v1/heartbeat", json!({"input_at": "2099-01-01T00:00:00Z"})).await.json();
    assert_eq!(beat["expires_at"], "2027-01-15T08:03:30.000Z");
    let mut socket = mia.socket().await;
    app.pass(20 * SECOND).await;
    socket.join("presence:me", json!({"idle_ms": 0})).await;
    app.pass(30 * SECOND).await;
    let reply = socket.push("presence:me", "meta", json!({"idle_ms": 0})).await;
    assert_eq!(reply["response"]["expires_at"], "2027-01-15T08:04:20.000Z");
    app.pass(40 * SECOND).await;
    assert!(mia.is_signed_in().await);
}

/// Row 22: whatever is done, 30 days are the end, and a day for admins.
#[tokio::test]
async fn no_session_outlives_its_absolute_end() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let ada = app.signed_in("ada", "admin", None).await;
    app.pass(23 * HOUR).await;
    assert!(ada.is_signed_in().await && mia.is_signed_in().await);
    assert_eq!(expires_at(&ada).await, Time::parse("2027-01-16T08:00:00Z").unwrap());
    app.pass(HOUR - 1).await;
    assert!(ada.is_signed_in().await);
    app.pass(1).await;
    assert!(!ada.is_signed_in().await);
    for _ in 0..29 {
        assert!(mia.is_signed_in().await);
        app.pass(DAY - 1).await;
    }
    assert!(mia.is_signed_in().await);
    app.pass(30).await;
    assert!(!mia.is_signed_in().await);
}

/// A remembered sign-in may idle for 14 days, and keeps its cookie; without it the cookie goes with the browser.
#[tokio::test]
async fn a_remembered_session_lasts_longer() {
    let app = App::frozen(|_| {}).await;
    app.person("mia", "student", None).await;
    let client = app.anonymous();
    let login = json!({"username": "mia", "password": PASSWORD, "remember": true});
    let answer = client.post("/api/v1/auth/login", login.clone()).await;
    assert!(answer.header("set-cookie").contains("Max-Age=1209600"), "{:?}", answer.headers);
    app.pass(14 * DAY - 1).await;
    assert!(client.is_signed_in().await);
    app.pass(14 * DAY).await;
    assert!(!client.is_signed_in().await);
    // Where remembering is off, asking for it changes nothing.
    let app = app.restart(settings(|s: &mut Settings| s.lifetimes = Lifetimes::strict())).await;
    let client = app.anonymous();
    let answer = client.post("/api/v1/auth/login", login).await;
    assert!(!answer.header("set-cookie").contains("Max-Age"), "{:?}", answer.headers);
    app.pass(HOUR).await;
    assert!(!client.is_signed_in().await);
}

/// Row 23: the times decide; no clean-up is needed for a session to be over everywhere.
#[tokio::test]
async fn an_expired_session_is_over_before_any_clean_up() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    app.pass(24 * HOUR).await;
    let ada = app.signed_in("ada", "admin", None).await;
    let again = app.sign_in("mia").await;
    assert_eq!(mia.get("/api/v1/session").await.status, 401);
    assert_eq!(again.get("/api/v1/sessions").await.json()["total"], 1);
    let live = ada.get("/api/v1/admin/sessions?state=live").await.json();
    assert_eq!(live["total"], 2);
    let ended = ada.get("/api/v1/admin/sessions?state=ended").await.json();
    assert_eq!((&ended["total"], &ended["items"][0]["username"]), (&json!(1), &json!("mia")));
    let revoke = json!({"filter": {"user": "mia"}, "dry_run": true});
    assert_eq!(ada.post("/api/v1/admin/sessions/revoke", revoke).await.json()["ended"], 1);
    let unmarked = app.database().await.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await;
    assert_eq!(unmarked, 3, "nothing has marked it yet");
    let done = ada.post("/api/v1/admin/sessions/cleanup", json!({})).await.json();
    assert_eq!(done, json!({"ended": 1, "deleted": 0}));
}

/// A session is over after a restart exactly when it was before, and is still there when it was not.
#[tokio::test]
async fn sessions_survive_a_restart() {
    let app = App::frozen(|_| {}).await;
    let (mia, ben) = (app.signed_in("mia", "student", None).await, app.signed_in("ben", "student", None).await);
    app.pass(HOUR).await;
    assert!(mia.is_signed_in().await);
    ben.post("/api/v1/auth/logout", json!({})).await;
    let (kept, ended) = (mia.cookie(), ben.token());
    let app = app.restart(|_| {}).await;
    let client = app.anonymous();
    client.set_cookie(kept);
    assert_eq!(expires_at(&client).await, Time::parse("2027-01-16T09:00:00Z").unwrap(), "activity was written on stop");
    client.set_cookie(Some(format!("rollcall={ended}")));
    assert!(!client.is_signed_in().await);
}

/// What an app keeps with a session: any JSON, up to its limits, for this session alone.
#[tokio::test]
async fn session_data_has_limits() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let at = |key: &str| format!("/api/v1/session/data/{key}");
    assert_eq!(mia.get(&at("colour")).await.status, 404);
    assert_eq!(mia.delete(&at("colour")).await.status, 404);
    for value in [json!("blue"), json!(null), json!({"a": [1, 2.5, true, "ü\u{1F980}"]}), json!([]), json!(0)] {
        assert_eq!(mia.put(&at("colour"), value.clone()).await.status, 204);
        assert_eq!(mia.get(&at("colour")).await.json(), value);
    }
    let of = |n: usize| Value::String("x".repeat(n - 2));
    assert_eq!(mia.put(&at("big"), of(16 * 1024)).await.status, 204);
    let answer = mia.put(&at("big"), of(16 * 1024 + 1)).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (413, "too_large"));
    assert_eq!(mia.get(&at("big")).await.text.len(), 16 * 1024, "what was there stays");
    for key in ["a%20b", "%2e%2e%2fx", "%00", "k%C3%BC", &"k".repeat(65), "a%3Bb"] {
        assert!([404, 422].contains(&mia.put(&at(key), json!(1)).await.status.as_u16()), "{key}");
    }
    assert_eq!(mia.put(&at(&"k".repeat(64)), json!(1)).await.status, 204);
    assert_eq!(mia.put(&at("A.b_c-1"), json!(1)).await.status, 204);
    let mut kept = 4;
    while mia.put(&at(&format!("key{kept}")), json!(kept)).await.status == 204 {
        kept += 1;
        assert!(kept <= 64, "there is a limit");
    }
    assert_eq!(kept, 64);
    assert_eq!(mia.put(&at("colour"), json!("red")).await.status, 204, "what is there can change");
    assert_eq!(mia.delete(&at("colour")).await.status, 204);
    assert_eq!(mia.get(&at("colour")).await.status, 404);
    assert_eq!(mia.put(&at("new"), json!(1)).await.status, 204, "there is room again");
    assert_eq!(app.sign_in("mia").await.get(&at("big")).await.status, 404, "another session has its own");
}
