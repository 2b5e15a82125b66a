//! Row 42: who may join which topic.

use serde_json::{Value, json};
use services::NewUser;
use uuid::Uuid;

use crate::{
    harness::{App, Client, PASSWORD, Socket},
    routes::NOBODY,
};

pub(crate) async fn organisation(client: &Client) -> String {
    client.get("/api/v1/session").await.json()["user"]["organisation_id"].as_str().unwrap().to_owned()
}

/// The snapshot after a join. In the Supabase dialect an empty one comes first.
pub(crate) async fn state(socket: &mut Socket, topic: &str) -> Value {
    if topic.starts_with("realtime:") {
        assert_eq!(socket.event(topic, "presence_state").await, json!({}), "{topic}");
    }
    socket.event(topic, "presence_state").await
}

/// The refusal of a join.
pub(crate) async fn refused(socket: &mut Socket, topic: &str) -> Value {
    let reply = socket.join(topic, json!({})).await;
    assert_eq!(reply["status"], "error", "{topic}: {reply}");
    reply
}

/// Members watch nobody; the answer is the same for what is there and what is not.
#[tokio::test]
async fn members_watch_nobody() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let own = organisation(&mia).await;
    let other = organisation(&app.signed_in("cat", "student", Some("South")).await).await;
    let answers = async |topics: [String; 3]| {
        let mut all = vec![];
        for topic in topics {
            // A socket each: a second refusal is answered late.
            all.push(refused(&mut mia.socket().await, &topic).await);
        }
        all
    };
    let orgs = answers([own, other, NOBODY.to_owned()].map(|id| format!("presence:org:{id}"))).await;
    assert!(orgs.iter().all(|a| a["response"]["reason"] == "forbidden" && *a == orgs[0]), "{orgs:?}");
    let (own, team) = (organisation(&mia).await, team(&app, "North", "Red").await);
    let teams = answers([team.clone(), NOBODY.to_owned(), own].map(|id| format!("presence:team:{id}"))).await;
    assert!(teams.iter().all(|a| *a == orgs[0]), "{teams:?}");
    let all = answers(["presence:all".into(), "realtime:all".into(), format!("realtime:team:{team}")]).await;
    assert!(all.iter().all(|a| *a == orgs[0]), "{all:?}");
    refused(&mut mia.socket().await, "live:online").await;
    refused(&mut mia.socket().await, "live:activity").await;
    // And without joining there is nothing to say.
    let mut socket = mia.socket().await;
    for (topic, event) in [("presence:all", "anything"), ("live:online", "query"), ("presence:me", "meta")] {
        assert_eq!(socket.push(topic, event, json!({})).await["response"]["reason"], "unmatched topic");
    }
    for topic in [
        "",
        "presence",
        "presence:",
        "presence:org:",
        "presence:org:x",
        "presence:user:1",
        "presence:team:",
        "people:all",
        "realtime:",
        "realtime:me",
        "realtime:room",
        "PRESENCE:ALL",
        "presence:all ",
        "__proto__",
    ] {
        assert_eq!(refused(&mut mia.socket().await, topic).await["response"]["reason"], "unmatched topic", "{topic}");
    }
}

/// Managers watch their own organisation; another's is as if it were not there.
#[tokio::test]
async fn managers_watch_their_own_organisation() {
    let app = App::start().await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let cat = app.signed_in("cat", "student", Some("South")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let (own, other) = (organisation(&max).await, organisation(&cat).await);
    let answers = [
        refused(&mut max.socket().await, &format!("presence:org:{other}")).await,
        refused(&mut max.socket().await, &format!("presence:org:{NOBODY}")).await,
    ];
    assert_eq!(answers[0], answers[1]);
    refused(&mut max.socket().await, "presence:all").await;

    let topic = format!("presence:org:{own}");
    let mut watcher = max.socket().await;
    assert_eq!(watcher.join(&topic, json!({})).await["status"], "ok");
    assert_eq!(watcher.event(&topic, "presence_state").await, json!({}));
    assert_eq!(watcher.join("live:online", json!({})).await["status"], "ok");
    assert_eq!(watcher.event("live:online", "snapshot").await["total"], 0);
    // Those of another organisation come and go unseen: the first that is heard is one's own.
    cat.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let diff = watcher.event(&topic, "presence_diff").await;
    assert!(diff.to_string().contains("mia") && !diff.to_string().contains("cat"), "{diff}");
    assert_eq!(watcher.push("live:online", "query", json!({"filter": {"org": "South"}})).await["status"], "ok");
    let snapshot = watcher.event("live:online", "snapshot").await;
    assert_eq!((&snapshot["total"], &snapshot["counts"]["online"]), (&json!(0), &json!(1)));
    // Nobody's manager watches nobody.
    let ned = app.signed_in("ned", "manager", None).await;
    refused(&mut ned.socket().await, "live:online").await;
    refused(&mut ned.socket().await, "live:activity").await;
    refused(&mut ned.socket().await, &topic).await;
}

/// Managers watch the teams of their organisation, and tell them from another's of the same name.
#[tokio::test]
async fn managers_watch_their_own_teams() {
    let app = App::start().await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let ned = app.signed_in("ned", "manager", None).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let (red, blue, other) =
        (team(&app, "North", "Red").await, team(&app, "North", "Blue").await, team(&app, "South", "Red").await);
    for (username, organisation, team) in [("mia", "North", "Red"), ("ben", "North", "Blue"), ("cat", "South", "Red")] {
        let client = in_team(&app, username, organisation, team).await;
        client.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    }
    for dialect in ["presence", "realtime"] {
        let refusals = [
            refused(&mut max.socket().await, &format!("{dialect}:team:{other}")).await,
            refused(&mut max.socket().await, &format!("{dialect}:team:{NOBODY}")).await,
            refused(&mut ned.socket().await, &format!("{dialect}:team:{red}")).await,
        ];
        assert!(refusals.iter().all(|r| *r == refusals[0] && r["response"]["reason"] == "forbidden"), "{refusals:?}");
        for (who, team, name) in
            [(&max, &red, "mia"), (&max, &blue, "ben"), (&admin, &red, "mia"), (&admin, &other, "cat")]
        {
            let topic = format!("{dialect}:team:{team}");
            let mut socket = who.socket().await;
            assert_eq!(socket.join(&topic, json!({})).await["status"], "ok", "{topic}");
            let state = state(&mut socket, &topic).await;
            let names: Vec<&Value> = state.as_object().unwrap().values().map(|p| &p["metas"][0]["username"]).collect();
            assert_eq!(names, [name], "{topic}");
        }
    }
    // A change reaches the watchers of the team it is of, and no others.
    let mut watcher = max.socket().await;
    let topic = format!("presence:team:{red}");
    watcher.join(&topic, json!({})).await;
    for username in ["ben", "cat", "mia"] {
        app.sign_in(username).await.put("/api/v1/presence/me", json!({"choice": "busy"})).await;
    }
    let diff = watcher.event(&topic, "presence_diff").await.to_string();
    assert!(diff.contains("mia") && !diff.contains("ben") && !diff.contains("cat"), "{diff}");
}

/// Makes a person in a team and signs them in.
async fn in_team(app: &App, username: &str, organisation: &str, team: &str) -> Client {
    let new = NewUser {
        username: username.to_owned(),
        role: Some("student".to_owned()),
        organisation: Some(organisation.to_owned()),
        teams: vec![team.to_owned()],
        password: Some(PASSWORD.to_owned()),
        ..NewUser::default()
    };
    app.add(new).await;
    app.sign_in(username).await
}

/// The id of a team, which is made with somebody in it when it is not there.
pub(crate) async fn team(app: &App, organisation: &str, name: &str) -> String {
    let sql = format!(
        "SELECT hex(t.id) FROM teams t JOIN organisations o ON o.id = t.organisation_id \
         WHERE o.name = '{organisation}' AND t.name = '{name}'"
    );
    let database = app.database().await;
    if database.texts(&sql).await.is_empty() {
        in_team(app, &format!("first.{organisation}.{name}").to_lowercase(), organisation, name).await;
    }
    Uuid::parse_str(&database.texts(&sql).await[0]).unwrap().to_string()
}

/// Refusals beyond the first are answered late, so that a client that repeats them for ever costs little.
#[tokio::test]
async fn repeated_refusals_wait() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut socket = mia.socket().await;
    refused(&mut socket, "presence:all").await;
    let started = std::time::Instant::now();
    refused(&mut socket, "presence:all").await;
    assert!(started.elapsed().as_millis() >= 1_500, "{:?}", started.elapsed());
    socket.heartbeat().await;
}
