//! Row 60: whose address it is, from the header to the list of sessions, the throttle and the audit log.

use reqwest::Method;
use serde_json::json;
use server::settings::ServeSettings;

use crate::harness::{App, PASSWORD};

fn behind(networks: &'static [&'static str]) -> impl FnOnce(&mut ServeSettings) {
    move |s| s.trusted_proxies = networks.iter().map(|n| n.parse().unwrap()).collect()
}

/// Signs in with these lines of `X-Forwarded-For`; the address the session has.
async fn address(app: &App, lines: &[&str]) -> String {
    let client = app.anonymous();
    let mut request =
        client.request(Method::POST, "/api/v1/auth/login").json(&json!({"username": "mia", "password": PASSWORD}));
    for line in lines {
        request = request.header("x-forwarded-for", *line);
    }
    assert_eq!(client.send(request).await.status, 200);
    let page = client.get("/api/v1/sessions").await.json();
    page["items"][0]["ip"].as_str().unwrap().to_owned()
}

/// Whoever connects directly is who they are, whatever they say.
#[tokio::test]
async fn a_direct_peer_is_not_believed() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    for lines in [&["198.51.100.1"][..], &["198.51.100.1, 203.0.113.5"], &["::1"], &["rubbish"], &[""]] {
        assert_eq!(address(&app, lines).await, "127.0.0.1", "{lines:?}");
    }
    let app = App::with(behind(&["10.0.0.0/8"])).await;
    app.person("mia", "student", None).await;
    assert_eq!(address(&app, &["198.51.100.1, 10.0.0.1"]).await, "127.0.0.1", "another's proxy");
}

/// Behind a trusted proxy the first address from the right that is not one of ours.
#[tokio::test]
async fn a_trusted_proxy_is_believed_from_the_right() {
    let app = App::with(behind(&["127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"])).await;
    app.person("mia", "student", None).await;
    for (lines, expected) in [
        (&["198.51.100.1"][..], "198.51.100.1"),
        (&["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
        (&["203.0.113.5,198.51.100.1"], "198.51.100.1"),
        (&["203.0.113.5 ,  198.51.100.1  "], "198.51.100.1"),
        (&["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
        (&["203.0.113.5, 198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        (&["198.51.100.1:4711"], "198.51.100.1"),
        (&["::ffff:198.51.100.1"], "198.51.100.1"),
        (&["2001:db9::7"], "2001:db9::7"),
        (&["[2001:db9::7]:443, 2001:db8::1"], "2001:db9::7"),
        (&["198.51.100.1, ,"], "198.51.100.1"),
        (&["<script>, 10.1.2.3"], "10.1.2.3"),
    ] {
        assert_eq!(address(&app, lines).await, expected, "{lines:?}");
    }
}

/// The list, the presence row, the event and the audit log all have the same one.
#[tokio::test]
async fn one_address_everywhere() {
    let app = App::with(behind(&["127.0.0.0/8"])).await;
    app.person("mia", "student", None).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut mia = app.anonymous();
    mia.forwarded = Some("203.0.113.5, 198.51.100.77".into());
    assert_eq!(mia.log_in("mia", "wrong").await.status, 401);
    assert_eq!(mia.log_in("mia", PASSWORD).await.status, 200);
    let mut socket = mia.socket().await;
    socket.join("presence:me", json!({})).await;
    let row = admin.get("/api/v1/admin/users/online").await.json()["users"][0].clone();
    assert_eq!((&row["ip"], &row["devices"][0]["ip"]), (&json!("198.51.100.77"), &json!("198.51.100.77")));
    assert_eq!(admin.get("/api/v1/admin/sessions?ip=198.51.100.77").await.json()["total"], 1);
    let database = app.database().await;
    for sql in [
        "SELECT DISTINCT ip FROM audit WHERE action = 'sign_in_failed'",
        "SELECT DISTINCT ip FROM audit WHERE action = 'sign_in' AND actor = 'mia'",
        // Another row counts for all strange addresses together, and has none.
        "SELECT DISTINCT ip FROM sign_in_failures WHERE ip <> ''",
        "SELECT DISTINCT ip FROM events WHERE user_id = (SELECT id FROM users WHERE username = 'mia')",
    ] {
        assert_eq!(database.texts(sql).await, ["198.51.100.77"], "{sql}");
    }
}
