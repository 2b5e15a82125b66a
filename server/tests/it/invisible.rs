//! Whoever chose to be invisible is offline to members and managers, whichever door they look through, and marked to
//! admins.

use std::collections::BTreeMap;

use domain::time::MINUTE;
use serde_json::{Value, json};

use crate::{
    harness::{App, Client},
    socket::topics::{organisation, state, team},
};

/// Whether `id` is here, by each door that is open to `who`.
async fn doors(app: &App, who: &Client, topics: &[String], console: bool, id: &str) -> BTreeMap<String, bool> {
    let mut seen = BTreeMap::new();
    for topic in topics {
        let mut socket = who.socket().await;
        assert_eq!(socket.join(topic, json!({})).await["status"], "ok", "{topic}");
        seen.insert(topic.clone(), state(&mut socket, topic).await.get(id).is_some());
    }
    let session = app.services.sessions.authenticate(&who.token()).await.unwrap().unwrap();
    let people = app.services.presence.people(&session.actor()).await.unwrap();
    if session.card().organisation.is_some() {
        seen.insert("people".to_owned(), people.iter().any(|p| p.id.to_string() == id));
    }
    if console {
        let mut socket = who.socket().await;
        socket.join("live:online", json!({})).await;
        let snapshot = socket.event("live:online", "snapshot").await;
        let online = who.get("/api/v1/admin/users/online").await.json();
        let page = who.rpc("online", &[("window", "{}")]).await.json();
        for (door, answer, rows) in
            [("live", &snapshot, "rows"), ("online", &online, "users"), ("page", &page, "users")]
        {
            let shown = answer[rows].as_array().is_some_and(|r| r.iter().any(|r| r["id"] == id));
            // Nobody else is here, so the counts are theirs.
            assert_eq!(answer["counts"]["online"] == 1, shown, "{door}: {answer}");
            assert_eq!(answer["counts"]["by_state"]["active"] == 1, shown, "{door}: {answer}");
            assert_eq!(answer["total"] == 1, shown, "{door}: {answer}");
            seen.insert(door.to_owned(), shown);
        }
        let why = who.get(&format!("/api/v1/admin/users/{id}/why")).await.json();
        assert_eq!(why["transitions"] != json!([]), why["state"] != "offline", "{why}");
        assert_eq!(why["person"].is_object(), why["state"] != "offline", "{why}");
        seen.insert("why".to_owned(), why["state"] != "offline");
        let at = who.get(&format!("/api/v1/admin/presence/at?time={}", online["as_of"].as_str().unwrap())).await.json();
        seen.insert("at".to_owned(), at["users"].as_array().unwrap().iter().any(|u| u["id"] == id));
        let page = who.rpc("why", &[("id", id)]).await.json();
        seen.insert("why, page".to_owned(), page["state"] != "offline");
    }
    seen
}

#[tokio::test]
async fn the_invisible_are_offline_to_all_but_admins() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let manager = app.signed_in("max", "manager", Some("North")).await;
    let member = app.signed_in("ben", "student", Some("North")).await;
    let red = team(&app, "North", "Red").await;
    let mia = app.sign_in("first.north.red").await;
    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let org = organisation(&mia).await;
    let mut tab = mia.socket().await;
    tab.join("presence:me", json!({"page": "/"})).await;

    let topics =
        |names: &[&str]| names.iter().map(|t| t.replace("ORG", &org).replace("TEAM", &red)).collect::<Vec<_>>();
    let of_console = topics(&["presence:org:ORG", "realtime:org:ORG", "presence:team:TEAM", "realtime:team:TEAM"]);
    let of_admin = [of_console.clone(), topics(&["presence:all", "realtime:all"])].concat();
    let of_member = topics(&["people:org:ORG", "realtime:org:ORG"]);
    let look = async || {
        [
            doors(&app, &admin, &of_admin, true, &id).await,
            doors(&app, &manager, &of_console, true, &id).await,
            doors(&app, &member, &of_member, false, &id).await,
        ]
    };
    let all = |doors: &BTreeMap<String, bool>, seen: bool| assert!(doors.values().all(|s| *s == seen), "{doors:?}");
    look().await.iter().for_each(|d| all(d, true));

    // Those who watch already see them go, and are told nothing more.
    let (presence, people) = (&of_console[0], &of_member[0]);
    let (mut watcher, mut colleague) = (manager.socket().await, member.socket().await);
    for topic in [presence, "live:online"] {
        watcher.join(topic, json!({})).await;
    }
    watcher.event("live:online", "snapshot").await;
    colleague.join(people, json!({})).await;
    colleague.event(people, "presence_state").await;
    tab.push("presence:me", "status", json!({"choice": "invisible", "message": "hush"})).await;
    let diff = watcher.event(presence, "presence_diff").await;
    assert_eq!((&diff["joins"], diff["leaves"].get(&id).is_some()), (&json!({}), true), "{diff}");
    let patch = watcher.event("live:online", "patch").await;
    assert_eq!((&patch["remove"], &patch["counts"]["online"]), (&json!([id]), &json!(0)), "{patch}");
    let diff = colleague.event(people, "presence_diff").await;
    assert_eq!((&diff["joins"], diff["leaves"].get(&id).is_some()), (&json!({}), true), "{diff}");
    let [admins, managers, members] = look().await;
    all(&admins, true);
    all(&managers, false);
    all(&members, false);
    let row = admin.get("/api/v1/admin/users/online").await.json()["users"][0].clone();
    assert_eq!((&row["invisible"], &row["state"], &row["message"]), (&json!(true), &json!("active"), &json!("hush")));
    // To themselves they are as they are.
    assert_eq!(mia.get("/api/v1/presence/me").await.json()["state"], "active");
    tab.push("presence:me", "meta", json!({"page": "/hidden"})).await;
    tab.push("presence:me", "status", json!({"choice": "available"})).await;
    // The first thing that is heard again is that they are here.
    assert!(watcher.event(presence, "presence_diff").await["joins"].get(&id).is_some());
    assert_eq!(colleague.event(people, "presence_diff").await["leaves"], json!({}));
    look().await.iter().for_each(|d| all(d, true));
}

/// Visible again, they are told of from then on: what happened before stays with admins, by every door to the past.
#[tokio::test]
async fn the_time_while_invisible_is_never_told() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let manager = app.signed_in("max", "manager", Some("North")).await;
    let id = app.person("mia", "student", Some("North")).await.to_string();
    let mia = app.sign_in("mia").await;
    let choose = async |choice: &str| {
        assert_eq!(mia.put("/api/v1/presence/me", json!({"choice": choice})).await.status, 200);
    };
    // Here at 08:00, invisible from 08:01 to 08:09, idle meanwhile from 08:08 on.
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0, "page": "/open"})).await;
    app.pass(MINUTE).await;
    choose("invisible").await;
    app.pass(2 * MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0, "page": "/secret"})).await;
    app.pass(4 * MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({"page": "/"})).await;
    app.pass(2 * MINUTE).await;
    choose("available").await;
    app.pass(MINUTE).await;

    let edges = |answer: &Value, list: &str, at: &str| -> Vec<String> {
        let line = |t: &Value| {
            let hidden = if t["invisible"] == true { " invisible" } else { "" };
            format!("{} {} {}{hidden}", &t[at].as_str().unwrap()[11..19], t["state"], t["cause"]).replace('"', "")
        };
        answer[list].as_array().unwrap().iter().map(line).collect()
    };
    let why = async |who: &Client| who.get(&format!("/api/v1/admin/users/{id}/why")).await.json();
    let day = async |who: &Client| who.get(&format!("/api/v1/admin/users/{id}/presence?day=2027-01-15")).await.json();
    let (first, last) = ("08:00:00 active signed_in", "08:09:00 idle chosen");
    let hidden = ["08:08:00 idle no_input invisible", "08:01:00 active chosen invisible"];
    let (told, known) = (why(&manager).await, why(&admin).await);
    assert_eq!(edges(&told, "transitions", "at"), [last]);
    assert_eq!(edges(&known, "transitions", "at"), [last, hidden[0], hidden[1], first]);
    for why in [&told, &known] {
        assert_eq!((&why["since"], &why["person"]["since"]), (&json!("2027-01-15T08:09:00.000Z"), &why["since"]));
    }
    let (told, known) = (day(&manager).await, day(&admin).await);
    assert_eq!(edges(&told, "intervals", "from"), [first, last]);
    assert_eq!(edges(&known, "intervals", "from"), [first, hidden[1], hidden[0], last]);
    assert_eq!(told["intervals"][0]["to"], "2027-01-15T08:01:00.000Z", "{told}");
    assert_eq!((&told["seconds_by_state"]["active"], &told["seconds_by_state"]["idle"]), (&json!(60), &json!(60)));
    assert!(!told.to_string().contains("secret") && known.to_string().contains("secret"), "{told} {known}");
    for (minute, here) in [("00:30", true), ("01:00", false), ("04:00", false), ("08:30", false), ("09:00", true)] {
        for (who, shown) in [(&manager, here), (&admin, true)] {
            let at = who.get(&format!("/api/v1/admin/presence/at?time=2027-01-15T08:{minute}Z")).await.json();
            assert_eq!((&at["total"], at["users"][0]["id"] == json!(id)), (&json!(u8::from(shown)), shown), "{at}");
        }
    }
    let online = manager.get("/api/v1/admin/users/online").await.json()["users"][0].clone();
    assert_eq!((&online["since"], &online["cause"]), (&json!("2027-01-15T08:09:00.000Z"), &json!("chosen")));
}

/// Sessions are rights of access and no presence: whoever may end one is told of its use, invisible or not. Nobody
/// hides a stolen session from those who look after sessions by choosing to be invisible in it.
#[tokio::test]
async fn sessions_of_the_invisible_are_listed_as_they_are() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let manager = app.signed_in("max", "manager", Some("North")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    mia.put("/api/v1/presence/me", json!({"choice": "invisible"})).await;
    app.pass(MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let list = async |who: &Client| who.get("/api/v1/admin/sessions?user=mia").await.json()["items"].clone();
    let (managers, admins) = (list(&manager).await, list(&admin).await);
    assert_eq!((&managers, &managers[0]["last_activity_at"]), (&admins, &json!("2027-01-15T08:01:00.000Z")));
    let session = &managers[0];
    assert!(session.get("invisible").is_none() && session.get("page").is_none(), "no presence in it: {session}");
    let ended = manager.post("/api/v1/admin/sessions/revoke", json!({"ids": [session["id"]]})).await.json();
    assert_eq!(ended["ended"], 1);
    assert!(!mia.is_signed_in().await);
}

/// A choice until a time ends at that time, the server being there or not; what follows is automatic.
#[tokio::test]
async fn a_choice_until_a_time_ends_then() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", None).await;
    let choose = async |choice: &str, until: &str| {
        assert_eq!(mia.put("/api/v1/presence/me", json!({"choice": choice, "until": until})).await.status, 200);
    };
    choose("invisible", "2027-01-15T08:10:00.000Z").await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let row = async |admin: &Client| admin.get("/api/v1/admin/users/online").await.json()["users"][0].clone();
    assert_eq!(row(&admin).await["invisible"], true);
    // In force again after a restart, and over while another lasts.
    let cookies = (admin.cookie(), mia.cookie());
    let app = app.restart(|_| {}).await;
    let (admin, mia) = (app.anonymous(), app.anonymous());
    admin.set_cookie(cookies.0);
    mia.set_cookie(cookies.1);
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    assert_eq!(row(&admin).await["invisible"], true);
    app.pass(9 * MINUTE).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let app = app.restart(|_| {}).await;
    app.pass(MINUTE).await;
    let mia = app.sign_in("mia").await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let me = mia.get("/api/v1/presence/me").await.json();
    assert_eq!((&me["choice"], &me["until"], &me["state"]), (&json!("available"), &Value::Null, &json!("active")));
    let admin = app.sign_in("ada").await;
    assert!(row(&admin).await.get("invisible").is_none());
}
