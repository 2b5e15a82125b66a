//! Being told of uploads, from outside: REST, the bell, and mails.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{App, Client, Socket, until},
    smtp::MailServer,
};

async fn ask(client: &Client, body: Value) -> Value {
    let answer = client.post("/api/v1/notices/subscriptions", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// The number that the bell's topic tells next.
async fn unread(socket: &mut Socket) -> Value {
    socket.event("notices:me", "unread").await["unread"].clone()
}

async fn bell(client: &Client) -> Socket {
    let mut socket = client.socket().await;
    assert_eq!(socket.join("notices:me", json!({})).await["status"], "ok");
    socket
}

/// The page's bell, as the server wrote it.
async fn written(client: &Client, path: &str) -> Option<String> {
    let page = client.page(path).await.text;
    let (_, rest) = page.split_once("aria-label=\"Notifications")?;
    rest.split_once('"').map(|(name, _)| name.to_owned())
}

#[tokio::test]
async fn the_bell_rings_for_those_who_asked() {
    let server = MailServer::start().await;
    let app = App::with(|s| {
        s.smtp = Some(server.smtp());
        s.base_url = Some("https://rollcall.example".parse().unwrap());
    })
    .await;
    let ada = app.signed_in("ada", "admin", None).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let ben = app.signed_in("ben", "student", Some("South")).await;
    let made = ask(&ada, json!({"mail": "at_once"})).await;
    assert_eq!((&made["mail"], &made["at"], &made["organisation"]), (&json!("at_once"), &json!(null), &json!(null)));
    let own = max.get("/api/v1/session").await.json()["user"]["organisation_id"].clone();
    let of_max = ask(&max, json!({"organisation": own, "workflow": "Scans", "mail": "daily"})).await;
    assert_eq!((&of_max["organisation"]["name"], &of_max["at"]), (&json!("North"), &json!("08:00")));

    let (mut a, mut second, mut m, mut b) = (bell(&ada).await, bell(&ada).await, bell(&max).await, bell(&ben).await);
    for socket in [&mut a, &mut second, &mut m, &mut b] {
        assert_eq!(unread(socket).await, 0);
    }
    assert_eq!((written(&ada, "/").await.as_deref(), written(&ada, "/files").await.as_deref()), (Some(""), Some("")));
    assert_eq!(written(&mia, "/").await, None, "nobody who cannot be told of anything");
    mia.upload("one.txt", b"one", Some("Scans")).await;
    for socket in [&mut a, &mut second, &mut m] {
        assert_eq!(unread(socket).await, 1);
    }
    ben.upload("two.txt", b"two", None).await;
    for socket in [&mut a, &mut second] {
        assert_eq!(unread(socket).await, 2);
    }
    assert_eq!(written(&ada, "/admin/live").await.as_deref(), Some(", 2 unread"));
    let list = ada.get("/api/v1/notices").await.json();
    assert_eq!((&list["total"], &list["items"][0]["upload"]["name"]), (&json!(2), &json!("two.txt")));
    let of_max = max.get("/api/v1/notices?unread=true").await.json();
    assert_eq!((&of_max["total"], &of_max["items"][0]["upload"]["username"]), (&json!(1), &json!("mia")));
    let page = max.page("/notifications").await.text;
    assert!(
        page.contains("one.txt") && !page.contains("two.txt") && page.contains("by e-mail every day at 08:00"),
        "{page}"
    );

    let id = list["items"][0]["id"].clone();
    assert_eq!(max.post("/api/v1/notices/read", json!({"id": id})).await.status, 404);
    assert_eq!(ada.post("/api/v1/notices/read", json!({"id": id})).await.status, 204);
    assert_eq!((unread(&mut a).await, unread(&mut second).await), (json!(1), json!(1)));
    assert_eq!(ada.rpc("read_notices", &[]).await.status, 200);
    assert_eq!(unread(&mut a).await, 0);
    // What is gone is not counted.
    let upload = list["items"][1]["upload"]["id"].as_str().unwrap();
    assert_eq!(mia.delete(&format!("/api/v1/uploads/{upload}")).await.status, 204);
    assert_eq!(unread(&mut m).await, 0);

    let mail = server.mail(1).await;
    assert!(mail.to == ["ada@example.org"] && mail.body.contains("one.txt"), "{mail:?}");
    assert!(mail.body.contains("https://rollcall.example/notifications"), "{mail:?}");
    let path = format!("/api/v1/notices/subscriptions/{}", made["id"].as_str().unwrap());
    assert_eq!((max.delete(&path).await.status.as_u16(), ada.delete(&path).await.status.as_u16()), (404, 204));
    assert_eq!(ada.get("/api/v1/notices/subscriptions").await.json()["items"], json!([]));
    mia.upload("three.txt", b"three", Some("Scans")).await;
    assert_eq!(unread(&mut m).await, 1);
    assert_eq!(ada.get("/api/v1/notices").await.json()["total"], 1, "two.txt alone");
    app.stop().await;
}

#[tokio::test]
async fn what_is_asked_for_is_checked() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let sue = app.signed_in("sue", "manager", Some("South")).await;
    let other = sue.get("/api/v1/session").await.json()["user"]["organisation_id"].clone();
    let (mut seen, strange) = (vec![], crate::routes::NOBODY);
    for organisation in [other, json!(strange)] {
        let refused = max.post("/api/v1/notices/subscriptions", json!({"organisation": organisation})).await;
        seen.push((refused.status.as_u16(), refused.body_without_id()));
    }
    assert_eq!(seen[0].0, 422);
    assert_eq!(seen[0], seen[1], "another's organisation is as if it were not there");
    for body in [json!({"mail": "hourly"}), json!({"at": "8"}), json!({"workflow": "x".repeat(61)}), json!({"what": 1})]
    {
        let answer = ada.post("/api/v1/notices/subscriptions", body.clone()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text);
    }
    assert_eq!(ada.get("/api/v1/notices?cursor=x").await.status, 400);
    // The plain form: back to the page, with what was wrong.
    let sent = ada.form("ask_for_notices", &[("workflow", "Scans"), ("mail", "daily"), ("at", "07:45")]).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (302, "/notifications"));
    let page = ada.page("/notifications").await.text;
    assert!(page.contains("Everybody’s uploads for Scans") && page.contains("every day at 07:45"), "{page}");
    let wrong = ada.request(Method::POST, "/rpc/ask_for_notices").header("accept", "text/html");
    let wrong = wrong
        .header("referer", ada.url("/notifications"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("at=morning");
    let wrong = ada.send(wrong).await;
    let back = wrong.header("location").replace(&ada.url(""), "");
    let page = ada.page(&back).await.text;
    assert!(back.starts_with("/notifications?") && page.contains("Use a time of day such as 08:00."), "{back}: {page}");
    // Members are told of nothing, and say so kindly.
    let mia = app.signed_in("mia", "student", Some("North")).await;
    assert!(mia.page("/notifications").await.text.contains("your role may not"));
    assert_eq!(mia.rpc("ask_for_notices", &[]).await.status, 403);
    let answer = mia.send(mia.request(Method::GET, "/api/v1/notices")).await.json();
    assert_eq!(answer, json!({"items": [], "next": null, "total": 0}));
    app.stop().await;
}

/// A person whose role changes is signed out; their socket hears no more.
#[tokio::test]
async fn revoked_rights_silence_the_bell() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    ask(&max, json!({"mail": "never"})).await;
    let mut m = bell(&max).await;
    assert_eq!(unread(&mut m).await, 0);
    let id = app.services.accounts.one(&domain::Actor::Operator, "max").await.unwrap().user.id;
    let edit =
        ada.send(ada.request(Method::PATCH, &format!("/api/v1/admin/users/{id}")).json(&json!({"role": "member"})));
    assert_eq!(edit.await.status, 200);
    assert_eq!(m.closed().await, Some(4001));
    mia.upload("late.txt", b"late", None).await;
    let rows = async || app.database().await.number("SELECT count(*) FROM notices").await;
    assert_eq!(rows().await, 0);
    until("nothing is told", async || rows().await == 0).await;
    app.stop().await;
}
