//! Everybody comes back at once, as after a restart.

use domain::Actor;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{App, PATIENCE, Raw, raw::frame};

/// A thousand sessions that are in no memory: all of them are taken in, somebody signs in meanwhile, and each is told in
/// which time to return after the next restart.
#[tokio::test]
async fn a_herd_is_taken_in_while_somebody_signs_in() {
    const HERD: u32 = 1_000;
    let app = App::start().await;
    app.person("ada", "admin", None).await;
    app.person("mia", "student", None).await;
    let people = app.services.sessions.bulk_load(&Actor::Operator, HERD, "member", true).await.unwrap();
    let (address, mut herd) = (app.address, JoinSet::new());
    for (_, token) in people {
        herd.spawn(async move {
            let mut raw = Raw::upgrade(address, &format!("rollcall={}", token.expose())).await;
            let join = json!(["1", "1", "presence:me", "phx_join", {"idle_ms": 0}]).to_string();
            assert!(raw.send(frame(0x81, join.as_bytes())).await);
            let reply: Value = serde_json::from_str(&raw.text(PATIENCE).await).unwrap();
            (raw, reply)
        });
    }
    let mia = app.sign_in("mia").await;
    assert_eq!(mia.get("/api/v1/session").await.status, 200);
    let mut sockets = vec![];
    while let Some(done) = herd.join_next().await {
        let (raw, reply) = done.unwrap();
        assert_eq!((&reply[3], &reply[4]["status"]), (&json!("phx_reply"), &json!("ok")));
        let within = reply[4]["response"]["retry_within_ms"].as_i64().unwrap();
        assert!((500..=30_000).contains(&within), "{within}");
        sockets.push((raw, within));
    }
    assert_eq!(sockets.len(), HERD as usize);
    let ada = app.sign_in("ada").await;
    let online = ada.get("/api/v1/admin/users/online?limit=1").await.json();
    assert_eq!((&online["total"], &online["counts"]["active"]), (&json!(HERD), &json!(HERD)));
    // The more there are, the wider they are spread.
    let mut late = ada.socket().await;
    let reply = late.join("presence:me", json!({})).await;
    assert_eq!(reply["response"]["retry_within_ms"], 500 + (HERD + 1) / 4);
}
