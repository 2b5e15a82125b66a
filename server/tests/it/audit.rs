//! Row 64: what was done is written down: who, what, to whom, from where.

use domain::Actor;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{App, Client, PASSWORD};

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
        .texts("SELECT actor || ' ' || action || ' ' || coalesce(subject, '') FROM audit ORDER BY seq")
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
    let verified = app.services.audit.verify(&Actor::Operator, None).await.unwrap();
    assert_eq!((verified.entries, verified.fault), (rows.len() as i64, None));
    // What was typed where a name was expected may be a password, and is not repeated.
    assert!(
        rows.iter().any(|r| r == "anonymous sign_in_failed mia") && rows.iter().all(|r| !r.contains("nobody")),
        "{rows:#?}"
    );
}

async fn list(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/api/v1/admin/audit{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

/// The contract's list, with the filters it names.
#[tokio::test]
async fn admins_read_it_by_filter_and_page() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    app.signed_in("mia", "student", None).await;
    app.anonymous().log_in("mia", "wrong").await;
    let answer = ada.get("/api/v1/admin/audit?limit=2").await.json();
    assert_eq!((&answer["total"], answer["items"].as_array().unwrap().len()), (&json!(5), 2), "{answer}");
    let first = &answer["items"][0];
    assert_eq!(
        (&first["seq"], &first["action"], &first["subject"]),
        (&json!(5), &json!("sign_in_failed"), &json!("mia"))
    );
    assert_eq!(first["details"], json!({"reason": "wrong_password"}));
    assert!(first["hash"].as_str().unwrap().len() == 64 && first["ip"] == "127.0.0.1");
    let next = list(&ada, &format!("?limit=200&cursor={}", answer["next"].as_str().unwrap())).await;
    assert_eq!(next.iter().map(|r| r["seq"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(list(&ada, "?actor=mia&action=sign_in").await.len(), 1);
    assert_eq!(list(&ada, "?subject=mia").await.len(), 2);
    assert_eq!(list(&ada, "?q=WRONG").await.len(), 1);
    assert_eq!(list(&ada, "?from=2100-01-01T00:00:00Z").await.len(), 0);
    assert_eq!(list(&ada, "?to=2100-01-01T00:00:00Z").await.len(), 5);
    assert_eq!(ada.get("/api/v1/admin/audit?cursor=x").await.status, 400);
}

/// Row 64: a no is on record, once an hour for each door, and without anything that was typed.
#[tokio::test]
async fn refusals_and_looks_are_on_record() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        assert_eq!(mia.get("/api/v1/admin/sessions?q=secret").await.status, 403);
        assert_eq!(mia.rpc("why", &[("id", &id)]).await.status, 403);
        assert_eq!(mia.page("/admin/live").await.status, 403);
        assert_eq!(max.page("/admin/audit").await.status, 403);
        assert_eq!(mia.page("/admin/what-i-typed").await.status, StatusCode::FORBIDDEN);
        // Wrong passwords, what is not there, and what asks for the password have entries of their own, or none.
        assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": "wrong"})).await.status, 403);
        assert_eq!(max.rpc("why", &[("id", &id)]).await.status, 200);
        assert_eq!(max.get(&format!("/api/v1/admin/users/{id}/why")).await.status, 200);
    }
    let of = async |action: &str| -> Vec<String> {
        let all = list(&ada, &format!("?action={action}")).await;
        let said = |r: &Value| format!("{} {}", r["actor"].as_str().unwrap(), r["subject"].as_str().unwrap());
        all.iter().rev().map(said).collect()
    };
    let refused = [
        "mia GET /api/v1/admin/sessions",
        "mia POST /rpc/why",
        "mia GET /admin/live",
        "max GET /admin/audit",
        "mia GET /…",
    ];
    assert_eq!(of("refused").await, refused);
    assert_eq!(of("person_viewed").await, ["max mia"]);
}

/// Row 51 and R66: what is taken away is on record, and no spreadsheet computes it.
#[tokio::test]
async fn exports_ask_for_the_password_and_are_on_record() {
    let app = App::frozen(|_| {}).await;
    let ada = app.signed_in("ada", "admin", None).await;
    let csv = ada.get("/api/v1/admin/audit/export?format=csv&action=sign_in").await;
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"rollcall-audit.csv\"");
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines[0], "seq,at,actor,action,subject_kind,subject,details,ip,hash");
    assert!(lines.len() == 2 && lines[1].starts_with("2,") && lines[1].contains(",ada,sign_in,session,"), "{lines:?}");
    let all = ada.get("/api/v1/admin/audit/export?format=json").await.json();
    let actions: Vec<&str> = all.as_array().unwrap().iter().map(|r| r["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["user_added", "sign_in", "audit_exported", "audit_exported"]);
    assert_eq!(all[2]["details"], json!({"format": "csv", "filter": {"action": "sign_in"}}));
    assert_eq!(ada.rpc("unlock_export", &[]).await.status, 200);
    app.pass(10 * domain::time::MINUTE).await;
    for answer in [ada.get("/api/v1/admin/audit/export").await, ada.rpc("unlock_export", &[]).await] {
        assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "reauth_required"));
    }
    assert_eq!(list(&ada, "?action=audit_exported").await.len(), 2);
}

/// The page shows the entries, and verifies them when it is asked to.
#[tokio::test]
async fn the_page_verifies() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    app.signed_in("mia", "student", None).await;
    let page = ada.page("/admin/audit?actor=mia").await;
    assert!(page.text.contains("127.0.0.1") && page.text.contains("Sign in"), "{}", page.text);
    let head = app.services.audit.head(&Actor::Operator).await.unwrap();
    let page = ada.page("/admin/audit?verify=1").await;
    assert!(page.text.contains("4 entries") && page.text.contains("unbroken since") && page.text.contains(&head.1));
    let database = app.database().await;
    database.run("UPDATE audit SET subject = 'ben' WHERE seq = 3").await;
    let page = ada.page("/admin/audit?verify=1").await;
    assert!(page.text.contains("Row 3 was changed: its subject does not match what was recorded."), "{}", page.text);
}

/// Rows 48 and 64: topics that are not for somebody, and opening a person's page, which then asks again by itself.
#[tokio::test]
async fn topics_refused_and_pages_opened_are_on_record() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let mut socket = mia.socket().await;
    for topic in ["presence:all", "live:online", "presence:me", &format!("presence:org:{}", crate::routes::NOBODY)] {
        socket.join(topic, json!({})).await;
    }
    let of = async |action: &str| -> Vec<String> {
        let all = list(&ada, &format!("?action={action}")).await;
        let said = |r: &Value| format!("{} {}", r["actor"].as_str().unwrap(), r["subject"].as_str().unwrap());
        all.iter().rev().map(said).collect()
    };
    assert_eq!(of("refused").await, ["mia JOIN presence:all", "mia JOIN live:online", "mia JOIN presence:org:ID"]);
    let page = format!("/admin/people/{id}");
    assert_eq!(ada.rpc("refresh", &[("url", &*page)]).await.status, 200);
    assert!(of("person_viewed").await.is_empty(), "nobody opened anything");
    assert_eq!(ada.page(&page).await.status, 200);
    assert_eq!(of("person_viewed").await, ["ada mia"]);
    app.services.audit.write_counted().await.unwrap();
    assert_eq!(of("person_viewed").await.len(), 1, "one look, whatever the page shows");
    let counted = ada.get(&format!("/api/v1/admin/users/{id}")).await;
    assert_eq!(counted.status, 200);
}
