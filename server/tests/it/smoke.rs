//! The whole path once: sign in, be seen, sign out.

use serde_json::json;

use crate::harness::App;

#[tokio::test]
async fn one_person_is_seen_from_sign_in_to_sign_out() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut watcher = admin.socket().await;
    assert_eq!(watcher.join("presence:all", json!({})).await["status"], "ok");
    assert_eq!(watcher.event("presence:all", "presence_state").await, json!({}));

    let person = app.signed_in("bilal", "teacher", Some("North campus")).await;
    let mut socket = person.socket().await;
    let reply = socket.join("presence:me", json!({"page": "/"})).await;
    assert_eq!((&reply["status"], &reply["response"]["state"]), (&json!("ok"), &json!("active")));
    let diff = watcher.event("presence:all", "presence_diff").await;
    let metas = diff["joins"].as_object().unwrap().values().next().unwrap()["metas"][0].clone();
    assert_eq!(
        (&metas["username"], &metas["page"], &metas["cause"]),
        (&json!("bilal"), &json!("/"), &json!("signed_in"))
    );

    socket.push("presence:me", "meta", json!({"page": "/files"})).await;
    let diff = watcher.event("presence:all", "presence_diff").await;
    assert!(diff.to_string().contains("/files"), "{diff}");

    let online = admin.get("/api/v1/admin/users/online").await.json();
    assert_eq!((&online["counts"]["online"], &online["users"][0]["page"]), (&json!(1), &json!("/files")));

    assert_eq!(person.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_eq!(socket.closed().await, Some(4001));
    let diff = watcher.event("presence:all", "presence_diff").await;
    assert_eq!((diff["joins"].as_object().unwrap().len(), diff["leaves"].as_object().unwrap().len()), (0, 1));
    app.stop().await;
}
