//! Settings over HTTP: what is shown, and what a change does to sessions and their sockets before it answers.

use domain::time::{HOUR, MINUTE};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, App, Client, settings};

const PATH: &str = "/api/v1/admin/settings";

async fn patch(client: &Client, query: &str, body: Value) -> Answer {
    client.send(client.request(Method::PATCH, &format!("{PATH}{query}")).json(&body)).await
}

async fn shown(client: &Client, key: &str) -> Value {
    let list = client.get(PATH).await.json();
    list["items"].as_array().unwrap().iter().find(|s| s["key"] == key).unwrap().clone()
}

#[tokio::test]
async fn every_setting_says_what_it_is() {
    let app = App::start().await;
    let admin = app.signed_in("root", "admin", None).await;
    assert_eq!(admin.get(PATH).await.json()["total"], domain::settings::ALL.len());
    let idle = shown(&admin, "session_idle").await;
    assert_eq!((&idle["value"], &idle["default"], &idle["fixed_by"]), (&json!("24h"), &json!("24h"), &json!(null)));
    let changed = patch(&admin, "", json!({"session_limit": 3, "grace": "20s"})).await;
    assert_eq!(changed.json()["changes"]["session_limit"], json!(["10", "3"]));
    let limit = shown(&admin, "session_limit").await;
    assert_eq!((&limit["value"], &limit["changed_by"]), (&json!("3"), &json!("root")));
    for bad in [json!({"session_idle": "soon"}), json!({"nothing": 1}), json!({"session_limit": [1]}), json!([1])] {
        let refused = patch(&admin, "", bad).await;
        assert!([400, 422].contains(&refused.status.as_u16()), "{refused:?}");
    }
    let back = patch(&admin, "", json!({"session_limit": null})).await;
    assert_eq!(back.json()["changes"]["session_limit"], json!(["3", "10"]));
}

/// Rows 21, 27 and 28: the preview is what happens, and it has happened when the answer comes.
#[tokio::test]
async fn what_ends_is_over_when_it_answers() {
    // Sockets are silent while the clock is moved.
    let app = App::frozen(settings(|s| (s.session_limit, s.presence.lost_after) = (0, 2 * HOUR))).await;
    let old = app.signed_in("ada", "student", None).await;
    app.pass(HOUR + MINUTE).await;
    let admin = app.signed_in("root", "admin", None).await;
    let new = app.sign_in("ada").await;
    let mut socket = old.socket().await;
    let body = json!({"session_limit": 1});
    let would = patch(&admin, "?dry_run=true", body.clone()).await.json();
    assert_eq!((&would["would_end"], &would["people"], &would["dry_run"]), (&json!(1), &json!(1), &json!(true)));
    assert_eq!(would["who"][0]["username"], "ada");
    socket.heartbeat().await;
    assert_eq!(patch(&admin, "", body).await.json()["would_end"], 1);
    assert_eq!(socket.closed().await, Some(4001));
    assert!(!old.is_signed_in().await && new.is_signed_in().await);

    // Lifetimes reach sockets whose end was far away: they are told, and closed by the clock.
    let mut socket = new.socket().await;
    socket.join("presence:me", json!({})).await;
    patch(&admin, "", json!({"session_idle": "10m"})).await;
    assert_eq!(socket.event("presence:me", "session").await["expires_at"], "2027-01-15T09:11:00.000Z");
    app.pass(11 * MINUTE).await;
    assert_eq!(socket.closed().await, Some(4001));
}

#[tokio::test]
async fn the_page_shows_what_would_end_before_it_saves() {
    let app = App::frozen(|_| {}).await;
    let ada = app.signed_in("ada", "student", None).await;
    app.pass(2 * HOUR).await;
    let admin = app.signed_in("root", "admin", None).await;
    let page = admin.page("/admin/settings").await;
    assert!(page.text.contains("values[session_idle]"));
    let answer = admin.rpc("save_settings", &[("values[session_idle]", "1h"), ("values[grace]", "15s")]).await.json();
    let go = answer["go"].as_str().unwrap().to_owned();
    assert_eq!(go, "/admin/settings?review=1&session_idle=1h");
    assert!(ada_is_there(&app).await, "nothing is saved yet");
    let review = admin.page(&go).await.text;
    assert!(review.contains("1 session of 1 person ends at once"), "{review}");
    let saved = admin.rpc("save_settings", &[("values[session_idle]", "1h"), ("confirmed", "true")]).await.json();
    assert_eq!(saved["say"], "Saved. 1 session ended.");
    assert!(!ada.is_signed_in().await);
    let wrong = admin.rpc("save_settings", &[("values[session_idle]", "soon")]).await;
    assert!(wrong.json()["fields"]["values[session_idle]"].as_str().unwrap().contains("24h"), "{}", wrong.text);
    let strict = admin.form("save_settings", &[("values[session_preset]", "strict"), ("confirmed", "true")]).await;
    assert_eq!((strict.status.as_u16(), strict.header("location")), (302, "/admin/settings"));
    assert_eq!(shown(&admin, "session_max").await["value"], "24h");
    let manager = app.signed_in("max", "manager", Some("North")).await;
    assert_eq!(manager.rpc("save_settings", &[("values[grace]", "1m")]).await.status, 403);
    assert_eq!(manager.page("/admin/settings").await.status, 403);
}

async fn ada_is_there(app: &App) -> bool {
    use domain::{
        Actor,
        session::{SessionFilter, SessionState},
    };
    let filter =
        SessionFilter { user: Some("ada".into()), state: Some(SessionState::Live), ..SessionFilter::default() };
    app.services.sessions.count(&Actor::Operator, &filter).await.unwrap() == 1
}

/// Row 27: the number that is shown is the number that ends, and one's own stays unless asked.
#[tokio::test]
async fn everything_that_matches_ends_after_a_word_was_typed() {
    let app = App::start().await;
    let (ada, bob) = (app.signed_in("ada", "student", None).await, app.signed_in("bob", "student", None).await);
    let admin = app.signed_in("root", "admin", None).await;
    let page = admin.page("/admin/sessions?role=student").await.text;
    assert!(page.contains("End 2 sessions?") && page.contains("End 2 live sessions that match"), "{page}");
    let fields = |confirm: &'static str, number: &'static str| {
        [("query", "role=student"), ("confirm", confirm), ("number", number)]
    };
    assert_eq!(admin.rpc("end_matching", &fields("", "2")).await.status, 422);
    let more = admin.rpc("end_matching", &fields("end", "1")).await;
    assert!(more.json()["message"].as_str().unwrap().contains("more than you were shown"));
    assert!(ada.is_signed_in().await && bob.is_signed_in().await);
    assert_eq!(admin.rpc("end_matching", &fields("end", "2")).await.json()["say"], "2 sessions ended.");
    assert!(!ada.is_signed_in().await && !bob.is_signed_in().await && admin.is_signed_in().await);
    let page = admin.page("/admin/sessions").await.text;
    assert!(!page.contains("that match"), "only one's own is left, which is spared");
    let again = app.sign_in("ada").await;
    let id = again.session_id().await;
    assert_eq!(admin.rpc("end_selected", &[("ids", &id)]).await.json()["say"], "1 session ended.");
    assert!(!again.is_signed_in().await);
}

/// Row 27: with one's own among what matches, both numbers are shown, and each is the one that ends.
#[tokio::test]
async fn both_numbers_are_exact_where_one_s_own_matches() {
    let app = App::start().await;
    app.signed_in("ada", "student", None).await;
    let admin = app.signed_in("root", "admin", None).await;
    let other = app.sign_in("root").await;
    let page = admin.page("/admin/sessions?user=root").await.text;
    assert!(
        page.contains("End 1 session?") && page.contains("End 2, mine too") && page.contains(">Username<"),
        "{page}"
    );
    let page = admin.page("/admin/sessions?user=ada").await.text;
    assert!(page.contains("End 1 session?") && !page.contains("mine too"), "{page}");
    let fields = [("query", "user=root"), ("confirm", "end"), ("number", "1"), ("include_own", "true")];
    assert_eq!(admin.rpc("end_matching", &fields).await.json()["say"], "2 sessions ended.");
    assert!(!admin.is_signed_in().await && !other.is_signed_in().await);
}

/// The clean-up by its button.
#[tokio::test]
async fn the_page_cleans_up() {
    let app = App::start().await;
    let admin = app.signed_in("root", "admin", None).await;
    assert!(admin.page("/admin/sessions").await.text.contains("Clean up now"));
    assert_eq!(admin.rpc("clean_up", &[]).await.json()["say"], "0 sessions marked as ended, 0 deleted.");
    let manager = app.signed_in("max", "manager", Some("North")).await;
    assert!(!manager.page("/admin/sessions").await.text.contains("Clean up now"));
}

/// Moving says first what it would do, and does nothing.
#[tokio::test]
async fn people_move_after_a_look() {
    let app = App::start().await;
    let admin = app.signed_in("root", "admin", Some("South")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let look = admin.rpc("move_people", &[("ids", &id), ("to", "South")]).await.json();
    let shown = look["show"].as_str().unwrap();
    assert!(shown.contains("1 account would move to South, and 1 live session would end"), "{shown}");
    assert!(mia.is_signed_in().await);
    let did = admin.rpc("move_people", &[("ids", &id), ("to", "South"), ("confirmed", "true")]).await.json();
    assert_eq!(did["say"], "1 account moved, 1 session ended.");
    let again = admin.rpc("move_people", &[("ids", &id), ("to", "South")]).await.json();
    assert!(again["show"].as_str().unwrap().contains("Everybody chosen is there already."), "{again}");
}

/// A team is chosen by its name and its organisation's.
#[tokio::test]
async fn people_are_listed_by_team() {
    let app = App::start().await;
    let admin = app.signed_in("root", "admin", None).await;
    for (username, organisation) in [("tea", "North"), ("ted", "South")] {
        let (organisation, teams) = (Some(organisation.to_owned()), vec!["Red".to_owned()]);
        app.add(services::NewUser { username: username.into(), organisation, teams, ..Default::default() }).await;
    }
    let page = admin.page("/admin/people").await.text;
    assert!(page.contains("Red · North") && page.contains("Red · South"), "{page}");
    let teams = admin.get("/api/v1/admin/teams").await.json();
    let of_north = teams["items"].as_array().unwrap().iter().find(|t| t["organisation"] == "North").unwrap();
    let page = admin.page(&format!("/admin/people?team={}", of_north["id"].as_str().unwrap())).await.text;
    assert!(page.contains(">tea<") && !page.contains(">ted<") && page.contains("1 account"), "{page}");
}
