//! Sessions that are ended at random under load: from the answer on nothing of them works.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::Actor;
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;
use services::Token;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{App, Client, Dice, Socket};

/// `ROLLCALL_TEST_SESSIONS=1000` for the whole proof.
fn number() -> usize {
    std::env::var("ROLLCALL_TEST_SESSIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

/// A session with its cookie, and when an answer said that it is over.
struct Target {
    id: uuid::Uuid,
    client: Client,
    answered: OnceLock<Instant>,
}

impl Target {
    async fn of(app: &App, token: &Token) -> Self {
        let session = app.services.sessions.authenticate(token.expose()).await.unwrap().unwrap();
        let client = app.anonymous();
        client.set_cookie(Some(format!("rollcall={}", token.expose())));
        Self { id: session.id, client, answered: OnceLock::new() }
    }
}

/// Asks for random sessions until told to stop: good before the answer, never after it.
async fn ask(all: Arc<Vec<Target>>, seed: u64, stop: Arc<AtomicBool>, refused: Arc<AtomicUsize>) {
    let mut dice = Dice::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let target = &all[dice.below(all.len())];
        let started = Instant::now();
        let status = target.client.request(Method::GET, "/api/v1/session").send().await.unwrap().status();
        let over = target.answered.get().is_some_and(|answered| *answered < started);
        assert!(!over || status == 401, "{status} for a request that started after the answer");
        assert!(status == 200 || status == 401, "{status}");
        refused.fetch_add(usize::from(over), Ordering::Relaxed);
    }
}

/// The code a socket is closed with, however long that takes: many are ended one after the other.
async fn closed(mut socket: Socket) -> Option<u16> {
    loop {
        match socket.stream.next().await {
            Some(Ok(Message::Close(frame))) => return frame.map(|f| f.code.into()),
            Some(Ok(_)) => {}
            _ => return None,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_ended_session_works_after_the_answer() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let made = app.services.sessions.bulk_load(&Actor::Operator, number() as u32, "member", true).await.unwrap();
    let mut all = vec![];
    for (_, token) in &made {
        all.push(Target::of(&app, token).await);
    }
    let all = Arc::new(all);
    let mut sockets = JoinSet::new();
    for n in 0..all.len() {
        let mut socket = all[n].client.socket().await;
        socket.join("presence:me", json!({"page": "/", "idle_ms": 0})).await;
        sockets.spawn(async move { (n, closed(socket).await, Instant::now()) });
    }
    let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for seed in 1..=4 {
        load.spawn(ask(Arc::clone(&all), seed, Arc::clone(&stop), Arc::clone(&refused)));
    }
    let mut dice = Dice::new(5);
    let mut left: Vec<usize> = (0..all.len()).collect();
    while !left.is_empty() {
        let n = left.len().min(1 + dice.below(5));
        let some: Vec<usize> = (0..n).map(|_| left.swap_remove(dice.below(left.len()))).collect();
        let ids: Vec<_> = some.iter().map(|n| all[*n].id).collect();
        let answer = ada.post("/api/v1/admin/sessions/revoke", json!({ "ids": ids })).await;
        let now = Instant::now();
        assert_eq!(answer.json()["ended"], ids.len());
        for n in some {
            all[n].answered.set(now).unwrap();
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(asked) = load.join_next().await {
        asked.unwrap();
    }
    let refused = refused.load(Ordering::Relaxed);
    assert!(refused > 50, "only {refused} requests came after an answer");
    let mut late = vec![];
    while let Some(closed) = sockets.join_next().await {
        let (n, code, at) = closed.unwrap();
        assert_eq!(code, Some(4001));
        late.push(at.saturating_duration_since(*all[n].answered.get().unwrap()));
    }
    late.sort_unstable();
    let p99 = late[(late.len() * 99).div_ceil(100) - 1];
    println!("{} ended, {refused} refused afterwards, sockets closed p99 {p99:?} after the answer", late.len());
    assert!(p99 <= Duration::from_secs(1), "sockets closed p99 {p99:?} after the answer");
    app.stop().await;
}
