//! Row 41: every way a session ends closes its sockets at once, with their own code, and nothing comes after.

use std::time::{Duration, Instant};

use domain::{
    Actor,
    time::{MINUTE, SECOND},
};
use serde_json::{Value, json};

use crate::harness::{App, Client, PASSWORD, Socket, settings};

/// Opens sockets of a session that hear of everything they may.
async fn open(client: &Client, n: usize) -> Vec<Socket> {
    let mut sockets = vec![];
    for _ in 0..n {
        let mut socket = client.socket().await;
        socket.join("presence:me", json!({"page": "/", "idle_ms": 0})).await;
        sockets.push(socket);
    }
    sockets
}

/// All of them hear why, and then the code, within a second.
async fn assert_ended(sockets: Vec<Socket>, reason: &str, since: Instant) {
    for mut socket in sockets {
        let (frames, code) = socket.ending().await;
        assert_eq!(code, Some(4001), "{reason}");
        let ended = frames.iter().position(|f| f[3] == "ended").unwrap_or_else(|| panic!("{reason}: {frames:?}"));
        assert_eq!(frames[ended][4], json!({"reason": reason}));
        assert_eq!(ended, frames.len() - 1, "nothing after the end: {frames:?}");
    }
    assert!(since.elapsed() < Duration::from_secs(1), "{reason} took {:?}", since.elapsed());
}

#[tokio::test]
async fn signing_out_closes_its_sockets() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let other = app.sign_in("mia").await;
    let mut stays = open(&other, 1).await.remove(0);
    let sockets = open(&mia, 5).await;
    let since = Instant::now();
    assert_eq!(mia.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_ended(sockets, "logout", since).await;
    stays.heartbeat().await;
}

#[tokio::test]
async fn a_revoked_session_closes_its_sockets() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let sockets = open(&mia, 5).await;
    let since = Instant::now();
    let revoked = admin.post("/api/v1/admin/sessions/revoke", json!({"filter": {"user": "mia"}})).await;
    assert_eq!(revoked.json()["ended"], 1);
    assert_ended(sockets, "revoked", since).await;
}

#[tokio::test]
async fn ending_ones_own_session_closes_its_sockets() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let (one, two) = (app.sign_in("mia").await, app.sign_in("mia").await);
    let mut stays = open(&mia, 1).await.remove(0);
    let sockets = open(&one, 2).await;
    let since = Instant::now();
    assert_eq!(mia.delete(&format!("/api/v1/sessions/{}", one.session_id().await)).await.status, 204);
    assert_ended(sockets, "revoked", since).await;
    let sockets = open(&two, 2).await;
    let since = Instant::now();
    assert_eq!(mia.delete("/api/v1/sessions?others=true").await.status, 204);
    assert_ended(sockets, "revoked", since).await;
    stays.heartbeat().await;
}

#[tokio::test]
async fn a_disabled_or_deleted_account_closes_its_sockets() {
    let app = App::start().await;
    for (username, reason) in [("dan", "user_disabled"), ("eva", "user_deleted")] {
        let client = app.signed_in(username, "student", None).await;
        let sockets = open(&client, 5).await;
        let since = Instant::now();
        if reason == "user_disabled" {
            app.services.accounts.disable(&Actor::Operator, username).await.unwrap();
        } else {
            app.services.accounts.delete(&Actor::Operator, username).await.unwrap();
        }
        assert_ended(sockets, reason, since).await;
    }
}

#[tokio::test]
async fn changing_the_password_closes_the_others() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let other = app.sign_in("mia").await;
    let mut stays = open(&mia, 1).await.remove(0);
    let sockets = open(&other, 2).await;
    let change = json!({"current": PASSWORD, "new": "purple-otter-sings-92", "end_others": true});
    let since = Instant::now();
    assert_eq!(mia.post("/api/v1/auth/password", change).await.status, 204);
    // Two passwords are hashed before anything ends.
    assert_ended(sockets, "password_change", since.max(Instant::now())).await;
    stays.heartbeat().await;
    let token = app.services.accounts.reset_link(&Actor::Operator, "mia").await.unwrap();
    let fields = [("token", token.expose()), ("password", PASSWORD)];
    assert_eq!(app.anonymous().rpc("reset_password", &fields).await.status, 200);
    assert_ended(vec![stays], "password_change", Instant::now()).await;
}

#[tokio::test]
async fn a_sign_in_beyond_the_limit_closes_the_oldest() {
    let app = App::with(settings(|s| s.session_limit = 1)).await;
    let mia = app.signed_in("mia", "student", None).await;
    let sockets = open(&mia, 2).await;
    let other = app.sign_in("mia").await;
    assert_ended(sockets, "limit", Instant::now()).await;
    let sockets = open(&other, 2).await;
    assert_eq!(other.log_in("mia", PASSWORD).await.status, 200);
    assert_ended(sockets, "relogin", Instant::now()).await;
}

/// By the clock alone, without a request or a clean-up.
#[tokio::test]
async fn time_closes_sockets() {
    for (reason, idle) in [("idle_timeout", true), ("absolute_timeout", false)] {
        let app = App::frozen(settings(|s| {
            s.lifetimes.idle = 2 * MINUTE;
            if !idle {
                s.lifetimes.max = 2 * MINUTE;
            }
        }))
        .await;
        let mia = app.signed_in("mia", "student", None).await;
        let mut sockets = open(&mia, 3).await;
        for _ in 0..3 {
            app.pass(30 * SECOND).await;
            for socket in &mut sockets {
                let report = if idle { json!({"page": "/files"}) } else { json!({"idle_ms": 0}) };
                assert_eq!(socket.push("presence:me", "meta", report).await["status"], "ok");
            }
        }
        let since = Instant::now();
        app.pass(30 * SECOND).await;
        assert_ended(sockets, reason, since).await;
        assert!(!mia.is_signed_in().await);
    }
}

/// Row 41: whoever watches others hears nothing more of them either.
#[tokio::test]
async fn nothing_is_delivered_after_the_end() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut watcher = admin.socket().await;
    watcher.join("presence:all", json!({})).await;
    watcher.join("live:online", json!({})).await;
    // News all the time, before and after.
    let busy = tokio::spawn(async move {
        for n in 0..300 {
            mia.post("/api/v1/heartbeat", json!({"page": format!("/{n}"), "idle_ms": 0})).await;
        }
    });
    watcher.event("live:online", "patch").await;
    app.services
        .accounts
        .add(
            &Actor::Operator,
            services::NewUser { username: "root".into(), role: Some("admin".into()), ..Default::default() },
        )
        .await
        .unwrap();
    app.services.accounts.disable(&Actor::Operator, "ada").await.unwrap();
    let (frames, code) = watcher.ending().await;
    assert_eq!(code, Some(4001));
    let last: Vec<&Value> = frames.iter().rev().take(1).collect();
    assert_eq!(last[0][3], "ended", "{last:?}");
    busy.await.unwrap();
}

/// A stop says so: clients come back by themselves after 1012, and nobody was lost.
#[tokio::test]
async fn a_restart_closes_with_1012() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let (mut one, mut two) = (open(&mia, 1).await.remove(0), admin.socket().await);
    two.join("presence:all", json!({})).await;
    let (cookie, admin_cookie) = (mia.cookie(), admin.cookie());
    let since = Instant::now();
    let (app, codes) = tokio::join!(app.restart(|_| {}), async { (one.closed().await, two.closed().await) });
    assert_eq!(codes, (Some(1012), Some(1012)));
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let (mia, admin) = (app.anonymous(), app.anonymous());
    mia.set_cookie(cookie);
    admin.set_cookie(admin_cookie);
    let online = admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!((&online["users"][0]["username"], &online["users"][0]["state"]), (&json!("mia"), &json!("unknown")));
    let mut socket = open(&mia, 1).await.remove(0);
    socket.heartbeat().await;
    let online = admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!((&online["users"][0]["state"], &online["users"][0]["cause"]), (&json!("active"), &json!("returned")));
}
