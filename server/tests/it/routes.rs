//! Everything that holds for every route, from the list the server itself gives: a new one without a rule fails here.

use std::collections::BTreeMap;

use domain::Level;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::access::{Access, Route, routes};

use crate::harness::{Answer, App, Client, PASSWORD};

/// A stranger's id, which is nobody's.
pub(crate) const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// A body each call accepts; nothing for those without.
pub(crate) fn body(path: &str) -> Option<Value> {
    let new = "purple-otter-sings-92";
    Some(match path {
        "/api/v1/auth/login" => json!({"username": "nobody", "password": PASSWORD}),
        "/api/v1/auth/reauth" => json!({"password": PASSWORD}),
        "/api/v1/auth/password" => json!({"current": PASSWORD, "new": new}),
        "/api/v1/auth/email" => json!({"email": "new@example.org"}),
        "/api/v1/auth/forgot" => json!({"who": "nobody"}),
        "/api/v1/auth/second-factor" => json!({"token": "wrong", "code": "000000"}),
        "/api/v1/track/page" => json!({"page": "/files/17", "title": "A file"}),
        "/api/v1/track/action" => json!({"action": "saved", "details": {"file": 17}}),
        "/api/v1/heartbeat" => json!({"page": "/files", "visible": true, "idle_ms": 0}),
        "/api/v1/preferences" => json!({"theme": "dark", "privacy": {"activity": false}}),
        "/api/v1/presence/me" => json!({"choice": "busy", "message": "in a lesson"}),
        "/api/v1/session/data/{key}" => json!({"any": ["thing"]}),
        "/api/v1/admin/sessions/revoke" => json!({"ids": [NOBODY], "dry_run": true}),
        "/api/v1/admin/users" => json!({"username": "newcomer"}),
        "/api/v1/admin/users/move" => json!({"ids": [NOBODY], "to": null, "dry_run": true}),
        "/api/v1/admin/organisations" | "/api/v1/admin/organisations/{id}" | "/api/v1/admin/teams/{id}" => {
            json!({"name": "East"})
        }
        "/api/v1/admin/users/{id}" => json!({"name": "Nobody"}),
        "/api/v1/admin/teams" => json!({"name": "Red", "organisation_id": NOBODY}),
        "/api/v1/admin/roles" | "/api/v1/admin/roles/{id}" => json!({"name": "editor", "level": "member"}),
        "/api/v1/admin/settings" => json!({"grace": "15s"}),
        "/api/v1/notices/read" => json!({"id": null}),
        "/api/v1/notices/subscriptions" => json!({"workflow": "Scans", "mail": "daily", "at": "07:30"}),
        "/api/v1/admin/reports" => {
            json!({"subject": "uploads", "format": "csv", "from": "2026-03-02", "to": "2026-03-02"})
        }
        "/api/v1/admin/reports/schedules" => json!({"subject": "uploads", "format": "csv", "every": "week"}),
        "/api/v1/admin/sessions/cleanup" => json!({"older_than_seconds": 3_000_000}),
        _ => return None,
    })
}

/// The fields of each server function that takes a form.
pub(crate) fn fields(path: &str) -> &'static [(&'static str, &'static str)] {
    match path {
        "/rpc/sign_in" => &[("username", "nobody"), ("password", PASSWORD)],
        "/rpc/set_up" => &[("token", "wrong"), ("username", "eve"), ("name", "Eve"), ("password", PASSWORD)],
        "/rpc/reset_password" => &[("token", "wrong"), ("password", PASSWORD)],
        "/rpc/forgot_password" => &[("who", "nobody")],
        "/rpc/second_factor" | "/rpc/confirm_second_factor" => &[("code", "000000")],
        "/rpc/confirm_email" => &[("token", "wrong")],
        "/rpc/change_privacy" => &[("presence", "nobody")],
        "/rpc/set_theme" => &[("theme", "dark")],
        "/rpc/confirm_password" => &[("password", PASSWORD)],
        "/rpc/change_password" => &[("current", PASSWORD), ("new", "purple-otter-sings-92")],
        "/rpc/day"
        | "/rpc/end_device"
        | "/rpc/why"
        | "/rpc/end_session"
        | "/rpc/drop_mail"
        | "/rpc/delete_upload"
        | "/rpc/end_notices"
        | "/rpc/cancel_report"
        | "/rpc/end_report_schedule"
        | "/rpc/retry_mail"
        | "/rpc/invite_person"
        | "/rpc/reset_link"
        | "/rpc/reset_second_factor"
        | "/rpc/disable_person"
        | "/rpc/enable_person" => &[("id", NOBODY)],
        "/rpc/ask_for_report" => {
            &[("subject", "uploads"), ("format", "csv"), ("from", "2026-03-02"), ("to", "2026-03-02")]
        }
        "/rpc/schedule_report" => &[("subject", "uploads"), ("format", "csv"), ("every", "day")],
        "/rpc/follow_export" => &[("key", "nothing")],
        "/rpc/online" => &[("window", "{}")],
        "/rpc/at" => &[("back", "5")],
        "/rpc/page" | "/rpc/refresh" => &[("url", "/nothing")],
        "/rpc/choose" => &[("choice", "busy"), ("message", "in a lesson"), ("minutes", "5")],
        "/rpc/end_matching" => &[("query", "user=nobody"), ("confirm", "end")],
        "/rpc/save_settings" => &[("values[grace]", "15s")],
        "/rpc/end_selected" | "/rpc/end_sessions" | "/rpc/move_people" => &[("ids", NOBODY)],
        "/rpc/add_person" => &[("username", "newcomer2")],
        "/rpc/edit_person" => &[("id", NOBODY), ("username", "nobody"), ("name", "Nobody"), ("role", "member")],
        "/rpc/delete_person"
        | "/rpc/erase_person"
        | "/rpc/delete_organisation"
        | "/rpc/delete_team"
        | "/rpc/delete_role" => &[("id", NOBODY), ("confirm", "nobody")],
        "/rpc/import_people" => &[("text", "username\nnewcomer3")],
        "/rpc/add_organisation" => &[("name", "West")],
        "/rpc/rename_organisation" | "/rpc/rename_team" => &[("id", NOBODY), ("name", "West")],
        "/rpc/add_team" => &[("organisation_id", NOBODY), ("name", "Blue")],
        "/rpc/add_role" => &[("name", "writer"), ("level", "member")],
        "/rpc/edit_role" => &[("id", NOBODY), ("name", "writer"), ("level", "member")],
        _ => &[],
    }
}

/// The route's path with something in its holes.
pub(crate) fn concrete(path: &str) -> String {
    let path = path.replace("{id}", NOBODY).replace("{key}", "colour").replace("{*path}", "nothing.css");
    if path.ends_with("/websocket") { format!("{path}?vsn=2.0.0") } else { path }
}

/// The query a call cannot do without.
pub(crate) fn query(route: &Route) -> &'static str {
    match (&*route.method, &*route.path) {
        ("DELETE", "/api/v1/sessions") => "?others=true",
        (_, "/api/v1/admin/presence/at") => "?time=2024-01-02T14:03:00Z",
        (_, "/api/v1/admin/users/{id}/presence") => "?day=2024-01-02",
        (_, "/api/v1/admin/users/export") => "?format=csv",
        _ => "",
    }
}

/// A complete request for the route.
pub(crate) fn request(client: &Client, route: &Route) -> reqwest::RequestBuilder {
    let method: Method = route.method.parse().unwrap();
    let path = concrete(&route.path) + query(route);
    let request = client.request(method.clone(), &path);
    if method == Method::GET || method == Method::DELETE {
        return if path.starts_with("/api/") { request } else { request.header("accept", "text/html") };
    }
    if let Some(body) = body(&route.path) {
        return request.json(&body).header("accept", "application/json");
    }
    let pair = |(k, v): &(&str, &str)| format!("{k}={}", app::routes::escape(v));
    let body = fields(&route.path).iter().map(pair).collect::<Vec<_>>().join("&");
    let request = request.header("accept", "application/json");
    if route.path.starts_with("/rpc/") {
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    } else {
        request
    }
}

pub(crate) fn is_page(route: &Route) -> bool {
    !["/api/", "/rpc/", "/pkg/", "/socket/", "/realtime/", "/health/", "/favicon.ico"]
        .iter()
        .any(|p| route.path.starts_with(p))
}

/// Row 48: nothing is open by accident.
#[test]
fn every_route_says_who_may_call_it() {
    let routes = routes();
    let unlabelled: Vec<&Route> = routes.iter().filter(|r| r.access.is_none()).collect();
    assert!(unlabelled.is_empty(), "without a row in access.rs: {unlabelled:#?}");
    for area in ["/api/v1/", "/rpc/", "/socket/", "/realtime/", "/pkg/", "/health/", "/admin"] {
        assert!(routes.iter().any(|r| r.path.starts_with(area)), "the list lacks {area}");
    }
    let in_admin = |r: &&Route| r.path.contains("/admin");
    for route in routes.iter().filter(in_admin) {
        assert!(matches!(route.access, Some(Access::Manager | Access::Admin)), "{route:?}");
    }
}

impl App {
    /// One of each kind, in two organisations.
    async fn cast(&self) -> [Cast; 5] {
        let mut all = vec![Cast { level: None, username: "", client: self.anonymous() }];
        for (username, role, organisation, level) in [
            ("mia", "student", "North", Level::Member),
            ("max", "manager", "North", Level::Manager),
            ("mel", "manager", "South", Level::Manager),
            ("ada", "admin", "North", Level::Admin),
        ] {
            let client = self.signed_in(username, role, Some(organisation)).await;
            all.push(Cast { level: Some(level), username, client });
        }
        all.try_into().ok().unwrap()
    }
}

struct Cast {
    level: Option<Level>,
    username: &'static str,
    client: Client,
}

/// What the label promises this person: the status of a refusal, or nothing when there is none.
fn refusal(route: &Route, level: Option<Level>) -> Option<(StatusCode, &'static str)> {
    let needed = match route.access.unwrap() {
        Access::Public => return None,
        Access::SignedIn => Level::Member,
        Access::Manager => Level::Manager,
        Access::Admin => Level::Admin,
    };
    match level {
        None if is_page(route) => Some((StatusCode::SEE_OTHER, "")),
        None => Some((StatusCode::UNAUTHORIZED, "unauthenticated")),
        Some(level) if level < needed && is_page(route) => Some((StatusCode::FORBIDDEN, "")),
        Some(level) if level < needed => Some((StatusCode::FORBIDDEN, "forbidden")),
        Some(_) => None,
    }
}

/// Rows 47 and 48: what each may call is what the label says, for nobody, a member, two managers and an admin.
#[tokio::test]
async fn every_route_refuses_whom_its_label_refuses() {
    let app = App::start().await;
    let cast = app.cast().await;
    for route in routes() {
        for who in &cast {
            // Some calls end the session or change the password; both are put right again.
            let answer = who.client.send(request(&who.client, &route)).await;
            let said = (answer.status, answer.code());
            let context = format!("{} {} by {:?}: {}", route.method, route.path, who.level, answer.text);
            match refusal(&route, who.level) {
                Some((StatusCode::SEE_OTHER, _)) => {
                    assert_eq!(said.0, StatusCode::SEE_OTHER, "{context}");
                    assert!(answer.header("location").starts_with("/login?next=%2F"), "{context}");
                }
                Some((status, code)) => assert_eq!(said, (status, code.to_owned()), "{context}"),
                None => {
                    assert!(!["unauthenticated", "forbidden"].contains(&&*said.1), "{context}");
                    assert!(!said.0.is_server_error(), "{context}");
                }
            }
            if who.level.is_some() && route.method != "GET" && !who.client.is_signed_in().await {
                let again = who.client.log_in(who.username, PASSWORD).await;
                assert_eq!(again.status, 200, "{context}");
            }
            if route.path.ends_with("password") && answer.status == 204 || route.path == "/rpc/change_password" {
                put_back(&app, who).await;
            }
        }
    }
}

/// Gives somebody their old password back.
async fn put_back(app: &App, who: &Cast) {
    if who.level.is_none() {
        return;
    }
    let token = app.services.accounts.reset_link(&domain::Actor::Operator, who.username).await.unwrap();
    let answer = app.anonymous().rpc("reset_password", &[("token", token.expose()), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(who.client.log_in(who.username, PASSWORD).await.status, 200);
}

/// Row 47: "not yours" and "not there" are one answer, for everybody and every call that takes an id.
#[tokio::test]
async fn what_is_not_yours_is_not_there() {
    let app = App::start().await;
    let victim = app.signed_in("vic", "student", Some("North")).await;
    let (victim_id, session) = {
        let me = victim.get("/api/v1/session").await.json();
        (me["user"]["id"].as_str().unwrap().to_owned(), me["session"]["id"].as_str().unwrap().to_owned())
    };
    victim.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    for (username, role, organisation) in
        [("ben", "student", "North"), ("cat", "student", "South"), ("mel", "manager", "South"), ("ned", "manager", "")]
    {
        let who = app.signed_in(username, role, Some(organisation).filter(|o| !o.is_empty())).await;
        let alike = |there: &Answer, not_there: &Answer| {
            assert_eq!(there.status, not_there.status, "{username}");
            assert_eq!(there.body_without_id(), not_there.body_without_id(), "{username}");
            assert!(there.status.is_client_error() || there.json() == json!(0), "{username}: {}", there.text);
        };
        let (a, b) = (
            who.delete(&format!("/api/v1/sessions/{session}")).await,
            who.delete(&format!("/api/v1/sessions/{NOBODY}")).await,
        );
        assert_eq!(a.status, 404);
        alike(&a, &b);
        alike(
            &who.get(&format!("/api/v1/admin/users/{victim_id}/why")).await,
            &who.get(&format!("/api/v1/admin/users/{NOBODY}/why")).await,
        );
        alike(
            &who.get(&format!("/api/v1/admin/users/{victim_id}/presence?day=2024-01-02")).await,
            &who.get(&format!("/api/v1/admin/users/{NOBODY}/presence?day=2024-01-02")).await,
        );
        alike(&who.rpc("end_device", &[("id", &session)]).await, &who.rpc("end_device", &[("id", NOBODY)]).await);
        alike(&who.rpc("why", &[("id", &victim_id)]).await, &who.rpc("why", &[("id", NOBODY)]).await);
        alike(&who.rpc("day", &[("id", &victim_id)]).await, &who.rpc("day", &[("id", NOBODY)]).await);
        alike(&who.rpc("end_sessions", &[("ids", &session)]).await, &who.rpc("end_sessions", &[("ids", NOBODY)]).await);
        let revoke = async |id: &str| who.post("/api/v1/admin/sessions/revoke", json!({"ids": [id]})).await;
        let (a, b) = (revoke(&session).await, revoke(NOBODY).await);
        assert_eq!((a.status, a.body_without_id()), (b.status, b.body_without_id()), "{username}");
        if username == "mel" {
            // A list of one's reach has no room for others, whatever is asked.
            for path in ["/api/v1/admin/sessions?user=vic", "/api/v1/admin/sessions?org=North"] {
                assert_eq!(who.get(path).await.json()["items"], json!([]), "{path}");
            }
            let online = who.get("/api/v1/admin/users/online?org=North").await.json();
            assert_eq!((&online["total"], &online["counts"]["online"]), (&json!(0), &json!(0)));
            let now = app.services.clock.now();
            let at = who.get(&format!("/api/v1/admin/presence/at?time={now}")).await.json();
            assert_eq!((&at["total"], &at["users"]), (&json!(0), &json!([])));
        }
    }
    assert!(victim.is_signed_in().await, "nobody ended it");
    // Whoever was disabled is nobody.
    let gone = app.signed_in("dan", "manager", Some("North")).await;
    app.services.accounts.disable(&domain::Actor::Operator, "dan").await.unwrap();
    assert_eq!(gone.get(&format!("/api/v1/admin/users/{victim_id}/why")).await.status, 401);
    assert_eq!(gone.delete(&format!("/api/v1/sessions/{session}")).await.status, 401);
}

/// Row 32: reading changes nothing, whatever is read, and what changes something cannot be read.
#[tokio::test]
async fn no_get_changes_anything() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    app.person("mia", "student", None).await;
    let link = app.services.accounts.reset_link(&domain::Actor::Operator, "mia").await.unwrap();
    admin.put("/api/v1/session/data/colour", json!("blue")).await;
    let database = app.database().await;
    app.services.flush().await;
    // That somebody looked, or took a copy, is put on record; that is all that may differ.
    let all_but_the_record = async || {
        let mut dump = database.dump().await;
        dump.retain(|table, _| !table.starts_with("audit"));
        dump
    };
    let before = all_but_the_record().await;
    for route in routes() {
        for method in [Method::GET, Method::HEAD] {
            let path = concrete(&route.path) + query(&route);
            let answer = admin.send(admin.request(method, &path)).await;
            if route.method != "GET" && !routes().iter().any(|r| r.method == "GET" && r.path == route.path) {
                assert!([404, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
            }
        }
    }
    for path in [format!("/reset?token={}", link.expose()), "/setup?token=x".to_owned(), "/login?next=/".to_owned()] {
        admin.get(&path).await;
        app.anonymous().get(&path).await;
    }
    app.services.flush().await;
    assert_eq!(all_but_the_record().await, before);
    let fields = [("token", link.expose()), ("password", "purple-otter-sings-92")];
    let reset = app.anonymous().rpc("reset_password", &fields).await;
    assert_eq!(reset.status, 200, "looking at the link did not use it up");
}

/// Row 49: what is not asked for is refused, or changes nothing.
#[tokio::test]
async fn unknown_fields_do_nothing() {
    let app = App::start().await;
    let member = app.signed_in("mia", "student", Some("North")).await;
    let admin = app.signed_in("ada", "admin", None).await;
    for route in routes().iter().filter(|r| r.path.starts_with("/api/")) {
        let Some(Value::Object(body)) = body(&route.path).filter(|_| route.method != "GET" && route.method != "DELETE")
        else {
            continue;
        };
        for (field, value) in
            [("role", json!("admin")), ("user_id", json!(NOBODY)), ("org_id", json!(NOBODY)), ("is_admin", json!(true))]
        {
            let mut body = body.clone();
            body.insert(field.to_owned(), value);
            let who = if route.path.contains("/admin/") { &admin } else { &member };
            let method: Method = route.method.parse().unwrap();
            let answer = who.send(who.request(method, &concrete(&route.path)).json(&body)).await;
            // Whoever may make accounts says of which role.
            if field == "role" && route.path.starts_with("/api/v1/admin/users") {
                assert!(!answer.status.is_server_error(), "{}: {}", route.path, answer.text);
                continue;
            }
            let takes_anything = ["/api/v1/session/data/{key}", "/api/v1/heartbeat"].contains(&&*route.path);
            if takes_anything {
                assert!(answer.status.is_success(), "{}: {}", route.path, answer.text);
            } else {
                assert_eq!(answer.status, 422, "{} with {field}: {}", route.path, answer.text);
            }
        }
    }
    let me = member.get("/api/v1/session").await.json();
    assert_eq!((&me["user"]["role"], &me["user"]["organisation"]), (&json!("student"), &json!("North")));
}

/// Row 49: a parameter is given once, is known, and fits.
#[tokio::test]
async fn parameters_are_known_and_given_once() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let document = admin.get("/api/v1/openapi.json").await.json();
    let mut with_parameters = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let queries: Vec<String> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|p| p["in"] == "query")
                .map(|p| p["name"].as_str().unwrap().to_owned())
                .collect();
            if !queries.is_empty() {
                with_parameters.insert((path.clone(), method.to_uppercase()), queries);
            }
        }
    }
    assert_eq!(with_parameters.len(), 30, "{with_parameters:?}");
    for ((path, method), names) in with_parameters {
        let ask = async |query: String| {
            admin.send(admin.request(method.parse().unwrap(), &format!("{}?{query}", concrete(&path)))).await
        };
        for name in &names {
            for value in ["1", "true", "ada"] {
                let answer = ask(format!("{name}={value}&{name}={value}")).await;
                assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "bad_request"), "{path} {name}");
            }
        }
        assert_eq!(ask("surprise=1".to_owned()).await.status, 400, "{path}");
    }
}

/// Row 62: a body that makes no sense is a clear 4xx at every call, with nothing of the inside.
#[tokio::test]
async fn bad_bodies_are_explained() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies = ["", "{", "null", "[]", "\"text\"", "{\"a\":", "\u{0}", "{\"username\":1,\"password\":[]}", &deep];
    for route in routes().iter().filter(|r| r.method != "GET" && !is_page(r)) {
        for body in bodies {
            for kind in ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data"] {
                let request = admin.request(route.method.parse().unwrap(), &concrete(&route.path));
                let answer = admin.send(request.header("content-type", kind).body(body.to_owned())).await;
                let context = format!("{} {} {kind} {body:.20}: {}", route.method, route.path, answer.text);
                assert!(!answer.status.is_server_error(), "{context}");
                if kind != "application/json" && crate::routes::body(&route.path).is_some() && !body.is_empty() {
                    assert!(answer.status.is_client_error(), "{context}");
                }
                if !admin.is_signed_in().await {
                    assert_eq!(admin.log_in("ada", PASSWORD).await.status, 200);
                }
            }
        }
    }
}

/// Row 62: a wrong address or method is told as such, and as JSON.
#[tokio::test]
async fn wrong_addresses_and_methods_are_told() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for path in ["/api", "/api/v1", "/api/v1/nothing", "/api/v2/session", "/rpc/nothing", "/rpc/sign_in/x", "/pkg/../x"]
    {
        let answer = admin.get(path).await;
        assert!([404, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
    }
    let answer = admin.delete("/api/v1/session").await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (405, "method_not_allowed"));
    assert_eq!(admin.get("/api/v1/admin/users/not-an-id/why").await.status, 404);
    assert_eq!(admin.delete("/api/v1/sessions/%27%20OR%201=1").await.status, 404);
}
