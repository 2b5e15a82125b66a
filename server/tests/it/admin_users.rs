//! Who is online, and why.

use domain::{
    Actor,
    time::{MINUTE, SECOND},
};
use serde_json::{Value, json};

use crate::harness::{App, Client};

async fn causes(admin: &Client, id: &str) -> Vec<(String, String)> {
    let why = admin.get(&format!("/api/v1/admin/users/{id}/why")).await.json();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    why["transitions"].as_array().unwrap().iter().rev().map(|t| (text(&t["state"]), text(&t["cause"]))).collect()
}

/// The causes of a day, in order, each with its evidence in a sentence.
#[tokio::test]
async fn why_tells_the_causes_in_order() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let id = app.person("mia", "student", Some("North")).await.to_string();
    let mia = app.sign_in("mia").await;
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({"page": "/", "idle_ms": 0})).await;
    // Keeps the socket alive until the given minutes have passed.
    for _ in 0..12 {
        app.pass(30 * SECOND).await;
        socket.heartbeat().await;
    }
    socket.push("presence:me", "meta", json!({"idle_ms": 0})).await;
    socket.push("presence:me", "status", json!({"choice": "busy"})).await;
    socket.push("presence:me", "status", json!({"choice": "available"})).await;
    socket.stream.close(None).await.unwrap();
    let connected =
        async || admin.get("/api/v1/admin/users/online").await.json()["users"][0]["devices"][0]["connected"].clone();
    crate::harness::until("closed", async || connected().await == json!(false)).await;
    app.pass(16 * SECOND).await;
    let mut again = mia.socket().await;
    again.join("presence:me", json!({"idle_ms": 0})).await;
    app.services.accounts.disable(&Actor::Operator, "mia").await.unwrap();
    let expected = [
        ("active", "signed_in"),
        ("idle", "no_input"),
        ("active", "input"),
        ("busy", "chosen"),
        ("active", "chosen"),
        ("offline", "tab_closed"),
        ("active", "tab_opened"),
        ("offline", "user_disabled"),
    ];
    let told = causes(&admin, &id).await;
    assert_eq!(told, expected.map(|(s, c)| (s.to_owned(), c.to_owned())));
    let why = admin.get(&format!("/api/v1/admin/users/{id}/why")).await.json();
    assert!(
        why["sentence"].as_str().unwrap().starts_with("Offline since 2027-01-15 08:06:16 UTC"),
        "{}",
        why["sentence"]
    );
    let mut last = String::from("9");
    for transition in why["transitions"].as_array().unwrap() {
        let at = transition["at"].as_str().unwrap().to_owned();
        assert!(at <= last && !transition["evidence"].as_str().unwrap().is_empty(), "{transition}");
        last = at;
    }
}

/// Every way to go has its cause.
#[tokio::test]
async fn every_end_has_its_cause() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    for (username, cause) in [("out", "signed_out"), ("rev", "revoked"), ("dis", "user_disabled"), ("exp", "expired")] {
        let id = app.person(username, "student", None).await.to_string();
        let client = app.sign_in(username).await;
        client.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
        let mut socket = client.socket().await;
        socket.join("presence:me", json!({"idle_ms": 0})).await;
        match cause {
            "signed_out" => drop(client.post("/api/v1/auth/logout", json!({})).await),
            "revoked" => {
                let filter = json!({"filter": {"user": username}});
                assert_eq!(admin.post("/api/v1/admin/sessions/revoke", filter).await.json()["ended"], 1);
            }
            "user_disabled" => app.services.accounts.disable(&Actor::Operator, username).await.unwrap(),
            _ => continue,
        }
        assert_eq!(socket.closed().await, Some(4001), "{cause}");
        assert_eq!(causes(&admin, &id).await.last().unwrap(), &("offline".to_owned(), cause.to_owned()));
    }
}

/// The list: counts over everybody in reach, oldest sign-in first, one page at a time.
#[tokio::test]
async fn the_list_counts_filters_and_pages() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", Some("North")).await;
    let manager = app.signed_in("max", "manager", Some("North")).await;
    for (n, (username, role, organisation)) in
        [("mia", "student", "North"), ("ben", "teacher", "North"), ("cat", "student", "South")].into_iter().enumerate()
    {
        app.pass(SECOND).await;
        let client = app.signed_in(username, role, Some(organisation)).await;
        let page = format!("/page/{n}");
        client.post("/api/v1/heartbeat", json!({"idle_ms": n as i64 * 6 * MINUTE, "page": page})).await;
    }
    let list = async |who: &Client, query: &str| who.get(&format!("/api/v1/admin/users/online{query}")).await.json();
    let names = |page: &Value| -> Vec<String> {
        page["users"].as_array().unwrap().iter().map(|u| u["username"].as_str().unwrap().to_owned()).collect()
    };
    let all = list(&admin, "").await;
    assert_eq!(names(&all), ["mia", "ben", "cat"]);
    assert_eq!(all["counts"]["online"], 3);
    assert_eq!(all["counts"]["by_role"], json!({"admin": 0, "manager": 0, "member": 0, "student": 2, "teacher": 1}));
    assert_eq!(all["counts"]["by_org"], json!({"North": 2, "South": 1}));
    let row = &all["users"][0];
    for field in [
        "id",
        "name",
        "email",
        "state",
        "since",
        "session_started_at",
        "session_seconds",
        "last_activity_at",
        "ip",
        "devices",
    ] {
        assert!(!row[field].is_null(), "{field}: {row}");
    }
    assert_eq!(names(&list(&manager, "").await), ["mia", "ben"], "a manager sees their own organisation");
    assert_eq!(list(&manager, "").await["counts"]["online"], 2);
    assert_eq!(names(&list(&admin, "?role=student&org=South").await), ["cat"]);
    assert_eq!(names(&list(&admin, "?q=PAGE/1").await), ["ben"]);
    assert_eq!(names(&list(&admin, "?sort=name").await), ["ben", "cat", "mia"]);
    assert_eq!(names(&list(&admin, "?sort=started_desc").await), ["cat", "ben", "mia"]);
    let page = list(&admin, "?limit=1&offset=1").await;
    assert_eq!((names(&page), &page["total"]), (vec!["ben".to_owned()], &json!(3)));
    assert_eq!(names(&list(&admin, "?limit=200&offset=4000000000").await), [""; 0]);
    for bad in
        ["?limit=-1", "?limit=1e9", "?limit=x", "?offset=-1", "?sort=password", "?state=asleep", "?limit=99999999999"]
    {
        assert_eq!(admin.get(&format!("/api/v1/admin/users/online{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(list(&admin, "?limit=4000000000").await["total"], 3, "more than the cap is the cap");
    for odd in ["?q=%25", "?q=_", "?q=%27%20OR%201=1--", "?role=%27", "?org=%00", "?team=x"] {
        assert_eq!(list(&admin, odd).await["total"], 0, "{odd}");
    }
}
