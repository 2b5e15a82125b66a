//! Who was here at a time, one person's day, and what a `kill -9` leaves of them.

use std::time::Duration;

use domain::{Time, time::MINUTE};
use serde_json::{Value, json};
use services::Clock;

use crate::{
    harness::{App, Client, Database, Dice, PASSWORD, Program, until},
    kill::add,
};

async fn at(who: &Client, time: &str) -> Value {
    who.get(&format!("/api/v1/admin/presence/at?time={time}")).await.json()
}

/// Everybody who was not offline, with their state then, since when, until when, and why.
#[tokio::test]
async fn who_was_here_at_a_time() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let manager = app.signed_in("max", "manager", Some("South")).await;
    let id = app.person("mia", "student", Some("North")).await;
    let mia = app.sign_in("mia").await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0, "page": "/files"})).await;
    app.pass(4 * MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({"page": "/files/17"})).await;
    app.pass(2 * MINUTE).await;
    let then = at(&admin, "2027-01-15T08:03:00Z").await;
    let idle = "2027-01-15T08:05:00.001Z";
    let expected = json!({
        "time": "2027-01-15T08:03:00.000Z",
        "total": 1,
        "by_state": {"active": 1, "away": 0, "busy": 0, "idle": 0, "unknown": 0},
        "users": [{"id": id, "username": "mia", "name": "Mia", "state": "active",
                   "since": "2027-01-15T08:00:00.000Z", "until": idle, "cause": "signed_in"}],
    });
    assert_eq!(then, expected);
    let now = at(&admin, "2027-01-15T09:06:00%2B01:00").await;
    let row = &now["users"][0];
    assert_eq!((&row["state"], &row["since"], &row["until"]), (&json!("idle"), &json!(idle), &Value::Null));
    assert_eq!(at(&admin, "2027-01-15T07:59:59.999Z").await["users"], json!([]));
    assert_eq!(at(&admin, "1999-01-01T00:00:00Z").await["users"], json!([]), "before everything");
    assert_eq!(at(&manager, "2027-01-15T08:03:00Z").await["total"], 0, "not theirs");
    for (query, status) in [
        ("?time=2027-01-15T08:06:00.001Z", 422),
        ("?time=9999-12-31T23:59:59Z", 422),
        ("?time=yesterday", 400),
        ("?time=", 400),
        ("", 400),
        ("?time=2027-01-15T08:00:00Z&limit=-1", 400),
        ("?time=2027-01-15T08:00:00Z&limit=0", 200),
        ("?time=-9999-01-01T00:00:00Z", 400),
    ] {
        assert_eq!(admin.get(&format!("/api/v1/admin/presence/at{query}")).await.status, status, "{query}");
    }

    let day = admin.get(&format!("/api/v1/admin/users/{id}/presence?day=2027-01-15")).await.json();
    let told = json!([
        {"state": "active", "from": "2027-01-15T08:00:00.000Z", "to": idle, "cause": "signed_in",
         "pages": ["/files", "/files/17"]},
        {"state": "idle", "from": idle, "to": null, "cause": "no_input", "pages": ["/files/17"]},
    ]);
    assert_eq!((&day["day"], &day["intervals"]), (&json!("2027-01-15"), &told));
    assert_eq!(day["seconds_by_state"], json!({"active": 300, "away": 0, "busy": 0, "idle": 59, "unknown": 0}));
    for (query, status) in [("?day=2027-01-16", 422), ("?day=x", 422), ("", 400), ("?day=2027-01-15&tz=x", 400)] {
        let answer = admin.get(&format!("/api/v1/admin/users/{id}/presence{query}")).await;
        assert_eq!(answer.status, status, "{query}");
    }
}

/// A stop is no offline: it ends what lasts with its own cause, and who returns begins anew.
#[tokio::test]
async fn a_stop_has_its_cause() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({"idle_ms": 0})).await;
    let cookie = mia.cookie();
    let app = app.restart(|_| {}).await;
    let causes = app.database().await.texts("SELECT state || ' ' || end_cause FROM presence_intervals").await;
    assert!(causes.contains(&"active server_restart".to_owned()), "{causes:?}");
    app.person("ada", "admin", None).await;
    let admin = app.sign_in("ada").await;
    let now = || app.services.clock.now().to_string();
    assert_eq!(at(&admin, &now()).await["by_state"]["unknown"], 1);
    let mia = app.anonymous();
    mia.set_cookie(cookie);
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({"idle_ms": 0})).await;
    let row = at(&admin, &now()).await["users"][0].clone();
    assert_eq!((&row["state"], &row["cause"]), (&json!("active"), &json!("returned")));
}

/// Killed in the middle of changes, again and again: nothing stays open, nobody was here after the kill, and what was
/// written is not lost.
#[tokio::test]
async fn a_kill_leaves_nothing_open() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("ROLLCALL_SESSION_LIMIT", "0"), ("ROLLCALL_LOG", "warn")];
    let program = Program::start(dir.path(), &variables).await;
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    let admin = Client::new(program.address, "");
    assert_eq!(admin.rpc("set_up", &fields).await.status, 200);
    program.kill();
    add(dir.path(), "mia").await;
    let database = Database::open(dir.path()).await;
    let mut dice = Dice::new(3);
    let mut before: Option<(Time, Time)> = None;
    for kill in 0..6 {
        let begun = Clock::System.now();
        let program = Program::start(dir.path(), &variables).await;
        let open = format!("SELECT count(*) FROM presence_intervals WHERE to_at IS NULL AND from_at < {}", begun.0);
        assert_eq!(database.number(&open).await, 0, "kill {kill}");
        let client = || Client::new(program.address, &format!("http://{}", program.address));
        if let Some((written, killed)) = before {
            let ada = client();
            ada.set_cookie(admin.cookie());
            let told = at(&ada, &written.to_string()).await;
            let until = told["users"][0]["until"].as_str().and_then(Time::parse);
            assert!(told["total"] == 1 && until.is_some_and(|t| written < t && t <= killed), "kill {kill}: {told}");
            assert_eq!(at(&ada, &killed.to_string()).await["total"], 0, "kill {kill}");
        }
        let mia = client();
        assert_eq!(mia.log_in("mia", PASSWORD).await.status, 200);
        let mut socket = mia.socket().await;
        socket.join("presence:me", json!({"idle_ms": 0, "page": format!("/{kill}")})).await;
        let from = format!(
            "SELECT coalesce(min(from_at), 0) FROM presence_intervals WHERE state <> 'unknown' AND from_at >= {}",
            begun.0
        );
        until("the beginning", async || database.number(&from).await > 0).await;
        let joined = Time(database.number(&from).await);
        let changes = async {
            for choice in ["busy", "available"].into_iter().cycle() {
                socket.cast("presence:me", "status", json!({"choice": choice})).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(100 + dice.below(300) as u64), changes).await;
        program.kill();
        before = Some((joined, Clock::System.now()));
    }
    let overlaps = "SELECT count(*) FROM presence_intervals a JOIN presence_intervals b \
                    ON a.user_id = b.user_id AND a.id <> b.id AND a.from_at < b.to_at AND b.from_at < a.to_at";
    assert_eq!(database.number(overlaps).await, 0);
    assert_eq!(database.number("SELECT count(*) FROM presence_intervals WHERE to_at < from_at").await, 0);
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
}
