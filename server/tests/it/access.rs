//! Written pages and topics, from the tables of who may open and join them.

use serde_json::json;
use server::access::{TOPICS, TopicAccess};
use services::NewUser;

use crate::harness::App;

/// Row 48: each row of the written pages is a page, and nothing is one without a row.
#[tokio::test]
async fn every_written_page_has_its_row() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", Some("North")).await;
    let me = admin.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    for (path, _) in app::routes::WRITTEN {
        let answer = admin.page(&path.replace("{id}", &me)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(app::routes::is_listed(path) && !app::routes::is_listed(&format!("{path}/nothing/more")), "{path}");
    }
}

/// Rows 42 and 48: who may join what is what the row says; a topic without a row is none.
#[tokio::test]
async fn every_topic_refuses_whom_its_row_refuses() {
    let app = App::start().await;
    app.add(NewUser {
        username: "ted".into(),
        organisation: Some("North".into()),
        teams: vec!["Red".into()],
        ..NewUser::default()
    })
    .await;
    let admin = app.signed_in("ada", "admin", None).await;
    let team = admin.get("/api/v1/admin/teams").await.json()["items"][0].clone();
    let (team, north) = (team["id"].as_str().unwrap(), team["organisation_id"].as_str().unwrap());
    // Who: whether of the organisation, whether a manager of any, whether an admin.
    let cast = [
        (app.signed_in("mia", "student", Some("North")).await, true, false, false),
        (app.signed_in("cat", "student", Some("South")).await, false, false, false),
        (app.signed_in("ned", "manager", None).await, false, false, false),
        (app.signed_in("max", "manager", Some("North")).await, true, true, false),
        (app.signed_in("mel", "manager", Some("South")).await, false, true, false),
        (admin, false, true, true),
    ];
    for (row, access) in TOPICS {
        let topic = row.replace("team:ID", &format!("team:{team}")).replace("org:ID", &format!("org:{north}"));
        for (n, (who, of_it, manager, admin)) in cast.iter().enumerate() {
            let may = match access {
                TopicAccess::SignedIn => true,
                TopicAccess::Manager => *manager,
                TopicAccess::ManagerOfIt => *admin || *manager && *of_it,
                TopicAccess::Colleague => *of_it,
                TopicAccess::ColleagueOrAdmin => *admin || *of_it,
                TopicAccess::Admin => *admin,
            };
            let reply = who.socket().await.join(&topic, json!({})).await;
            assert_eq!(reply["status"], if may { "ok" } else { "error" }, "{topic} {n}: {reply}");
            if !may {
                assert_eq!(reply["response"]["reason"], "forbidden", "{topic} {n}");
            }
        }
        assert!(app.anonymous().try_socket(Some(&app.origin), "2.0.0").await.is_err(), "nobody has a socket");
    }
}
