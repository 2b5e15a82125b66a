//! The process is stopped for a while: it was deaf, nobody went away.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Client, PASSWORD, Program};

/// Three seconds of silence would be the end of a connection. The server sleeps for twice that; its people, who said
/// something all the while, are where they were, without a single transition.
#[tokio::test]
async fn a_stopped_process_loses_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("ROLLCALL_SOCKET_LOST_AFTER", "3s"), ("ROLLCALL_GRACE", "1s"), ("ROLLCALL_HEARTBEAT", "1s")];
    let program = Program::start(dir.path(), &variables).await;
    let origin = format!("http://{}", program.address);
    let ada = Client::new(program.address, &origin);
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(ada.rpc("set_up", &fields).await.status, 200);
    let mut socket = ada.socket().await;
    socket.join("presence:me", json!({"idle_ms": 0})).await;
    let before = ada.get("/api/v1/admin/users/online").await.json();
    program.signal("-STOP");
    for _ in 0..6 {
        socket.cast("phoenix", "heartbeat", json!({})).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    program.signal("-CONT");
    let after = ada.get("/api/v1/admin/users/online").await.json();
    assert_eq!(after["users"][0]["since"], before["users"][0]["since"], "{after}");
    assert_eq!(after["users"][0]["devices"][0]["connected"], true, "{after}");
    // The socket is the same, and the frames that waited are answered.
    socket.heartbeat().await;
    let why = ada.get(&format!("/api/v1/admin/users/{}/why", before["users"][0]["id"].as_str().unwrap())).await.json();
    assert_eq!(why["transitions"].as_array().unwrap().len(), 1, "{why}");
}
