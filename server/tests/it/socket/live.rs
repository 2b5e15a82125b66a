//! What watchers see is what there is: presence topics and live queries against `/admin/users/online`, while thirty
//! people come and go.

use std::time::{Duration, Instant};

use domain::{
    presence::{
        PersonRow,
        live::{Mirror, Patch, Snapshot},
    },
    time::MINUTE,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{
    App, Client, Dice, PASSWORD, Socket, always,
    phoenix::{Presences, list_of},
    settings,
};

/// One of the thirty.
struct Person {
    username: String,
    client: Client,
    sockets: Vec<Socket>,
}

impl Person {
    /// Does one thing people do.
    async fn act(&mut self, dice: &mut Dice) {
        let page = format!("/page/{}", dice.below(9));
        match dice.below(10) {
            0..=2 => {
                if self.client.cookie().is_none() {
                    assert_eq!(self.client.log_in(&self.username, PASSWORD).await.status, 200);
                }
                let mut socket = self.client.socket().await;
                let idle = *dice.of(&[0, 400_000, 2_000_000]);
                socket.join("presence:me", json!({"page": page, "idle_ms": idle, "visible": dice.below(2) == 0})).await;
                self.sockets.push(socket);
            }
            3..=5 => {
                if let Some(socket) = self.sockets.last_mut() {
                    socket.push("presence:me", "meta", json!({"page": page, "idle_ms": 0})).await;
                }
            }
            6 => {
                if let Some(mut socket) = self.sockets.pop() {
                    let _ = socket.stream.close(None).await;
                }
            }
            // Lost without a goodbye.
            7 => drop(self.sockets.pop()),
            8 if self.client.cookie().is_some() => {
                let choice = *dice.of(&["available", "busy", "away", "invisible"]);
                self.client.put("/api/v1/presence/me", json!({"choice": choice})).await;
            }
            _ if self.client.cookie().is_some() => {
                self.client.post("/api/v1/auth/logout", json!({})).await;
                self.sockets.clear();
            }
            _ => {}
        }
    }
}

/// What a watcher has made of what it heard.
struct Watcher {
    socket: Socket,
    presences: Presences,
    mirror: Option<Mirror>,
}

impl Watcher {
    fn take(&mut self, frame: &Value) {
        self.presences.take(frame, "presence:all");
        match frame[3].as_str().filter(|_| frame[2] == "live:online") {
            Some("snapshot") => {
                let snapshot: Snapshot = serde_json::from_value(frame[4].clone()).unwrap();
                self.mirror = Some(Mirror::new(snapshot));
            }
            Some("patch") => {
                let patch: Patch = serde_json::from_value(frame[4].clone()).unwrap();
                assert_eq!(self.mirror.as_mut().unwrap().apply(patch), Ok(()), "{frame}");
            }
            _ => {}
        }
    }

    /// Takes in what has come.
    async fn catch_up(&mut self) {
        while let Ok(message) = timeout(Duration::from_millis(60), self.socket.stream.next()).await {
            if let Some(Ok(Message::Text(text))) = message {
                always::holds_no_secret("a frame", &text);
                self.take(&serde_json::from_str(&text).unwrap());
            }
        }
    }

    fn differs(&self, online: &Value) -> Option<String> {
        let (seen, is) = (self.presences.list(), list_of(online));
        if seen != is {
            return Some(format!("presence: {seen:#?} is not {is:#?}"));
        }
        let mirror = self.mirror.as_ref().unwrap();
        let rows: Vec<PersonRow> = serde_json::from_value(online["users"].clone()).unwrap();
        // How long is counted from when a row was written.
        let timeless = |rows: &[PersonRow]| -> Vec<PersonRow> {
            rows.iter().cloned().map(|r| PersonRow { session_seconds: 0, ..r }).collect()
        };
        if timeless(&mirror.rows) != timeless(&rows) || mirror.total as usize != rows.len() {
            return Some(format!("rows: {:#?} is not {rows:#?}", mirror.rows));
        }
        let counts = serde_json::to_value(&mirror.counts).unwrap();
        (counts != online["counts"]).then(|| format!("counts: {counts} is not {}", online["counts"]))
    }
}

#[tokio::test]
async fn watchers_see_what_there_is() {
    let app = App::with(settings(|s| {
        s.presence.grace = 300;
        s.presence.hidden_grace = 600;
    }))
    .await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut socket = admin.socket().await;
    socket.cast("presence:all", "phx_join", json!({})).await;
    socket.cast("live:online", "phx_join", json!({"limit": 200})).await;
    let mut watcher = Watcher { socket, presences: Presences::default(), mirror: None };
    let mut people = vec![];
    for n in 0..30 {
        let username = format!("person{n}");
        let role = ["student", "teacher", "manager"][n % 3];
        app.person(&username, role, Some(["North", "South"][n % 2])).await;
        people.push(Person { username, client: app.anonymous(), sockets: vec![] });
    }
    let mut dice = Dice::new(20_260_301);
    for round in 0..25 {
        for _ in 0..8 {
            let person = dice.below(people.len());
            people[person].act(&mut dice).await;
        }
        let started = Instant::now();
        loop {
            let online = admin.get("/api/v1/admin/users/online?limit=200").await.json();
            watcher.catch_up().await;
            let Some(difference) = watcher.differs(&online) else { break };
            // Something may have happened by itself between the two looks.
            assert!(started.elapsed() < Duration::from_secs(10), "round {round}: {difference}");
        }
    }
    for person in &mut people {
        person.sockets.clear();
    }
    let gone = async || admin.get("/api/v1/admin/users/online").await.json()["total"] == 0;
    crate::harness::until("everybody gone", gone).await;
    watcher.catch_up().await;
    assert!(watcher.presences.list().is_empty() && watcher.mirror.unwrap().rows.is_empty());
}

/// After a break only what was missed is sent; what cannot be told any more is a snapshot.
#[tokio::test]
async fn a_window_goes_on_after_a_break() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut clients = vec![];
    for username in ["mia", "ben", "cat"] {
        let client = app.signed_in(username, "student", None).await;
        client.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
        clients.push(client);
    }
    let mut watcher = Watcher { socket: admin.socket().await, presences: Presences::default(), mirror: None };
    let reply = watcher.socket.join("live:online", json!({"limit": 200})).await;
    assert_eq!(reply["response"]["resumed"], false, "{reply}");
    watcher.catch_up().await;
    for again in ["nothing missed", "two changes missed", "of another start"] {
        watcher.socket = admin.socket().await;
        let mut resume = json!(watcher.mirror.as_ref().unwrap().resume());
        match again {
            "two changes missed" => {
                clients[0].put("/api/v1/presence/me", json!({"choice": "busy"})).await;
                clients[1].post("/api/v1/auth/logout", json!({})).await;
            }
            "of another start" => resume["epoch"] = json!("00000000-0000-4000-8000-000000000000"),
            _ => {}
        }
        let reply = watcher.socket.join("live:online", json!({"limit": 200, "resume": resume})).await;
        assert_eq!(reply["response"]["resumed"], again != "of another start", "{again}: {reply}");
        // What follows the reply, up to the answer to a heartbeat.
        watcher.socket.cast("phoenix", "heartbeat", json!({})).await;
        let mut events = vec![];
        loop {
            let frame = watcher.socket.frame().await;
            if frame[2] == "phoenix" {
                break;
            }
            watcher.take(&frame);
            events.push(frame);
        }
        match again {
            "nothing missed" => assert!(events.is_empty(), "{events:?}"),
            "two changes missed" => {
                assert_eq!(events.len(), 1, "{events:?}");
                let patch = &events[0];
                assert_eq!((&patch[3], &patch[4]["prev"]), (&json!("patch"), &resume["seq"]));
                assert_eq!(patch[4]["upsert"].as_array().unwrap().len(), 1, "{patch}");
                assert_eq!(patch[4]["remove"].as_array().unwrap().len(), 1, "{patch}");
            }
            _ => assert_eq!(events[0][3], "snapshot", "{events:?}"),
        }
        let online = admin.get("/api/v1/admin/users/online?limit=200").await.json();
        let rows: Vec<PersonRow> = serde_json::from_value(online["users"].clone()).unwrap();
        let mirror = watcher.mirror.as_ref().unwrap();
        let states = |rows: &[PersonRow]| rows.iter().map(|r| (r.id, r.state, r.since)).collect::<Vec<_>>();
        assert_eq!(states(&mirror.rows), states(&rows), "{again}");
        assert_eq!(json!(mirror.counts), online["counts"], "{again}");
    }
}

/// Away for longer than what is remembered: a snapshot. Away since what still is: the patch alone.
#[tokio::test]
async fn a_break_that_is_too_long_ends_in_a_snapshot() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let choose = async |choice: &str| {
        assert_eq!(mia.put("/api/v1/presence/me", json!({"choice": choice})).await.status, 200);
    };
    let mut socket = admin.socket().await;
    socket.join("live:online", json!({})).await;
    let of = |event: &Value| json!({"resume": {"epoch": event["epoch"], "seq": event["seq"]}});
    let early = of(&socket.event("live:online", "snapshot").await);
    choose("busy").await;
    let late = of(&socket.event("live:online", "patch").await);
    // What is remembered ends two minutes before the newest change.
    app.pass(2 * MINUTE + 1).await;
    choose("away").await;
    socket.event("live:online", "patch").await;
    for (resume, resumed, event) in [(&late, true, "patch"), (&early, false, "snapshot")] {
        let mut again = admin.socket().await;
        let reply = again.join("live:online", resume.clone()).await;
        assert_eq!(reply["response"]["resumed"], resumed, "{reply}");
        again.cast("phoenix", "heartbeat", json!({})).await;
        let (told, end) = (again.frame().await, again.frame().await);
        assert_eq!((&told[3], &end[2]), (&json!(event), &json!("phoenix")), "that and nothing else: {told} {end}");
        let rows = if resumed { &told[4]["upsert"] } else { &told[4]["rows"] };
        assert_eq!((rows.as_array().unwrap().len(), &rows[0]["state"]), (1, &json!("away")), "{told}");
    }
}

/// A window shows what it asks for, moves when it is asked to, and refuses what makes no sense.
#[tokio::test]
async fn a_window_can_be_changed() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for username in ["mia", "ben", "cat"] {
        let client = app.signed_in(username, "student", None).await;
        client.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    }
    let mut socket = admin.socket().await;
    assert_eq!(socket.join("live:online", json!({"limit": 2, "sort": "name"})).await["status"], "ok");
    let snapshot = socket.event("live:online", "snapshot").await;
    let names = |s: &Value| {
        s["rows"].as_array().unwrap().iter().map(|r| r["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&snapshot), &snapshot["total"], &snapshot["counts"]["online"]),
        (vec!["ben".into(), "cat".into()], &json!(3), &json!(3))
    );
    for bad in [
        json!({"limit": -1}),
        json!({"sort": "password"}),
        json!({"filter": {"is_admin": true}}),
        json!({"resume": {"seq": "old"}}),
        json!({"surprise": 1}),
    ] {
        assert_eq!(socket.push("live:online", "query", bad.clone()).await["status"], "error", "{bad}");
    }
    let resume = json!({"epoch": snapshot["epoch"], "seq": snapshot["seq"]});
    let query = json!({"filter": {"q": "MIA"}, "limit": 4_000_000_000_u32, "resume": resume});
    assert_eq!(socket.push("live:online", "query", query).await["status"], "ok");
    let snapshot = socket.event("live:online", "snapshot").await;
    assert_eq!((names(&snapshot), &snapshot["total"]), (vec!["mia".to_owned()], &json!(1)));
}

/// One socket carries the windows of many tabs: each with its own query, frames under the name it was joined by.
#[tokio::test]
async fn a_socket_has_several_windows() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (mia, ben) = (app.signed_in("mia", "student", None).await, app.signed_in("ben", "teacher", None).await);
    for client in [&mia, &ben] {
        client.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    }
    let mut socket = admin.socket().await;
    let names = |s: &Value| {
        s["rows"].as_array().unwrap().iter().map(|r| r["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (topic, filter, shown) in [
        ("live:online", json!({}), vec!["mia", "ben"]),
        ("live:online:tab1", json!({"role": "student"}), vec!["mia"]),
        ("live:online:tab2", json!({"role": "teacher"}), vec!["ben"]),
    ] {
        assert_eq!(socket.join(topic, json!({"filter": filter})).await["status"], "ok");
        assert_eq!(names(&socket.event(topic, "snapshot").await), shown, "{topic}");
    }
    mia.put("/api/v1/presence/me", json!({"choice": "busy"})).await;
    let states =
        |p: &Value| p["upsert"].as_array().into_iter().flatten().map(|r| r["state"].clone()).collect::<Vec<_>>();
    let mut told: Vec<(String, usize)> = vec![];
    for _ in 0..3 {
        let frame = socket.frame().await;
        assert_eq!(frame[3], "patch");
        assert!(states(&frame[4]).iter().all(|s| s == "busy"));
        told.push((frame[2].as_str().unwrap().to_owned(), states(&frame[4]).len()));
    }
    told.sort();
    let all = [("live:online", 1), ("live:online:tab1", 1), ("live:online:tab2", 0)];
    assert_eq!(told, all.map(|(topic, n)| (topic.to_owned(), n)), "tab2 hears of the counts alone");
    // Each changes and goes by itself.
    assert_eq!(socket.push("live:online:tab2", "query", json!({"filter": {"q": "mia"}})).await["status"], "ok");
    assert_eq!(names(&socket.event("live:online:tab2", "snapshot").await), ["mia"]);
    assert_eq!(socket.push("live:online:tab1", "phx_leave", json!({})).await["status"], "ok");
    assert_eq!(socket.push("live:online:tab1", "query", json!({})).await["response"]["reason"], "unmatched topic");
    // Twenty beside the plain one, and no more; what is joined again is none more.
    for n in 0..19 {
        assert_eq!(socket.join(&format!("live:online:more{n}"), json!({})).await["status"], "ok", "{n}");
    }
    assert_eq!(socket.join("live:online:more0", json!({})).await["status"], "ok");
    assert_eq!(socket.join("live:online:onemore", json!({})).await["response"]["reason"], "too_many_requests");
    assert_eq!(socket.join("live:online", json!({})).await["status"], "ok");
    for bad in ["live:online:", "live:online:UPPER", "live:online:a-b", "live:online:12345678901234567", "live:onlinex"]
    {
        assert_eq!(socket.join(bad, json!({})).await["response"]["reason"], "unmatched topic", "{bad}");
    }
}
