//! Row 64: what was done is written down: who, what, to whom, from where.

use domain::Actor;
use serde_json::json;

use crate::harness::{App, PASSWORD};

#[tokio::test]
async fn every_act_has_its_row() {
    let app = App::start().await;
    let token = app.services.accounts.setup_token().await.unwrap().unwrap();
    let ada = app.anonymous();
    let fields = [("token", token.expose()), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(ada.rpc("set_up", &fields).await.status, 200);
    let mia = app.signed_in("mia", "student", None).await;
    app.sign_in("mia").await;
    assert_eq!(app.anonymous().log_in("mia", "wrong").await.status, 401);
    assert_eq!(app.anonymous().log_in("nobody", "wrong").await.status, 401);
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": "wrong"})).await.status, 403);
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(mia.delete("/api/v1/sessions?others=true").await.status, 204);
    let new = "purple-otter-sings-92";
    assert_eq!(mia.post("/api/v1/auth/password", json!({"current": PASSWORD, "new": new})).await.status, 204);
    assert_eq!(mia.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_eq!(mia.log_in("mia", new).await.status, 200);
    assert_eq!(ada.post("/api/v1/admin/sessions/revoke", json!({"filter": {"user": "mia"}})).await.status, 200);
    assert_eq!(ada.post("/api/v1/admin/sessions/cleanup", json!({})).await.status, 200);
    let link = app.services.accounts.reset_link(&Actor::Operator, "mia").await.unwrap();
    assert_eq!(
        app.anonymous().rpc("reset_password", &[("token", link.expose()), ("password", PASSWORD)]).await.status,
        200
    );
    app.services.accounts.disable(&Actor::Operator, "mia").await.unwrap();
    app.services.accounts.enable(&Actor::Operator, "mia").await.unwrap();
    app.services.accounts.delete(&Actor::Operator, "mia").await.unwrap();

    let rows = app
        .database()
        .await
        .texts("SELECT actor || ' ' || action || ' ' || coalesce(subject, '') FROM audit ORDER BY at, id")
        .await;
    let acts: Vec<String> = rows.iter().map(|r| r.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    for (act, times) in [
        ("ada set_up", 1),
        ("ada sign_in", 1),
        ("operator user_added", 1),
        ("mia sign_in", 3),
        ("anonymous sign_in_failed", 2),
        ("anonymous password_not_confirmed", 1),
        ("mia password_confirmed", 1),
        ("mia own_sessions_ended", 1),
        ("mia password_changed", 1),
        ("mia sign_out", 1),
        ("ada sessions_revoked", 1),
        ("ada sessions_cleaned_up", 1),
        ("operator reset_link_made", 1),
        ("mia password_reset", 1),
        ("operator user_disabled", 1),
        ("operator user_enabled", 1),
        ("operator user_deleted", 1),
    ] {
        assert_eq!(acts.iter().filter(|a| *a == act).count(), times, "{act} in {rows:#?}");
    }
    // What was typed where a name was expected may be a password, and is not repeated.
    assert!(
        rows.iter().any(|r| r == "anonymous sign_in_failed mia") && rows.iter().all(|r| !r.contains("nobody")),
        "{rows:#?}"
    );
}
