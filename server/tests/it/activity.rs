//! What people did: told, listed, watched, taken out.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{App, Client, until};

const ACTIVITY: &str = "/api/v1/admin/activity";

async fn track(who: &Client, page: &str) -> String {
    let answer = who.post("/api/v1/track/page", json!({"page": page})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn items(who: &Client, query: &str) -> Vec<Value> {
    let answer = who.get(&format!("{ACTIVITY}{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_told_is_there() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let id = track(&mia, "/files/17").await;
    let done = mia.post("/api/v1/track/action", json!({"action": "saved", "details": [1, {"a": null}]})).await;
    assert_eq!(done.status, 202);
    let summary = mia.get("/api/v1/analytics/user").await.json();
    assert_eq!((&summary["total_activities"], &summary["total_sessions"]), (&json!(3), &json!(1)));
    assert_eq!(summary["event_breakdown"], json!({"login": 1, "page_view": 1, "action": 1}));
    assert!(summary["last_activity"].is_string());
    let session = mia.session_id().await;
    let journey = mia.get(&format!("/api/v1/analytics/journey?session={session}")).await.json();
    let steps: Vec<_> =
        journey["steps"].as_array().unwrap().iter().map(|s| (&s["kind"], &s["page"], &s["action"])).collect();
    let none = Value::Null;
    assert_eq!(
        steps,
        [
            (&json!("login"), &none, &none),
            (&json!("page_view"), &json!("/files/17"), &none),
            (&json!("action"), &none, &json!("saved"))
        ]
    );
    let ada = app.signed_in("ada", "admin", None).await;
    let rows = items(&ada, "?user=mia").await;
    assert_eq!(rows.iter().map(|r| &r["kind"]).collect::<Vec<_>>(), ["action", "page_view", "login"]);
    assert_eq!(
        (&rows[1]["id"], &rows[1]["route"], &rows[1]["session_id"]),
        (&json!(id), &json!("/files/:id"), &json!(session))
    );
    assert_eq!(rows[0]["details"], json!({"details": [1, {"a": null}]}));
    for (path, body) in [
        ("page", json!({})),
        ("page", json!({"page": ""})),
        ("page", json!({"page": "x".repeat(600)})),
        ("page", json!({"page": 7})),
        ("page", json!({"page": "/", "user_id": "x"})),
        ("action", json!({"details": {}})),
        ("action", json!({"action": "x", "details": "x".repeat(9_000)})),
    ] {
        assert_eq!(mia.post(&format!("/api/v1/track/{path}"), body.clone()).await.status, 422, "{body}");
    }
    assert_eq!(app.anonymous().post("/api/v1/track/page", json!({"page": "/"})).await.status, 401);
    assert_eq!(mia.get("/api/v1/analytics/journey?session=x").await.status, 400);
}

/// Rows 47, 48 and 53: within reach, paged by key, and not led astray.
#[tokio::test]
async fn lists_are_within_reach() {
    let app = App::start().await;
    let north = app.signed_in("mia", "student", Some("North")).await;
    let south = app.signed_in("cat", "student", Some("South")).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    for n in 0..7 {
        track(&north, &format!("/a/{n}")).await;
        track(&south, "/b").await;
    }
    let all = items(&max, "").await;
    assert!(all.len() == 9 && all.iter().all(|r| r["organisation"] == "North"), "{all:?}");
    assert!(items(&max, "?org=South").await.is_empty() && items(&max, "?user=cat").await.is_empty());
    assert!(items(&max, "?page=/b").await.is_empty());
    assert_eq!(items(&max, "?page=/a/99&kind=page_view").await.len(), 7);
    let first = max.get(&format!("{ACTIVITY}?limit=4")).await.json();
    assert_eq!((&first["total"], first["items"].as_array().unwrap().len()), (&json!(9), 4));
    let rest = items(&max, &format!("?cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!([first["items"].as_array().unwrap().clone(), rest].concat(), all);
    for bad in ["?cursor=x", "?cursor=1.2.3", "?from=yesterday", "?limit=-1", "?sort=password", "?user=a&user=b"] {
        assert_eq!(max.get(&format!("{ACTIVITY}{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(items(&max, "?limit=100000&user=%27%20OR%201=1--").await.len(), 0);
    assert_eq!(north.get(ACTIVITY).await.status, 403);
}

/// Row 51 among others: exactly what the filter shows, readable again, and no formula.
#[tokio::test]
async fn what_is_shown_can_be_taken_out() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    track(&mia, "=HYPERLINK(\"http://evil\")").await;
    track(&mia, "/a,\"b\"\n\u{1}<c>").await;
    let ada = app.signed_in("ada", "admin", None).await;
    let shown = items(&ada, "?user=mia&kind=page_view").await;
    assert_eq!(shown.len(), 2);
    let export = async |format: &str| {
        let answer = ada.get(&format!("{ACTIVITY}/export?format={format}&user=mia&kind=page_view")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.header("content-disposition").starts_with("attachment; filename=\"rollcall-activity."));
        answer
    };
    let lines: Vec<Value> = export("json").await.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, shown);
    let text = export("csv").await.text;
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect();
    let pages: Vec<&str> = rows.iter().map(|r| &r[9]).collect();
    assert_eq!(pages, ["/a,\"b\"\n\u{1}<c>", "'=HYPERLINK(\"http://evil\")"]);
    let book = ada
        .http
        .get(ada.url(&format!("{ACTIVITY}/export?format=xlsx&user=mia")))
        .header("cookie", ada.cookie().unwrap());
    let bytes = book.send().await.unwrap().bytes().await.unwrap();
    assert!(bytes.starts_with(b"PK") && bytes.len() > 1_000);
    let audited = ada.get("/api/v1/admin/audit?action=activity_exported").await.json();
    assert_eq!((&audited["total"], &audited["items"][0]["details"]["format"]), (&json!(3), &json!("xlsx")));
    // A password that was given long ago is asked for again; looking needs none.
    app.pass(11 * 60_000).await;
    let late = ada.get(&format!("{ACTIVITY}/export?format=csv")).await;
    assert_eq!((late.status.as_u16(), &*late.code()), (403, "reauth_required"));
    assert_eq!(ada.rpc("unlock_activity", &[]).await.status, 403);
    assert_eq!(ada.get(ACTIVITY).await.status, 200);
}

#[tokio::test]
async fn those_who_watch_are_told() {
    let app = App::start().await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let cat = app.signed_in("cat", "student", Some("South")).await;
    let mut socket = max.socket().await;
    let joined = socket.join("live:activity", json!({})).await;
    assert_eq!(joined["status"], "ok", "{joined}");
    let last = joined["response"]["last"].as_i64().unwrap();
    track(&cat, "/theirs").await;
    app.services.activity.flush().await.unwrap();
    let id = track(&mia, "/ours").await;
    let told = socket.event("live:activity", "events").await;
    let events = told["events"].as_array().unwrap();
    assert_eq!((events.len(), &events[0]["id"], &events[0]["username"]), (1, &json!(id), &json!("mia")));
    assert!(told["after"].as_i64().unwrap() >= last && told["last"] == events[0]["seq"] && told["more"] == false);
    mia.post("/api/v1/auth/logout", json!({})).await;
    let told = socket.event("live:activity", "events").await;
    assert_eq!(told["events"][0]["kind"], "logout");
}

/// The pages, with what people told in them (row 50).
#[tokio::test]
async fn pages_show_it() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    track(&mia, "/files/17").await;
    track(&mia, "</script><img src=x onerror=alert(1)>").await;
    mia.post("/api/v1/track/action", json!({"action": "<b>saved</b>", "details": "</pre><script>"})).await;
    let own = mia.page("/activity").await;
    assert!(own.status == 200 && own.text.contains("/files/17") && own.text.contains("&lt;b&gt;saved"));
    let max = app.signed_in("max", "manager", Some("North")).await;
    let all = max.page("/admin/activity?user=mia&kind=action").await;
    assert!(
        all.status == 200 && all.text.contains("&lt;b&gt;saved") && all.text.contains("data-follows=\"live:activity\"")
    );
    for text in [own.text, all.text, max.page("/admin/activity").await.text] {
        assert!(!text.contains("<img src=x") && !text.contains("<b>saved") && !text.contains("</pre><script>"));
    }
    assert!(max.page("/admin/activity?page=/nowhere").await.text.contains("No events match this filter."));
    assert_eq!(mia.page("/admin/activity").await.status, 403);
    until("the page of an event on its page", async || {
        max.page("/admin/activity?page=/files/3").await.text.contains("/files/17")
    })
    .await;
}

/// A stop loses nothing of what was answered 202.
#[tokio::test]
async fn a_stop_writes_what_waits() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    for n in 0..50 {
        track(&mia, &format!("/p{n}")).await;
    }
    let app = app.restart(|_| {}).await;
    let again = app.sign_in("mia").await;
    let summary = again.get("/api/v1/analytics/user").await.json();
    assert_eq!(summary["event_breakdown"]["page_view"], 50);
}

/// One session tells too much: it is refused, with when to go on, and nobody else is. Its own pages have their place.
#[tokio::test]
async fn a_flood_of_one_session_is_refused() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let cat = app.signed_in("cat", "student", None).await;
    for n in 0..120 {
        track(&mia, &format!("/p{n}")).await;
    }
    let refused = mia.post("/api/v1/track/action", json!({"action": "again"})).await;
    assert_eq!(
        (refused.status.as_u16(), &*refused.code(), refused.header("retry-after")),
        (429, "too_many_requests", "1")
    );
    assert!(refused.text.contains("go on in 1 s"), "{}", refused.text);
    track(&cat, "/").await;
    // Another session of hers has its own share, until hers as a person is used up.
    let again = app.sign_in("mia").await;
    for n in 0..120 {
        track(&again, &format!("/q{n}")).await;
    }
    let third = app.sign_in("mia").await;
    assert_eq!(third.post("/api/v1/track/page", json!({"page": "/"})).await.status, 429);
    track(&cat, "/").await;
    app.pass(1_000).await;
    track(&mia, "/later").await;
    track(&mia, "/later").await;
    assert_eq!(mia.post("/api/v1/track/page", json!({"page": "/"})).await.status, 429);
    let summary = mia.get("/api/v1/analytics/user").await.json();
    assert_eq!(summary["event_breakdown"]["page_view"], 242, "what was refused is not written");
}
