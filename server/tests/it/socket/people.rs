//! `people:org:ID`: what members see of each other, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::topics::{organisation, refused, state};
use crate::{harness::App, routes::NOBODY};

/// Members watch the people of their own organisation; another's is as if it were not there, whoever asks.
#[tokio::test]
async fn members_watch_their_colleagues() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let cat = app.signed_in("cat", "student", Some("South")).await;
    let ned = app.signed_in("ned", "student", None).await;
    let ada = app.signed_in("ada", "admin", None).await;
    let (north, south) = (organisation(&mia).await, organisation(&cat).await);
    for who in [&mia, &max, &cat] {
        who.post("/api/v1/heartbeat", json!({"page": "/secret", "idle_ms": 0})).await;
    }
    for dialect in ["people", "realtime"] {
        let (own, other) = (format!("{dialect}:org:{north}"), format!("{dialect}:org:{south}"));
        let nowhere = format!("{dialect}:org:{NOBODY}");
        let mut refusals = vec![];
        for (who, topic) in [(&mia, &other), (&mia, &nowhere), (&ned, &own), (&ned, &nowhere), (&cat, &own)] {
            refusals.push(refused(&mut who.socket().await, topic).await);
        }
        assert!(refusals.iter().all(|r| *r == refusals[0] && r["response"]["reason"] == "forbidden"), "{refusals:?}");
        let mut socket = mia.socket().await;
        assert_eq!(socket.join(&own, json!({})).await["status"], "ok");
        let state = state(&mut socket, &own).await;
        assert_eq!(state.as_object().unwrap().len(), 2, "{state}");
        for person in state.as_object().unwrap().values() {
            let metas = person["metas"].as_array().unwrap();
            let keys: BTreeSet<&str> = metas[0].as_object().unwrap().keys().map(|k| &**k).collect();
            assert_eq!((metas.len(), keys), (1, BTreeSet::from(["name", "phx_ref", "state"])), "{state}");
        }
    }
    // Not being in an organisation is not being a colleague, for those who may do everything else.
    refused(&mut ada.socket().await, &format!("people:org:{north}")).await;
    // Managers are colleagues here, and more than that under the console's names.
    let mut socket = max.socket().await;
    let (people, console) = (format!("people:org:{north}"), format!("realtime:org:{north}"));
    socket.join(&people, json!({})).await;
    assert!(!socket.event(&people, "presence_state").await.to_string().contains("page"));
    socket.join(&console, json!({})).await;
    assert!(state(&mut socket, &console).await.to_string().contains("/secret"));
}

/// A colleague comes, changes, tells something, hides, and leaves: each is one diff of one meta, and pages are none.
#[tokio::test]
async fn colleagues_come_and_go() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let ben = app.signed_in("ben", "student", Some("North")).await;
    let topic = format!("people:org:{}", organisation(&mia).await);
    let mut watcher = mia.socket().await;
    watcher.join(&topic, json!({})).await;
    assert_eq!(watcher.event(&topic, "presence_state").await, json!({}));
    let (mut one, mut two) = (ben.socket().await, ben.socket().await);
    one.join("presence:me", json!({"page": "/one"})).await;
    let diff = watcher.event(&topic, "presence_diff").await;
    let id = ben.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(diff["joins"][&id]["metas"][0]["state"], "active", "{diff}");
    // A second tab and another page are nobody's business: the next that is heard is the message.
    two.join("presence:me", json!({"page": "/two"})).await;
    two.push("presence:me", "meta", json!({"page": "/three"})).await;
    two.push("presence:me", "status", json!({"choice": "busy", "message": "exam"})).await;
    let diff = watcher.event(&topic, "presence_diff").await;
    let said = |diff: &Value| {
        let m = &diff["joins"][&id]["metas"][0];
        (m["name"].clone(), m["state"].clone(), m["message"].clone())
    };
    assert_eq!(said(&diff), (json!("Ben"), json!("busy"), json!("exam")));
    assert_eq!(diff["joins"][&id]["metas"][0]["phx_ref_prev"], diff["leaves"][&id]["metas"][0]["phx_ref"]);
    two.push("presence:me", "status", json!({"choice": "invisible"})).await;
    let diff = watcher.event(&topic, "presence_diff").await;
    assert_eq!((&diff["joins"], diff["leaves"].as_object().unwrap().len()), (&json!({}), 1));
    two.push("presence:me", "status", json!({"choice": "available"})).await;
    assert_eq!(said(&watcher.event(&topic, "presence_diff").await).1, "active");
    ben.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!(watcher.event(&topic, "presence_diff").await["joins"], json!({}));
    // The end of an account is the end of its watching.
    app.services.accounts.disable(&domain::Actor::Operator, "mia").await.unwrap();
    assert_eq!(watcher.closed().await, Some(4001));
}
