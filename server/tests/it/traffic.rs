//! What the server is asked for, as the console sees it.

use serde_json::{Value, json};

use crate::harness::{App, Client};

async fn current(admin: &Client) -> Value {
    admin.get("/api/v1/admin/traffic/current").await.json()
}

/// Of a route, on the page of the last day: its requests.
async fn listed(admin: &Client, route: &str) -> bool {
    admin.page("/admin/traffic?range=day").await.text.contains(route)
}

/// Each request is counted where it belongs: by its template, with its status, and what is no request apart.
#[tokio::test]
async fn requests_are_counted() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let before = current(&admin).await;
    for field in ["active_users", "online_users", "requests_today", "errors_today", "sockets"] {
        assert!(before[field].is_u64(), "{field}: {before}");
    }
    for field in ["current_rps", "avg_response_ms", "p50_response_ms", "p95_response_ms", "p99_response_ms"] {
        assert!(before[field].as_f64().is_some_and(|v| v > 0.0), "{field}: {before}");
    }
    assert!(before["database"]["open"].as_u64() >= before["database"]["in_use"].as_u64());
    for _ in 0..5 {
        mia.get("/api/v1/sessions").await;
    }
    let stranger = app.anonymous();
    for n in 0..20 {
        stranger.get(&format!("/wp-login-{n}.php")).await;
        stranger.get(&format!("/api/v1/nothing/{n}")).await;
    }
    stranger.get("/api/v1/session").await;
    mia.get("/health/live").await;
    mia.get("/pkg/nothing.css").await;
    let after = current(&admin).await;
    let more = |field: &str| after[field].as_u64().unwrap() - before[field].as_u64().unwrap();
    // The look before is one of them; health checks and files are not.
    assert_eq!(more("requests_today"), 1 + 5 + 40 + 1);
    // What is below /api is not there; the others are sent to sign in.
    assert_eq!((more("errors_today"), more("refused_today")), (0, 20 + 1));
    let page = admin.page("/admin/traffic?range=day").await;
    assert_eq!(page.status, 200);
    for part in
        ["GET /api/v1/sessions<", "not found<", "POST /api/v1/auth/login<", "Requests per second", "connections in use"]
    {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("wp-login") && !page.text.contains("nothing"), "nobody makes up routes");
    for range in ["", "?range=week", "?range=nonsense&sort=requests"] {
        let page = admin.page(&format!("/admin/traffic{range}")).await;
        assert!(page.status == 200 && page.text.contains("Who asks most"), "{range}");
    }
}

#[tokio::test]
async fn a_series_has_its_steps() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let line = admin.get("/api/v1/admin/traffic/live?minutes=1").await.json();
    assert_eq!((&line["step"], line["items"].as_array().map(Vec::len)), (&json!(1), Some(60)));
    assert_eq!(admin.get("/api/v1/admin/traffic/live").await.json()["items"].as_array().map(Vec::len), Some(300));
    assert_eq!(admin.get("/api/v1/admin/traffic/live?minutes=30").await.json()["step"], 60);
    assert_eq!(admin.get("/api/v1/admin/traffic/live?minutes=1440").await.json()["step"], 900);
    assert_eq!(admin.get("/api/v1/admin/traffic/live?minutes=0").await.status, 422);
    assert_eq!(admin.get("/api/v1/admin/traffic/live?minutes=many").await.status, 400);
}

/// A graceful restart loses nothing.
#[tokio::test]
async fn a_restart_goes_on() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let cookie = admin.cookie();
    for _ in 0..7 {
        admin.get("/api/v1/preferences").await;
    }
    let before = current(&admin).await["requests_today"].as_u64().unwrap();
    let app = app.restart(|_| {}).await;
    let admin = app.anonymous();
    admin.set_cookie(cookie);
    let after = current(&admin).await["requests_today"].as_u64().unwrap();
    assert!(after > before || after < 5, "{before} {after}: or midnight came between");
    assert!(listed(&admin, "GET /api/v1/preferences<").await);
}

/// One sample a second for whoever joined, from the moment they do until they leave.
#[tokio::test]
async fn samples_come_each_second() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut socket = admin.socket().await;
    assert_eq!(socket.join("live:traffic", json!({})).await["status"], "ok");
    let first = socket.event("live:traffic", "sample").await;
    let second = socket.event("live:traffic", "sample").await;
    let at = |sample: &Value| sample["second"]["at"].as_str().unwrap().to_owned();
    assert!(at(&first) < at(&second) && first["sockets"] == 1, "{first} {second}");
    assert!(second["requests_today"].as_u64() > Some(0) && second["current_rps"].as_f64() > Some(0.0));
    assert!(second.get("active_users").is_none(), "who is online is told by other topics, within one's reach");
    let mut other = admin.socket().await;
    assert_eq!(other.join("live:traffic", json!({})).await["status"], "ok");
    other.event("live:traffic", "sample").await;
    assert_eq!(socket.push("live:traffic", "phx_leave", json!({})).await["status"], "ok");
    // No more after that, though somebody else still watches.
    other.event("live:traffic", "sample").await;
    assert_eq!(socket.push("phoenix", "heartbeat", json!({})).await["status"], "ok");
    other.event("live:traffic", "sample").await;
    socket.cast("phoenix", "heartbeat", json!({})).await;
    let next = socket.frame().await;
    assert_ne!(next[3], "sample", "{next}");
}
