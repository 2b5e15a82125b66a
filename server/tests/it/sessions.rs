//! One's own sessions, and every way one of them ends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use domain::{Actor, settings::LimitPolicy, time::MINUTE};
use serde_json::json;

use crate::harness::{App, Client, PASSWORD, settings};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// One's own live sessions, the current one first, each with what is known of it.
#[tokio::test]
async fn own_sessions_are_listed() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    app.signed_in("ben", "student", None).await;
    app.pass(MINUTE).await;
    let other = app.anonymous();
    let login = other.request(reqwest::Method::POST, "/api/v1/auth/login").header("user-agent", FIREFOX);
    assert_eq!(other.send(login.json(&json!({"username": "mia", "password": PASSWORD}))).await.status, 200);
    let page = mia.get("/api/v1/sessions").await.json();
    assert_eq!((&page["total"], &page["next"]), (&json!(2), &json!(null)));
    let (first, second) = (&page["items"][0], &page["items"][1]);
    assert_eq!((&first["current"], &second["current"]), (&json!(true), &json!(false)));
    assert_eq!(first["id"].as_str().unwrap(), mia.session_id().await);
    assert_eq!(
        (&second["browser"], &second["os"], &second["ip"]),
        (&json!("Firefox"), &json!("Linux"), &json!("127.0.0.1"))
    );
    assert_eq!(second["last_activity_at"], "2027-01-15T08:01:00.000Z");
    assert!(second["device"].is_string());
}

/// Row 26: one, or all others, after a recent sign-in; without one the answer says what to do.
#[tokio::test]
async fn own_sessions_can_be_ended() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let (one, two, three) = (app.sign_in("mia").await, app.sign_in("mia").await, app.sign_in("mia").await);
    let id = one.session_id().await;
    assert_eq!(mia.delete(&format!("/api/v1/sessions/{id}")).await.status, 204);
    assert!(!one.is_signed_in().await);
    assert_eq!(mia.delete(&format!("/api/v1/sessions/{id}")).await.status, 404, "it is no longer there");
    app.pass(10 * MINUTE).await;
    let id = two.session_id().await;
    for path in [format!("/api/v1/sessions/{id}"), "/api/v1/sessions?others=true".to_owned()] {
        let answer = mia.delete(&path).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "reauth_required"), "{path}");
    }
    assert_eq!(mia.rpc("end_other_devices", &[]).await.code(), "reauth_required");
    assert!(two.is_signed_in().await && three.is_signed_in().await);
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(mia.delete("/api/v1/sessions").await.status, 400, "it must be said which");
    assert_eq!(mia.delete("/api/v1/sessions?others=false").await.status, 400);
    assert_eq!(mia.delete("/api/v1/sessions?others=true").await.status, 204);
    assert!(!two.is_signed_in().await && !three.is_signed_in().await);
    assert!(mia.is_signed_in().await);
    app.pass(10 * MINUTE).await;
    let answer = mia.delete(&format!("/api/v1/sessions/{}", mia.session_id().await)).await;
    assert_eq!(answer.code(), "reauth_required", "ten minutes are over again");
}

/// Asks in a loop until told to stop; gives how often it was let in after `ended` was raised.
fn hammer(client: Client, ended: Arc<AtomicBool>, done: Arc<AtomicBool>) -> tokio::task::JoinHandle<u64> {
    let late = AtomicU64::new(0);
    tokio::spawn(async move {
        while !done.load(Ordering::SeqCst) {
            let is_over = ended.load(Ordering::SeqCst);
            if client.is_signed_in().await && is_over {
                late.fetch_add(1, Ordering::SeqCst);
            }
        }
        late.load(Ordering::SeqCst)
    })
}

/// Row 25: after the answer that disables or deletes somebody, nothing of theirs works; enabling revives nothing.
#[tokio::test]
async fn disabling_and_deleting_work_at_once() {
    let app = App::start().await;
    for (username, delete) in [("dan", false), ("eva", true)] {
        app.person(username, "student", None).await;
        let (ended, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let mut clients = vec![];
        let mut sockets = vec![];
        for _ in 0..3 {
            let client = app.sign_in(username).await;
            sockets.push(client.socket().await);
            clients.push(hammer(client, ended.clone(), done.clone()));
        }
        let kept = app.sign_in(username).await;
        if delete {
            app.services.accounts.delete(&Actor::Operator, username).await.unwrap();
        } else {
            app.services.accounts.disable(&Actor::Operator, username).await.unwrap();
        }
        ended.store(true, Ordering::SeqCst);
        for mut socket in sockets {
            assert_eq!(socket.closed().await, Some(4001));
        }
        done.store(true, Ordering::SeqCst);
        for client in clients {
            assert_eq!(client.await.unwrap(), 0, "let in after the end");
        }
        assert_eq!(app.anonymous().log_in(username, PASSWORD).await.status, 401);
        if !delete {
            app.services.accounts.enable(&Actor::Operator, username).await.unwrap();
            assert!(!kept.is_signed_in().await, "an ended session stays ended");
            assert_eq!(app.anonymous().log_in(username, PASSWORD).await.status, 200);
        }
    }
}

/// Row 28: at the limit the least recently used session ends, and never more than the limit are live.
#[tokio::test]
async fn the_limit_ends_the_least_recently_used() {
    let app = App::frozen(settings(|s| s.session_limit = 3)).await;
    app.person("mia", "student", None).await;
    let mut clients = vec![];
    for _ in 0..3 {
        clients.push(app.sign_in("mia").await);
        app.pass(1_000).await;
    }
    assert!(clients[0].is_signed_in().await);
    app.pass(1_000).await;
    let fourth = app.sign_in("mia").await;
    let alive = [clients[0].is_signed_in().await, clients[1].is_signed_in().await, clients[2].is_signed_in().await];
    assert_eq!(alive, [true, false, true], "the second was not used for the longest time");
    assert!(fourth.is_signed_in().await);
    let live = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
    let sign_ins = (0..12).map(|_| {
        let client = app.anonymous();
        async move { client.log_in("mia", PASSWORD).await.status }
    });
    futures_util::future::join_all(sign_ins).await;
    assert_eq!(app.database().await.number(live).await, 3);
}

/// Row 28: or, by its other policy, a further sign-in is refused, and says why.
#[tokio::test]
async fn the_limit_can_refuse() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    let app = app.restart(settings(|s| (s.session_limit, s.session_limit_policy) = (2, LimitPolicy::Refuse))).await;
    let (one, two) = (app.sign_in("mia").await, app.sign_in("mia").await);
    let third = app.anonymous().log_in("mia", PASSWORD).await;
    assert!(third.status.is_client_error() && third.status != 401, "{}", third.text);
    assert!(one.is_signed_in().await && two.is_signed_in().await);
    one.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!(app.anonymous().log_in("mia", PASSWORD).await.status, 200);
}
