//! Row 45: a watcher that reads slowly, or not at all, costs little and harms nobody.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use domain::presence::live::{Mirror, Patch};
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
    let (mut healthy_bytes, mut diffs, mut queued) = (0, 0, 0);
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
        queued = queued.max(app.services.presence.queued().await.unwrap());
    }
    // Full again and again, and never above what one watcher may hold.
    assert!((100_000..=256 * 1024).contains(&queued), "{queued}");
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

/// The same for a live query: patches it was too slow for are dropped, a snapshot follows, and the window is true again.
#[tokio::test]
async fn a_stuck_live_query_converges_by_snapshot() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (mia, _tabs) = heavy(&app).await;
    let mut stuck = admin.narrow_socket(4_096).await;
    stuck.cast("live:online", "phx_join", json!({})).await;
    stuck.cast("live:online:further", "phx_join", json!({"filter": {"q": "mia"}})).await;
    for n in 0..300 {
        let choice = if n % 2 == 0 { "busy" } else { "available" };
        mia.put("/api/v1/presence/me", json!({"choice": choice})).await;
    }
    let online = admin.get("/api/v1/admin/users/online").await.json();
    let mut windows: HashMap<String, (Mirror, usize)> = HashMap::new();
    let (mut frames, is) = (0, &online["users"][0]["since"]);
    let done = |(mirror, snapshots): &(Mirror, usize)| *snapshots > 1 && json!(mirror.rows[0].since) == *is;
    while windows.len() < 2 || !windows.values().all(done) {
        let frame = stuck.frame().await;
        frames += 1;
        let (mirror, snapshots) = windows.entry(frame[2].as_str().unwrap().to_owned()).or_default();
        match frame[3].as_str() {
            Some("snapshot") => {
                *snapshots += 1;
                *mirror = Mirror::new(serde_json::from_value(frame[4].clone()).unwrap());
            }
            Some("patch") => {
                let patch: Patch = serde_json::from_value(frame[4].clone()).unwrap();
                assert_eq!(mirror.apply(patch), Ok(()), "what was not dropped follows what came before");
            }
            _ => {}
        }
    }
    assert!(frames < 600, "what it was too slow for was not kept: {frames}");
    stuck.heartbeat().await;
}

/// Forty-nine who watch somebody else get every one of their frames, one by one, while the fiftieth is stuck.
#[tokio::test]
async fn a_stuck_watcher_costs_the_others_no_frame() {
    const ROUNDS: usize = 120;
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (mia, _tabs) = heavy(&app).await;
    let ben = app.signed_in("ben", "student", Some("North")).await;
    ben.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let online = admin.get("/api/v1/admin/users/online?q=ben").await.json();
    let topic = format!("presence:org:{}", online["users"][0]["organisation_id"].as_str().unwrap());
    let mut stuck = admin.narrow_socket(4_096).await;
    stuck.cast("presence:all", "phx_join", json!({})).await;
    let mut others = vec![];
    for n in 0..49 {
        // Twenty sockets are what one session may have.
        let watcher = if n % 15 == 0 { Some(app.sign_in("ada").await) } else { None };
        others.extend(watcher.map(|w| (w, vec![])));
        let (client, sockets): &mut (Client, Vec<Socket>) = others.last_mut().unwrap();
        let mut socket = client.socket().await;
        assert_eq!(socket.join(&topic, json!({})).await["status"], "ok");
        socket.event(&topic, "presence_state").await;
        sockets.push(socket);
    }
    let mut sockets: Vec<Socket> = others.into_iter().flat_map(|(_, sockets)| sockets).collect();
    for n in 0..ROUNDS {
        let choice = if n % 2 == 0 { "busy" } else { "available" };
        mia.put("/api/v1/presence/me", json!({"choice": choice})).await;
        ben.put("/api/v1/presence/me", json!({"choice": choice})).await;
        for socket in &mut sockets {
            // The very next frame: nothing was dropped, merged or sent again.
            let frame = socket.frame().await;
            assert_eq!((&frame[2], &frame[3]), (&json!(topic), &json!("presence_diff")), "round {n}");
            let state = if n % 2 == 0 { "busy" } else { "active" };
            let joins = frame[4]["joins"].as_object().unwrap();
            assert!(joins.len() == 1 && joins.values().all(|j| j["metas"][0]["state"] == state), "round {n}: {frame}");
        }
    }
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

/// One that reads nothing for 30 s and then goes on finds why it was closed behind what had been on its way; run by
/// `limits`, among others that wait.
pub(crate) async fn a_watcher_that_reads_again_is_told_why() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (mia, _tabs) = heavy(&app).await;
    let mut stuck = admin.narrow_socket(4_096).await;
    stuck.cast("presence:all", "phx_join", json!({})).await;
    // It is stuck since something waits for it and is not taken; before that, all that came was on its way at once.
    let (mut since, mut queued) = (Instant::now(), 0);
    for n in 0.. {
        let choice = if n % 2 == 0 { "busy" } else { "available" };
        mia.put("/api/v1/presence/me", json!({"choice": choice})).await;
        queued = app.services.presence.queued().await.unwrap();
        match queued {
            0 => since = Instant::now(),
            200_000.. => break,
            _ => {}
        }
    }
    assert!(queued > 0);
    // Half-way between the end of the server's patience and that of its goodbye.
    tokio::time::sleep_until((since + Duration::from_secs(31)).into()).await;
    assert_eq!(stuck.closed().await, Some(4009));
}
