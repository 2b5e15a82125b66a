//! Row 66: without its database the server knows nobody, says so, and comes back by itself.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database};
use serde_json::json;

use crate::harness::{App, Client, PASSWORD, until};

/// Whoever is not in memory is neither a person nor nobody: 503, with nothing of the inside (row 62).
async fn assert_unavailable(client: &Client) {
    for path in ["/api/v1/session", "/api/v1/admin/users/online", "/api/v1/sessions", "/api/v1/presence/me"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "unavailable"), "{path}");
        assert!(!answer.header("retry-after").is_empty());
    }
    for path in ["/", "/account", "/admin/live"] {
        assert_eq!(client.get(path).await.status, 503, "{path}");
    }
    assert_eq!(client.rpc("me", &[]).await.status, 503);
}

#[tokio::test]
async fn a_closed_database_is_told() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let cookie = ada.cookie();
    // A server that has not seen this session yet, and has seen the other one.
    let app = app.restart(|_| {}).await;
    let ada = app.anonymous();
    ada.set_cookie(cookie);
    let known = app.sign_in("ada").await;
    app.services.store.close().await;
    assert_unavailable(&ada).await;
    until("nobody is believed", async || known.get("/api/v1/session").await.status == 503).await;
    assert_unavailable(&known).await;
    let answer = app.anonymous().log_in("ada", PASSWORD).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "unavailable"));
    assert_eq!(app.anonymous().get("/health/live").await.status, 200, "the process is well");
    assert_eq!(app.anonymous().get("/api/v1/session").await.status, 401, "no cookie, no question");
}

/// Another process holds the database for itself: nothing hangs, nothing is lost, and it goes on when it may.
#[tokio::test]
async fn a_held_database_comes_back() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let url = format!("sqlite://{}", app.dir.path().join("rollcall.db").display());
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1);
    let holder = Database::connect(options).await.unwrap();
    holder.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let started = Instant::now();
    let answer = app.anonymous().log_in("mia", PASSWORD).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "unavailable"));
    let answer = mia.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "unavailable"));
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
    assert!(mia.cookie().is_some(), "a refused sign-out takes no cookie");
    assert!(mia.is_signed_in().await, "what was refused did not happen");
    assert_eq!(mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await.status, 200, "presence needs no database");
    holder.execute_unprepared("ROLLBACK").await.unwrap();
    until("signing in again", async || app.anonymous().log_in("mia", PASSWORD).await.status == 200).await;
    assert_eq!(mia.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert!(!mia.is_signed_in().await);
}

/// The same on PostgreSQL, where it really goes away: connections are cut and refused, and then let in again.
#[tokio::test]
async fn a_database_that_went_away_comes_back() {
    let Ok(maintenance) = std::env::var("ROLLCALL_TEST_POSTGRES") else { return };
    let name = format!("it_outage_{}", std::process::id());
    let control = Database::connect(&maintenance).await.unwrap();
    control.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = maintenance.rsplit_once('/').map(|(server, _)| format!("{server}/{name}")).unwrap();
    let app = App::with(|s| s.database_url.clone_from(&url)).await;
    let ada = app.signed_in("ada", "admin", None).await;
    let cookie = ada.cookie();
    let app = app.restart(|s| s.database_url.clone_from(&url)).await;
    let ada = app.anonymous();
    ada.set_cookie(cookie);
    let known = app.sign_in("ada").await;
    control.execute_unprepared(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await.unwrap();
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    control.execute_unprepared(&cut).await.unwrap();
    assert_unavailable(&ada).await;
    until("nobody is believed", async || known.get("/api/v1/session").await.status == 503).await;
    assert_unavailable(&known).await;
    assert_eq!(app.anonymous().log_in("ada", PASSWORD).await.status, 503);
    control.execute_unprepared(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await.unwrap();
    until("back", async || ada.is_signed_in().await && known.is_signed_in().await).await;
    assert_eq!(app.anonymous().log_in("ada", PASSWORD).await.status, 200);
    app.stop().await;
    control.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}
