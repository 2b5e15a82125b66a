//! The second factor from outside: by REST, by the pages' forms, and with a shell.

use domain::{Time, time::SECOND};
use serde_json::json;

use crate::{
    app_code::code,
    harness::{App, Client, PASSWORD, database},
};

/// Sets a second factor up as the page does; the key and the back-up codes.
async fn enrol(app: &App, who: &Client) -> (String, Vec<String>) {
    assert_eq!(who.rpc("begin_second_factor", &[]).await.status, 200);
    let page = who.page("/account/second-factor").await.text;
    assert!(page.contains("aria-label=\"QR code of the key\""));
    let (_, rest) = page.split_once("<code class=\"mono\">").unwrap();
    let key = rest.split('<').next().unwrap().to_owned();
    assert_eq!(who.rpc("confirm_second_factor", &[("code", "000000")]).await.status, 401);
    let shown = who.rpc("confirm_second_factor", &[("code", &code(&key, app.services.clock.now()))]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let html = shown.json()["show"].as_str().unwrap().to_owned();
    let codes: Vec<String> = html.split("<li>").skip(1).map(|c| c.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    app.pass(30 * SECOND).await;
    (key, codes)
}

async fn step(client: &Client, token: &str, code: &str) -> crate::harness::Answer {
    client.post("/api/v1/auth/second-factor", json!({"token": token, "code": code})).await
}

/// Row 12: codes and back-up codes work once; neither they nor the key are in the database.
#[tokio::test]
async fn a_code_is_asked_for_at_the_sign_in() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let (key, backup) = enrol(&app, &mia).await;
    let kept = String::from_utf8_lossy(&database::bytes(app.dir.path())).into_owned();
    let raw = data_encoding::BASE32_NOPAD.decode(key.replace(' ', "").as_bytes()).unwrap();
    assert!(
        !kept.contains(&key.replace(' ', ""))
            && !kept.contains(&backup[0])
            && !kept.contains(&backup[0].replace('-', ""))
    );
    assert!(!database::bytes(app.dir.path()).windows(raw.len()).any(|w| w == raw), "the key is sealed");

    let client = app.anonymous();
    let asked = client.log_in("mia", PASSWORD).await;
    assert_eq!((asked.status.as_u16(), &*asked.code()), (401, "second_factor_required"));
    assert!(client.cookie().is_none());
    let token = asked.json()["error"]["fields"]["token"].as_str().unwrap().to_owned();
    client.set_cookie(Some(format!("rollcall={token}")));
    assert!(!client.is_signed_in().await, "row 18: good for the second step and nothing else");
    client.set_cookie(None);
    let now = |app: &App| -> Time { app.services.clock.now() };
    let right = code(&key, now(&app));
    let signed_in = step(&client, &token, &right).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    assert_eq!(signed_in.json()["user"]["username"], "mia");
    assert!(client.is_signed_in().await);
    let token = async || {
        app.anonymous().log_in("mia", PASSWORD).await.json()["error"]["fields"]["token"].as_str().unwrap().to_owned()
    };
    let replay = step(&app.anonymous(), &token().await, &right).await;
    assert_eq!((replay.status.as_u16(), &*replay.code()), (401, "invalid_credentials"));
    assert_eq!(replay.body_without_id(), step(&app.anonymous(), "wrong", &right).await.body_without_id());
    assert_eq!(step(&app.anonymous(), &token().await, &backup[3]).await.status, 200);
    assert_eq!(step(&app.anonymous(), &token().await, &backup[3]).await.status, 401);
    // A wrong password is a wrong password: nobody learns who has a second factor.
    assert_eq!(app.anonymous().log_in("mia", "wrong").await.code(), "invalid_credentials");

    let token = token().await;
    let mut statuses = vec![];
    for n in 0..20 {
        statuses.push(step(&app.anonymous(), &token, &format!("{n:06}")).await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[19]), (401, 429), "{statuses:?}");
    assert!(mia.is_signed_in().await);
}

/// The same by the pages' forms, without scripts; the step's token is in a cookie and in no address.
#[tokio::test]
async fn the_form_leads_through_both_steps() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let (key, _) = enrol(&app, &mia).await;
    let client = app.anonymous();
    let fields = [("username", "mia"), ("password", PASSWORD), ("next", "/account"), ("remember", "true")];
    let first = client.form("sign_in", &fields).await;
    assert_eq!((first.status.as_u16(), first.header("location")), (302, "/second-factor?next=%2Faccount"));
    let set = first.header("set-cookie").to_owned();
    assert!(set.starts_with("rollcall-step=") && set.contains("HttpOnly") && set.contains("Max-Age=300"), "{set}");
    let page = client.page("/second-factor?next=%2Faccount").await.text;
    assert!(page.contains("name=\"code\"") && page.contains("value=\"/account\""));
    client.set_cookie(Some(set.split(';').next().unwrap().to_owned()));
    let code = code(&key, app.services.clock.now());
    let second = client.form("second_factor", &[("code", &code), ("next", "/account")]).await;
    assert_eq!((second.status.as_u16(), second.header("location")), (302, "/account"));
    let cookies: Vec<&str> = second.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|c| c.starts_with("rollcall-step=;")), "{cookies:?}");
    assert!(
        cookies.iter().any(|c| c.starts_with("rollcall=") && c.contains("Max-Age=1209600")),
        "remembered: {cookies:?}"
    );
    assert!(client.is_signed_in().await);
}

/// Rows 20 and 29: confirming a password asks for a code and gives a new token; an administrator resets in sudo mode.
#[tokio::test]
async fn sudo_mode_and_resets() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let (key, _) = enrol(&app, &mia).await;
    let admin = app.signed_in("ada", "admin", None).await;
    app.pass(10 * 60 * SECOND).await;
    assert_eq!(mia.rpc("end_second_factor", &[]).await.code(), "reauth_required");
    let asked = mia.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await;
    assert_eq!(asked.code(), "second_factor_required");
    assert!(mia.rpc("confirm_password", &[("password", PASSWORD)]).await.json()["fields"]["code"].is_string());
    let old = mia.cookie();
    let code = code(&key, app.services.clock.now());
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": PASSWORD, "code": code})).await.status, 204);
    assert_ne!(mia.cookie(), old);

    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let reset = format!("/api/v1/admin/users/{id}/second-factor");
    assert_eq!(admin.delete(&reset).await.code(), "reauth_required", "no exemption for admins");
    assert_eq!(admin.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    let offered = async || admin.page(&format!("/admin/people/{id}")).await.text.contains("Turn the second factor off");
    assert!(offered().await);
    assert_eq!(admin.rpc("reset_second_factor", &[("id", &id)]).await.status, 200);
    assert!(!offered().await);
    assert_eq!(admin.delete(&reset).await.status, 409);
    assert_eq!(app.anonymous().log_in("mia", PASSWORD).await.status, 200);
    let mails = admin.get("/api/v1/admin/mail").await.json();
    assert_eq!(mails["items"][0]["kind"], "second_factor", "row 13: {mails}");
}

/// A role that asks for one: nothing but setting it up, and going, works for those who have none.
#[tokio::test]
async fn who_must_have_one_sets_it_up_first() {
    let app = App::frozen(|s| s.services.second_factor_roles = ["admin".to_owned()].into()).await;
    app.person("ada", "admin", None).await;
    let ada = app.anonymous();
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/admin/people")];
    assert_eq!(ada.form("sign_in", &fields).await.header("location"), "/admin/people");
    assert_eq!(ada.page("/admin/people").await.header("location"), "/account/second-factor");
    let page = ada.page("/account/second-factor").await;
    assert!(page.status == 200 && page.text.contains("Your role asks for a second factor."), "{}", page.text);
    assert_eq!(ada.rpc("page", &[("url", "/admin/people")]).await.code(), "second_factor_missing");
    assert_eq!(ada.rpc("page", &[("url", "/account/second-factor")]).await.status, 200);
    let mut socket = ada.socket().await;
    socket.join("presence:me", json!({})).await;
    assert_eq!(socket.push("live:online", "phx_join", json!({})).await["response"]["reason"], "second_factor_missing");
    let shut = async |ada: &Client| {
        let mut shut = vec![];
        for route in server::access::routes().iter().filter(|r| r.access != Some(server::access::Access::Public)) {
            let sure = ["/rpc/sign_out", "/api/v1/auth/logout", "/rpc/begin_second_factor", "/websocket"];
            if sure.iter().any(|s| route.path.contains(s)) {
                continue;
            }
            let answer = ada.send(crate::routes::request(ada, route)).await;
            if answer.code() == "second_factor_missing" || answer.header("location") == "/account/second-factor" {
                shut.push(route.path.clone());
            } else {
                let open =
                    ["second-factor", "second_factor", "/rpc/confirm_password", "/rpc/me", "/rpc/stay", "/reauth"];
                let open = open.iter().any(|o| route.path.contains(o)) || route.path == "/api/v1/session";
                assert!(open && !route.path.contains("reset"), "{route:?} {answer:?}");
            }
        }
        shut.len()
    };
    assert!(shut(&ada).await > 90);
    enrol(&app, &ada).await;
    assert_eq!(ada.get("/api/v1/admin/users").await.status, 200);
    assert_eq!(ada.page("/admin/roles").await.text.matches("\"Second factor\">Required").count(), 1);
    // Whoever is promoted is signed out, and comes in to the same.
    let tom = app.signed_in("tom", "member", None).await;
    assert_eq!(tom.get("/api/v1/sessions").await.status, 200);
    let id = tom.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let promoted = ada
        .send(ada.request(reqwest::Method::PATCH, &format!("/api/v1/admin/users/{id}")).json(&json!({"role": "admin"})))
        .await;
    assert_eq!(promoted.status, 200, "{}", promoted.text);
    assert_eq!(tom.get("/api/v1/sessions").await.status, 401);
    let tom = app.sign_in("tom").await;
    assert_eq!(tom.get("/api/v1/sessions").await.code(), "second_factor_missing");
}
