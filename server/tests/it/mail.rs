//! Mails: a forgotten password, what administrators see of the outbox, and the notice of a new device.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    harness::{App, Client, PASSWORD, database, until},
    smtp::MailServer,
};

const NEW: &str = "purple-otter-sings-92";

async fn app(server: &MailServer) -> App {
    let smtp = server.smtp();
    App::with(|s| {
        s.smtp = Some(smtp);
        s.base_url = Some("https://rollcall.example".parse().unwrap());
        s.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await
}

/// The link in a mail, as a path.
fn token(body: &str) -> String {
    let (_, rest) = body.split_once("https://rollcall.example/reset?token=").expect(body);
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Rows 9 and 38: the mailed link is the one-time link, it leads to the configured address whatever the request says,
/// and only its hash is kept.
#[tokio::test]
async fn a_forgotten_password_is_set_by_a_mailed_link() {
    let server = MailServer::start().await;
    let app = app(&server).await;
    let mia = app.signed_in("mia", "student", None).await;
    let stranger = app.anonymous();
    let ask = stranger.request(reqwest::Method::POST, "/api/v1/auth/forgot").json(&json!({"who": "mia@example.org"}));
    let ask = ask.header("host", "evil.example").header("x-forwarded-host", "evil.example");
    assert_eq!(stranger.send(ask).await.status, 202);
    let mail = server.mail(1).await;
    assert!(mail.to == ["mia@example.org"] && !format!("{mail:?}").contains("evil"), "{mail:?}");
    let first = token(&mail.body);
    assert!(!String::from_utf8_lossy(&database::bytes(app.dir.path())).contains(&first));
    // The page's own form, and a newer link, which voids the one before.
    let sent = stranger.form("forgot_password", &[("who", "mia")]).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (302, "/forgot?done=sent"));
    let second = token(&server.mail(2).await.body);
    let reset = async |token: &str| stranger.rpc("reset_password", &[("token", token), ("password", NEW)]).await.status;
    assert_eq!(reset(&first).await, 404);
    assert_eq!(reset(&second).await, 200);
    assert_eq!(reset(&second).await, 404);
    assert!(!mia.is_signed_in().await, "row 9: it ends every session");
    assert_eq!(app.anonymous().log_in("mia", NEW).await.status, 200);
    assert!(server.mail(3).await.headers.contains("Your password was changed"), "row 13");
}

/// Row 8: one answer, at the same time, for somebody, nobody, and somebody who cannot be reached; and a limit for each.
#[tokio::test]
async fn forgetting_tells_nobody_who_is_there() {
    let server = MailServer::start().await;
    let app = app(&server).await;
    app.person("mia", "student", None).await;
    app.add(services::NewUser { username: "nil".into(), ..services::NewUser::default() }).await;
    let from = |n: usize| {
        let mut client = app.anonymous();
        client.forwarded = Some(format!("198.51.100.{n}"));
        client
    };
    let ask = async |client: &Client, who: &str| {
        let began = Instant::now();
        let answer = client.post("/api/v1/auth/forgot", json!({"who": who})).await;
        (answer.status.as_u16(), answer.text, began.elapsed())
    };
    let mut took: [Vec<Duration>; 2] = Default::default();
    for n in 0..3 {
        for (i, who) in ["mia", "nobody"].iter().enumerate() {
            let (status, text, time) = ask(&from(n), who).await;
            assert_eq!((status, &*text), (202, ""), "{who}");
            took[i].push(time);
        }
    }
    assert_eq!(ask(&from(1), "nil").await.0, 202);
    for who in ["mia", "nobody"] {
        assert_eq!(ask(&from(9), who).await.0, 429, "{who}: three links a quarter of an hour");
    }
    assert_eq!(app.sign_in("mia").await.get("/api/v1/session").await.status, 200, "the owner signs in all the same");
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[1].as_secs_f64()
    };
    let [known, unknown] = took.each_mut().map(median);
    assert!((0.1..10.0).contains(&(known / unknown)), "{known} {unknown}");
    server.mail(3).await;
    assert_eq!(server.mails().len(), 3);
    assert_eq!(ask(&from(2), "  ").await.0, 422);
}

/// The sign-in page offers the link only where mails are sent; the page itself says so where they are not.
#[tokio::test]
async fn the_link_is_offered_where_mails_are_sent() {
    let server = MailServer::start().await;
    let with = app(&server).await;
    let page = with.anonymous().page("/login").await.text;
    assert!(page.contains("href=\"/forgot\""));
    assert!(with.anonymous().page("/forgot").await.text.contains("Username or e-mail address"));
    let without = App::start().await;
    assert!(!without.anonymous().page("/login").await.text.contains("href=\"/forgot\""));
    assert!(without.anonymous().page("/forgot").await.text.contains("sends no mails"));
}

/// A dead mail server keeps nobody waiting; administrators see what is stuck and why, but not what it says.
#[tokio::test]
async fn what_is_stuck_is_shown() {
    let server = MailServer::start().await;
    let app = app(&server).await;
    let address = server.address;
    server.die().await;
    let admin = app.signed_in("ada", "admin", None).await;
    app.person("mia", "student", None).await;
    assert_eq!(app.anonymous().post("/api/v1/auth/forgot", json!({"who": "mia"})).await.status, 202);
    let one = async || admin.get("/api/v1/admin/mail").await.json()["items"][0].clone();
    until("the first try", async || one().await["last_error"].is_string()).await;
    let stuck = one().await;
    assert_eq!((&stuck["to"], &stuck["state"]), (&json!("mia@example.org"), &json!("waiting")));
    assert!(stuck.get("body").is_none() && !stuck.to_string().contains("token"));
    let page = admin.page("/admin/mail").await.text;
    assert!(page.contains("mia@example.org") && page.contains("onnection") && page.contains("Choose a new password"));
    assert!(!page.contains("reset?token"));
    let id = stuck["id"].as_str().unwrap();
    let server = MailServer::at(address).await;
    assert_eq!(admin.rpc("retry_mail", &[("id", id)]).await.status, 200);
    server.mail(1).await;
    assert_eq!(admin.rpc("drop_mail", &[("id", id)]).await.status, 404, "it is sent");
    assert_eq!(admin.get("/api/v1/admin/mail?state=sent").await.json()["total"], 1);
    assert_eq!(admin.get("/api/v1/admin/mail?state=nonsense").await.status, 400);
    assert_eq!(admin.get("/api/v1/admin/mail?cursor=nonsense").await.status, 400);
}

/// Row 13: a sign-in from another browser and network is mailed and pointed out.
#[tokio::test]
async fn a_new_device_is_told() {
    let server = MailServer::start().await;
    let app = app(&server).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut other = app.anonymous();
    other.forwarded = Some("198.51.100.7".into());
    let sign_in = other.request(reqwest::Method::POST, "/api/v1/auth/login");
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let sign_in = sign_in.header("user-agent", firefox).json(&json!({"username": "mia", "password": PASSWORD}));
    assert_eq!(other.send(sign_in).await.status, 200);
    let mail = server.mail(1).await;
    assert!(mail.body.contains("Firefox on Linux") && mail.body.contains("198.51.100.7"), "{}", mail.body);
    assert!(mail.body.contains("https://rollcall.example/account/devices"));
    let page = mia.page("/account/devices").await.text;
    assert!(page.contains("New: Firefox on Linux"), "{page}");
    assert_eq!(server.mails().len(), 1);
}
