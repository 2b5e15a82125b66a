//! Row 45: a watcher that reads slowly, or not at all, costs little and harms nobody.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{
    App, Client, PATIENCE, Socket,
    phoenix::{Presences, list_of},
};

/// Somebody with twenty tabs on long pages, each change of whom is a diff of about 40 kB.
async fn heavy(app: &App) -> (Client, Vec<Socket>) {
    let mia = app.signed_in("mia", "student", None).await;
    let mut tabs = vec![];
    for n in 0..20 {
        let mut tab = mia.socket().await;
        tab.join("presence:me", json!({"page": format!("/{n}/{}", "x".repeat(500)), "idle_ms": 0})).await;
        tabs.push(tab);
    }
    (mia, tabs)
}

/// It misses what it was too slow for, and converges by a fresh snapshot as soon as it reads again.
#[tokio::test]
async fn a_stuck_watcher_converges_by_snapshot() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (mia, _tabs) = heavy(&app).await;
    let mut stuck = admin.narrow_socket(4_096).await;
    stuck.cast("presence:all", "phx_join", json!({})).await;
    let mut healthy = admin.socket().await;
    healthy.join("presence:all", json!({})).await;
    let mut seen = Presences::default();
    let (mut healthy_bytes, mut diffs) = (0, 0);
    for n in 0..300 {
        let choice = if n % 2 == 0 { "busy" } else { "available" };
        mia.put("/api/v1/presence/me", json!({"choice": choice})).await;
        // The healthy one sees each change, however stuck the other is.
        let wanted = if n % 2 == 0 { "busy" } else { "active" };
        loop {
            let frame = healthy.frame().await;
            healthy_bytes += frame.to_string().len();
            diffs += usize::from(frame[3] == "presence_diff");
            seen.take(&frame, "presence:all");
            if seen.list().values().flatten().all(|line| line.contains(wanted)) {
                break;
            }
        }
    }
    assert!(diffs >= 300 && healthy_bytes > 5_000_000, "{diffs} {healthy_bytes}");
    let online = admin.get("/api/v1/admin/users/online").await.json();
    let (mut model, mut bytes, mut snapshots) = (Presences::default(), 0, 0);
    while snapshots < 2 || model.list() != list_of(&online) {
        let frame = stuck.frame().await;
        bytes += frame.to_string().len();
        snapshots += usize::from(frame[3] == "presence_state");
        model.take(&frame, "presence:all");
    }
    assert!(bytes < healthy_bytes, "what it was too slow for was not kept: {bytes} of {healthy_bytes}");
    stuck.heartbeat().await;
}

/// One that never reads is cut, well within the ninety seconds allowed; run by `limits`, among others that wait.
pub(crate) async fn a_watcher_that_never_reads_is_cut() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (mia, _tabs) = heavy(&app).await;
    let mut stuck = admin.narrow_socket(4_096).await;
    stuck.cast("presence:me", "phx_join", json!({})).await;
    stuck.cast("presence:all", "phx_join", json!({})).await;
    for n in 0..300 {
        let choice = if n % 2 == 0 { "busy" } else { "available" };
        mia.put("/api/v1/presence/me", json!({"choice": choice})).await;
    }
    let here = async || {
        let online = admin.get("/api/v1/admin/users/online?q=ada").await.json();
        online["users"][0]["devices"].as_array().is_some_and(|d| d.iter().any(|d| d["connected"] == json!(true)))
    };
    assert!(here().await);
    let started = Instant::now();
    while here().await {
        assert!(started.elapsed() < Duration::from_secs(90), "cut by now");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // What had left the server before arrives, and then the end.
    let end = timeout(PATIENCE, async {
        while let Some(Ok(message)) = stuck.stream.next().await {
            if message.is_close() {
                return Some(message);
            }
        }
        None::<tokio_tungstenite::tungstenite::Message>
    });
    end.await.expect("an end in time");
    let online: Value = admin.get("/api/v1/admin/users/online?q=mia").await.json();
    assert_eq!(online["total"], 1, "others are not touched");
}
