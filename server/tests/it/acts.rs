//! Row 64: every act that docs/SECURITY.md names is on record, with the address its own request came from, not that of
//! the sign-in.

use std::collections::{BTreeMap, BTreeSet};

use domain::people::UserEdit;
use reqwest::Method;
use serde_json::{Value, json};
use services::{NewUser, Smtp};

use crate::{
    app_code::code,
    harness::{App, Client, PASSWORD, until},
};

const SIGN_IN: &str = "198.51.100.1";
const ACT: &str = "198.51.100.2";
const NEW: &str = "purple-otter-sings-92";

/// What the documentation says is written down; `team_…` stands for what is said of organisations.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../../../docs/SECURITY.md");
    let (_, table) = text.split_once("| action | who |").unwrap();
    let rows = table.lines().skip(2).take_while(|l| l.starts_with('|'));
    let mut words: BTreeSet<String> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .filter(|word| !word.ends_with('…'))
        .map(str::to_owned)
        .collect();
    words.extend(["team_added", "team_renamed", "team_deleted"].map(str::to_owned));
    words
}

/// An app behind a proxy, whose mails are never delivered.
async fn app() -> App {
    App::with(|s| {
        s.smtp = Some(Smtp::new("smtp://127.0.0.1:1", "Rollcall <rollcall@example.org>").unwrap());
        s.base_url = Some("http://127.0.0.1".parse().unwrap());
        s.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await
}

struct Admin<'a>(&'a Client);

impl Admin<'_> {
    /// Each of these must work, or nothing is proved.
    async fn rest(&self, method: Method, path: &str, body: Value) -> Value {
        let client = self.0;
        let answer = client.send(client.request(method, &format!("/api/v1/{path}")).json(&body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        if answer.text.is_empty() { Value::Null } else { answer.json() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.rest(Method::POST, path, body).await
    }

    async fn rpc(&self, name: &str, fields: &[(&str, &str)]) -> Value {
        let answer = self.0.rpc(name, fields).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        answer.json()
    }

    /// Adds, changes and deletes one of these.
    async fn thrice(&self, nouns: &str, new: Value, change: Value) {
        let id = self.post(&format!("admin/{nouns}"), new).await["id"].as_str().unwrap().to_owned();
        self.rest(Method::PATCH, &format!("admin/{nouns}/{id}"), change).await;
        self.rest(Method::DELETE, &format!("admin/{nouns}/{id}"), json!({})).await;
    }
}

/// What a person does to their own account.
async fn own(app: &App, who: &mut Client) {
    who.forwarded = Some(ACT.into());
    assert_eq!(who.post("/api/v1/auth/reauth", json!({"password": "wrong"})).await.status, 403);
    let own = Admin(who);
    own.post("auth/reauth", json!({"password": PASSWORD})).await;
    own.rpc("begin_second_factor", &[]).await;
    let page = who.page("/account/second-factor").await.text;
    let key = page.split_once("<code class=\"mono\">").unwrap().1.split('<').next().unwrap().to_owned();
    own.rpc("confirm_second_factor", &[("code", &code(&key, app.services.clock.now()))]).await;
    own.rpc("new_backup_codes", &[]).await;
    assert_eq!(
        who.post("/api/v1/auth/reauth", json!({"password": PASSWORD, "code": "000000"})).await.code(),
        "invalid_credentials"
    );
    own.rpc("end_second_factor", &[]).await;
    own.post("auth/email", json!({"email": "mia@elsewhere.example"})).await;
    own.post("auth/password", json!({"current": PASSWORD, "new": NEW})).await;
    own.rest(Method::DELETE, "sessions?others=true", json!({})).await;
    own.post("auth/logout", json!({})).await;
}

#[tokio::test]
async fn every_documented_act_is_on_record_with_the_address_it_came_from() {
    let app = app().await;
    let token = app.services.accounts.setup_token().await.unwrap().unwrap();
    let mut ada = app.anonymous();
    ada.forwarded = Some(SIGN_IN.into());
    let fields = [("token", token.expose()), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(ada.rpc("set_up", &fields).await.status, 200);
    let mut mia = app.anonymous();
    mia.forwarded = Some(SIGN_IN.into());
    app.person("mia", "student", Some("North")).await;
    app.person("tom", "student", Some("North")).await;
    let other = app.sign_in("mia").await;
    assert_eq!(mia.log_in("mia", PASSWORD).await.status, 200);
    own(&app, &mut mia).await;
    assert!(!other.is_signed_in().await);

    ada.forwarded = Some(ACT.into());
    let admin = Admin(&ada);
    let id = admin.post("admin/users", json!({"username": "new", "email": "new@example.org"})).await["id"].clone();
    let id = id.as_str().unwrap();
    admin.rest(Method::PATCH, &format!("admin/users/{id}"), json!({"name": "Newer"})).await;
    admin.post(&format!("admin/users/{id}/invite"), json!({})).await;
    admin.rpc("reset_link", &[("id", id)]).await;
    ada.page(&format!("/admin/people/{id}")).await;
    admin.post(&format!("admin/users/{id}/disable"), json!({})).await;
    admin.post(&format!("admin/users/{id}/enable"), json!({})).await;
    admin
        .post(
            "admin/users/move",
            json!({"ids": [id], "to": admin.post("admin/organisations", json!({"name": "East"})).await["id"]}),
        )
        .await;
    assert_eq!(ada.get("/api/v1/admin/users/export?format=csv").await.status, 200);
    assert_eq!(ada.get("/api/v1/admin/audit/export?format=csv").await.status, 200);
    assert_eq!(ada.get("/api/v1/admin/activity/export?format=csv").await.status, 200);
    let made = json!({"subject": "uploads", "format": "csv", "from": "2026-03-02", "to": "2026-03-02"});
    admin.post("admin/reports", made).await;
    let weekly = json!({"subject": "uploads", "format": "csv", "every": "week"});
    let made = admin.post("admin/reports/schedules", weekly).await["id"].clone();
    admin.rest(Method::DELETE, &format!("admin/reports/schedules/{}", made.as_str().unwrap()), json!({})).await;
    admin.thrice("organisations", json!({"name": "West"}), json!({"name": "Far West"})).await;
    let east = ada.get("/api/v1/admin/organisations").await.json()["items"][0]["id"].clone();
    admin.thrice("teams", json!({"name": "Red", "organisation_id": east}), json!({"name": "Blue"})).await;
    admin.thrice("roles", json!({"name": "editor", "level": "member"}), json!({"name": "writer"})).await;
    admin.post("admin/sessions/revoke", json!({"filter": {"user": "tom"}})).await;
    admin.post("admin/sessions/cleanup", json!({})).await;
    admin.rest(Method::PATCH, "admin/settings", json!({"grace": "20s"})).await;
    let mails = ada.get("/api/v1/admin/mail").await.json();
    admin.rpc("retry_mails", &[]).await;
    admin.rpc("drop_mail", &[("id", mails["items"][0]["id"].as_str().unwrap())]).await;
    let tom = app.anonymous();
    assert_eq!(tom.log_in("tom", PASSWORD).await.status, 200);
    assert_eq!(tom.get("/api/v1/admin/users").await.status, 403);
    Admin(&tom).rpc("begin_second_factor", &[]).await;
    let page = tom.page("/account/second-factor").await.text;
    let key = page.split_once("<code class=\"mono\">").unwrap().1.split('<').next().unwrap().to_owned();
    Admin(&tom).rpc("confirm_second_factor", &[("code", &code(&key, app.services.clock.now()))]).await;
    let of_tom = tom.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    admin.rest(Method::DELETE, &format!("admin/users/{of_tom}/second-factor"), json!({})).await;
    admin.rpc("delete_person", &[("id", &of_tom), ("confirm", "tom")]).await;
    admin.rpc("erase_person", &[("id", id), ("confirm", "new")]).await;
    // Without a session.
    let mut stranger = app.anonymous();
    stranger.forwarded = Some(ACT.into());
    assert_eq!(stranger.post("/api/v1/auth/forgot", json!({"who": "mia"})).await.status, 202);
    // The answer comes before anybody is looked up; a later link voids the mailed one.
    let mailed = async || {
        !app.database().await.texts("SELECT ip FROM audit WHERE action = 'reset_link_mailed'").await.is_empty()
    };
    until("the link is mailed", mailed).await;
    let link = app.services.accounts.reset_link(&domain::Actor::Operator, "mia").await.unwrap();
    assert_eq!(stranger.rpc("reset_password", &[("token", link.expose()), ("password", PASSWORD)]).await.status, 200);
    let short = Some("kelp-otter-92".to_owned());
    app.add(NewUser { username: "pro".into(), password: short, ..NewUser::default() }).await;
    let edit = UserEdit { role: Some("admin".into()), ..UserEdit::default() };
    app.services.accounts.edit(&domain::Actor::Operator, "pro", edit).await.unwrap();
    let go = stranger.rpc("sign_in", &[("username", "pro"), ("password", "kelp-otter-92")]).await.json();
    let page = stranger.page(go.as_str().unwrap()).await.text;
    assert!(page.contains("your password is too short for that") && stranger.cookie().is_none(), "{go} {page}");
    for _ in 0..12 {
        stranger.log_in("mia", "wrong").await;
    }
    app.services.rotate_keys().await.unwrap();
    Admin(&ada).post("auth/logout", json!({})).await;

    let texts =
        app.database().await.texts("SELECT actor || ' ' || action || ' ' || coalesce(ip, '-') FROM audit").await;
    let mut written: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for text in &texts {
        let (actor, rest) = text.split_once(' ').unwrap();
        let (action, ip) = rest.split_once(' ').unwrap();
        written.entry(action).or_default().push((actor, ip));
    }
    let mut wanted = documented();
    for word in written.keys() {
        assert!(wanted.remove(*word), "{word} is not in docs/SECURITY.md");
    }
    // It takes a database that no key opens: `cli::keys` does it.
    assert!(wanted.remove("keys_reset"));
    // Files have tests of their own.
    wanted.retain(|word| !word.starts_with("upload_") && !word.starts_with("output_"));
    assert!(wanted.is_empty(), "not written: {wanted:?} in {texts:#?}");
    for (action, rows) in &written {
        for (actor, ip) in rows {
            let expected = match *actor {
                _ if ["set_up", "sign_in"].contains(action) => continue,
                "operator" | "system" => "-",
                "tom" => "127.0.0.1",
                _ => ACT,
            };
            assert_eq!(*ip, expected, "{action} by {actor}");
        }
    }
    assert_eq!(app.services.audit.verify(&domain::Actor::Operator, None).await.unwrap().fault, None);
}
