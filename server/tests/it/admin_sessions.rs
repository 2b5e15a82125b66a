//! Everybody's sessions: list, end, clean up.

use domain::time::{DAY, HOUR, SECOND};
use serde_json::{Value, json};

use crate::harness::{App, PASSWORD, settings};

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|s| s["username"].as_str().unwrap()).collect()
}

/// Row 53: filters are exact, cursors are checked, wildcards mean themselves.
#[tokio::test]
async fn the_list_filters_and_pages_safely() {
    let app = App::frozen(|_| {}).await;
    for (username, role, organisation) in
        [("mia", "student", "North"), ("ben", "teacher", "North"), ("c_t", "student", "South")]
    {
        app.pass(SECOND).await;
        app.signed_in(username, role, Some(organisation)).await;
    }
    app.pass(SECOND).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let list = async |query: &str| admin.get(&format!("/api/v1/admin/sessions{query}")).await;
    let all = list("").await.json();
    assert_eq!((names(&all), &all["total"], &all["next"]), (vec!["ada", "c_t", "ben", "mia"], &json!(4), &Value::Null));
    assert_eq!(names(&list("?user=mia").await.json()), ["mia"]);
    assert_eq!(names(&list("?role=student").await.json()), ["c_t", "mia"]);
    assert_eq!(names(&list("?org=North&state=live").await.json()), ["ben", "mia"]);
    assert_eq!(names(&list("?q=_").await.json()), ["c_t"]);
    assert_eq!(names(&list("?from=2027-01-15T08:00:02Z&to=2027-01-15T08:00:03Z").await.json()), ["ben"]);
    for odd in ["?q=%25", "?q=%27", "?user=%27%20OR%20%271%27=%271", "?q=%5C", "?role=%25", "?ip=%25"] {
        assert_eq!(list(odd).await.json()["total"], 0, "{odd}");
    }
    let mut seen = vec![];
    let mut query = "?limit=3".to_owned();
    loop {
        let page = list(&query).await.json();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=3&cursor={}", app::routes::escape(next));
    }
    assert_eq!(seen, ["ada", "c_t", "ben", "mia"]);
    for bad in [
        "?cursor=x",
        "?cursor=%27",
        "?cursor=%00",
        "?cursor=AAAA",
        "?sort=password",
        "?sort=token_hash",
        "?limit=-1",
        "?limit=1e9",
        "?state=dead",
        "?reason=boredom",
        "?from=yesterday",
        "?device=toaster",
    ] {
        assert_eq!(list(bad).await.status, 400, "{bad}: {}", list(bad).await.text);
    }
    assert_eq!(list("?limit=999999").await.status, 200);
    assert_eq!(list("?limit=0").await.json()["items"].as_array().unwrap().len(), 1, "at least one");
}

/// Row 27: the preview counts what will end; one's own is spared unless asked for; it is written down.
#[tokio::test]
async fn sessions_end_by_filter() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let (ben, second) = (app.signed_in("ben", "student", Some("North")).await, app.sign_in("ben").await);
    let revoke = async |body: Value| admin.post("/api/v1/admin/sessions/revoke", body).await;
    assert_eq!(revoke(json!({})).await.status, 422);
    assert_eq!(revoke(json!({"filter": {}, "ids": []})).await.status, 422);
    assert_eq!(
        revoke(json!({"filter": {"user": "ben"}, "dry_run": true})).await.json(),
        json!({"ended": 2, "dry_run": true})
    );
    assert!(ben.is_signed_in().await);
    assert_eq!(revoke(json!({"filter": {"user": "ben"}})).await.json()["ended"], 2);
    assert!(!ben.is_signed_in().await && !second.is_signed_in().await && mia.is_signed_in().await);
    assert_eq!(revoke(json!({"filter": {"user": "ben"}})).await.json()["ended"], 0);
    assert_eq!(revoke(json!({"filter": {}, "dry_run": true})).await.json()["ended"], 1);
    assert_eq!(revoke(json!({"filter": {}})).await.json()["ended"], 1);
    assert!(admin.is_signed_in().await && !mia.is_signed_in().await);
    let ended = admin.get("/api/v1/admin/sessions?user=ben&reason=revoked").await.json();
    assert_eq!((&ended["total"], &ended["items"][0]["ended_by"]), (&json!(2), &json!("ada")));
    let rows = app
        .database()
        .await
        .texts("SELECT actor || ' ' || details FROM audit WHERE action LIKE '%revoke%' ORDER BY seq")
        .await;
    assert_eq!(rows.len(), 3, "each act, also the one that ended nobody; no preview: {rows:?}");
    assert!(rows[0].starts_with("ada ") && rows[0].contains("\"ben\"") && rows[0].contains('2'), "{rows:?}");
    assert_eq!(revoke(json!({"filter": {}, "include_own": true})).await.json()["ended"], 1);
    assert!(!admin.is_signed_in().await);
}

/// A manager ends what is within their organisation, and nothing else, by filter or by id.
#[tokio::test]
async fn managers_end_within_their_reach() {
    let app = App::start().await;
    let manager = app.signed_in("max", "manager", Some("North")).await;
    let (mia, cat) =
        (app.signed_in("mia", "student", Some("North")).await, app.signed_in("cat", "student", Some("South")).await);
    let ids = json!({"ids": [mia.session_id().await, cat.session_id().await]});
    assert_eq!(manager.post("/api/v1/admin/sessions/revoke", ids).await.json()["ended"], 1);
    assert!(!mia.is_signed_in().await && cat.is_signed_in().await);
    assert_eq!(manager.post("/api/v1/admin/sessions/revoke", json!({"filter": {}})).await.json()["ended"], 0);
    assert!(cat.is_signed_in().await && manager.is_signed_in().await);
    assert_eq!(manager.post("/api/v1/admin/sessions/cleanup", json!({})).await.status, 403);
}

/// The clean-up marks what is over as of when it was, and deletes what is old enough.
#[tokio::test]
async fn the_clean_up_marks_and_deletes() {
    let app = App::frozen(settings(|s| s.retention_sessions = 10 * DAY)).await;
    app.signed_in("mia", "student", None).await;
    app.pass(25 * HOUR).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let clean = async |body: Value| admin.post("/api/v1/admin/sessions/cleanup", body).await.json();
    assert_eq!(clean(json!({})).await, json!({"ended": 1, "deleted": 0}));
    let ended = admin.get("/api/v1/admin/sessions?user=mia").await.json()["items"][0].clone();
    assert_eq!(
        (&ended["ended_at"], &ended["ended_reason"]),
        (&json!("2027-01-16T08:00:00.000Z"), &json!("idle_timeout"))
    );
    assert_eq!(clean(json!({"older_than_seconds": 7_200})).await, json!({"ended": 0, "deleted": 0}));
    app.pass(2 * HOUR).await;
    assert_eq!(clean(json!({"older_than_seconds": 7_200})).await["error"]["code"], "reauth_required");
    assert_eq!(admin.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(clean(json!({"older_than_seconds": 7_200})).await, json!({"ended": 0, "deleted": 1}));
    assert_eq!(admin.send(admin.request(reqwest::Method::POST, "/api/v1/admin/sessions/cleanup")).await.status, 200);
    let huge = clean(json!({"older_than_seconds": u64::MAX})).await;
    assert_eq!(huge, json!({"ended": 0, "deleted": 0}));
    assert_eq!(clean(json!({"older_than_seconds": -1})).await["error"]["code"], "invalid");
}
