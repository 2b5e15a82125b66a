//! One's own preferences: whole, merged, kept, and nobody else's.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, App, Client},
    socket::topics::{organisation, state},
};

async fn patch(client: &Client, body: Value) -> Answer {
    client.send(client.request(Method::PATCH, "/api/v1/preferences").json(&body)).await
}

fn defaults() -> Value {
    json!({
        "theme": "system", "language": null, "time_zone": null,
        "privacy": {"presence": "organisation", "activity": true}
    })
}

#[tokio::test]
async fn preferences_are_replaced_merged_and_kept() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let ben = app.signed_in("ben", "student", None).await;
    let get = async |who: &Client| who.get("/api/v1/preferences").await.json();
    assert_eq!(get(&mia).await, defaults());
    let put = mia.put("/api/v1/preferences", json!({"theme": "dark", "language": "de"})).await;
    assert_eq!((put.status.as_u16(), &put.json()), (200, &get(&mia).await));
    assert_eq!((&put.json()["theme"], &put.json()["privacy"]["activity"]), (&json!("dark"), &json!(true)));
    let merged = patch(&mia, json!({"time_zone": "Europe/Berlin", "privacy": {"activity": false}})).await.json();
    let expected = json!({
        "theme": "dark", "language": "de", "time_zone": "Europe/Berlin",
        "privacy": {"presence": "organisation", "activity": false}
    });
    assert_eq!((&merged, &get(&mia).await), (&expected, &expected));
    assert_eq!(get(&ben).await, defaults(), "nobody else's");
    for bad in [
        json!({"surprise": 1}),
        json!({"privacy": {"surprise": true}}),
        json!({"privacy": {"presence": "friends"}}),
        json!({"theme": "pink"}),
        json!({"time_zone": "not a zone"}),
        json!({"user_id": mia.session_id().await}),
        json!("dark"),
    ] {
        for answer in [mia.put("/api/v1/preferences", bad.clone()).await, patch(&mia, bad.clone()).await] {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "invalid"), "{bad}: {}", answer.text);
        }
    }
    assert_eq!(get(&mia).await, expected, "what was refused changed nothing");
    let app = app.restart(|_| {}).await;
    let mia = app.sign_in("mia").await;
    assert_eq!(get(&mia).await, expected);
    assert_eq!(mia.put("/api/v1/preferences", json!({})).await.json(), defaults());
}

/// Whoever hid their presence is hidden after a restart as well, and their row goes with them.
#[tokio::test]
async fn privacy_outlives_the_server() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    assert_eq!(patch(&mia, json!({"privacy": {"presence": "nobody"}})).await.status, 200);
    let app = app.restart(|_| {}).await;
    let (mia, ben) = (app.sign_in("mia").await, app.signed_in("ben", "student", Some("North")).await);
    for who in [&mia, &ben] {
        who.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    }
    let people = async || {
        let session = app.services.sessions.authenticate(&ben.token()).await.unwrap().unwrap();
        let people = app.services.presence.people(&session.actor()).await.unwrap();
        people.into_iter().map(|p| p.name).collect::<Vec<_>>()
    };
    assert_eq!(people().await, ["Ben"]);
    patch(&mia, json!({"privacy": null})).await;
    assert_eq!(people().await, ["Ben", "Mia"]);
    app.services.accounts.delete(&domain::Actor::Operator, "mia").await.unwrap();
    assert_eq!(app.database().await.number("SELECT count(*) FROM preferences").await, 0);
}

/// Whoever keeps their presence private is gone from colleagues at once, and not from admins and managers.
#[tokio::test]
async fn private_people_are_no_colleagues() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let ben = app.signed_in("ben", "student", Some("North")).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let id = organisation(&mia).await;
    let (people, realtime, console) =
        (format!("people:org:{id}"), format!("realtime:org:{id}"), format!("presence:org:{id}"));
    ben.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let (mut watcher, mut other, mut manager) = (mia.socket().await, mia.socket().await, max.socket().await);
    watcher.join(&people, json!({})).await;
    assert_eq!(watcher.event(&people, "presence_state").await.as_object().unwrap().len(), 1);
    other.join(&realtime, json!({})).await;
    state(&mut other, &realtime).await;
    manager.join(&console, json!({})).await;
    manager.event(&console, "presence_state").await;
    let privacy = async |presence: &str| {
        assert_eq!(patch(&ben, json!({"privacy": {"presence": presence}})).await.status, 200);
    };
    privacy("nobody").await;
    for (watcher, topic) in [(&mut watcher, &people), (&mut other, &realtime)] {
        let diff = watcher.event(topic, "presence_diff").await;
        assert_eq!((&diff["joins"], diff["leaves"].as_object().unwrap().len()), (&json!({}), 1), "{topic}");
    }
    let mut late = mia.socket().await;
    late.join(&people, json!({})).await;
    assert_eq!(late.event(&people, "presence_state").await, json!({}));
    let online = max.get("/api/v1/admin/users/online").await.json();
    assert_eq!((&online["total"], &online["users"][0]["username"]), (&json!(1), &json!("ben")));
    // Nothing came or went for the console.
    ben.put("/api/v1/presence/me", json!({"choice": "busy"})).await;
    assert_eq!(manager.event(&console, "presence_diff").await["joins"].as_object().unwrap().len(), 1);
    privacy("organisation").await;
    for (watcher, topic) in [(&mut watcher, &people), (&mut other, &realtime)] {
        assert_eq!(watcher.event(topic, "presence_diff").await["leaves"], json!({}), "{topic}");
    }
}
