//! People, organisations, teams and roles from outside.

use std::time::{Duration, Instant};

use domain::time::{MINUTE, SECOND};
use reqwest::Method;
use serde_json::{Value, json};
use services::NewUser;

use crate::{
    harness::{App, Client, PASSWORD},
    routes::NOBODY,
};

const USERS: &str = "/api/v1/admin/users";

impl Client {
    async fn patch(&self, path: &str, body: Value) -> crate::harness::Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|s| s["username"].as_str().unwrap()).collect()
}

/// Row 53: filters are exact, cursors are checked, wildcards mean themselves.
#[tokio::test]
async fn the_list_filters_and_pages_safely() {
    let app = App::frozen(|_| {}).await;
    for (username, role, organisation) in
        [("mia", "student", "North"), ("ben", "teacher", "North"), ("c_t", "student", "South")]
    {
        app.pass(SECOND).await;
        app.person(username, role, Some(organisation)).await;
    }
    app.pass(SECOND).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let list = async |query: &str| admin.get(&format!("{USERS}{query}")).await;
    let all = list("").await.json();
    assert_eq!((names(&all), &all["total"], &all["next"]), (vec!["ada", "ben", "c_t", "mia"], &json!(4), &Value::Null));
    assert_eq!(names(&list("?sort=created").await.json()), ["ada", "c_t", "ben", "mia"]);
    assert_eq!(names(&list("?sort=sign_in&limit=1").await.json()), ["ada"]);
    assert_eq!(names(&list("?role=student").await.json()), ["c_t", "mia"]);
    assert_eq!(names(&list("?org=North").await.json()), ["ben", "mia"]);
    assert_eq!(names(&list("?q=_").await.json()), ["c_t"]);
    assert_eq!(names(&list("?q=EN%40example").await.json()), ["ben"], "part of an address");
    assert_eq!(names(&list("?signed_in_before=2030-01-01T00:00:00Z").await.json()).len(), 4);
    for odd in ["?q=%25", "?q=%27", "?org=%27%20OR%20%271%27=%271", "?q=%5C", "?role=%25"] {
        assert_eq!(list(odd).await.json()["total"], 0, "{odd}");
    }
    admin.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    assert_eq!(names(&list("?state=active").await.json()), ["ada"]);
    assert_eq!(names(&list("?state=offline").await.json()), ["ben", "c_t", "mia"]);
    assert_eq!(list("?q=ada").await.json()["items"][0]["state"], "active");
    let mut seen = vec![];
    let mut query = "?limit=3".to_owned();
    loop {
        let page = list(&query).await.json();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=3&cursor={}", app::routes::escape(next));
    }
    assert_eq!(seen, ["ada", "ben", "c_t", "mia"]);
    for bad in ["?cursor=x", "?cursor=%00", "?sort=password", "?limit=-1", "?state=dead", "?disabled=maybe"] {
        assert_eq!(list(bad).await.status, 400, "{bad}: {}", list(bad).await.text);
    }
}

/// A person's whole life: made, invited, changed, disabled, enabled, deleted with what goes with them.
#[tokio::test]
async fn people_come_change_and_go() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let new = json!({"username": "Mia", "email": "mia@example.org", "organisation": "North", "teams": ["Red"]});
    let made = admin.post(USERS, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(
        (&made["username"], &made["has_password"], &made["role"]),
        (&json!("mia"), &json!(false), &json!("member"))
    );
    let again = admin.post(USERS, new).await;
    assert_eq!((again.status.as_u16(), &*again.code()), (409, "conflict"));
    let with_password = json!({"username": "eve", "password": PASSWORD});
    assert_eq!(admin.post(USERS, with_password).await.status, 422, "nobody chooses another's password");
    let path = format!("{USERS}/{}", made["id"].as_str().unwrap());

    let link = admin.post(&format!("{path}/invite"), json!({})).await.json()["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("{}/reset?token=", app.origin)), "{link}");
    let token = link.split_once("token=").unwrap().1;
    let fields = [("token", token), ("password", PASSWORD)];
    assert_eq!(app.anonymous().rpc("reset_password", &fields).await.status, 200);
    let mia = app.sign_in("mia").await;
    assert_eq!(admin.post(&format!("{path}/invite"), json!({})).await.status, 409);

    let edited = admin.patch(&path, json!({"name": "Mia Winter", "email": null})).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    assert_eq!((&edited.json()["name"], &edited.json()["email"]), (&json!("Mia Winter"), &Value::Null));
    assert_eq!(mia.get("/api/v1/session").await.json()["user"]["name"], "Mia Winter", "a name ends nothing");
    assert_eq!(admin.patch(&path, json!({"is_admin": true})).await.status, 422);
    assert_eq!(admin.patch(&path, json!({"role": "king"})).await.status, 422);

    assert_eq!(admin.post(&format!("{path}/disable"), json!({})).await.status, 204);
    assert!(!mia.is_signed_in().await);
    assert_eq!(admin.post(&format!("{path}/enable"), json!({})).await.status, 204);
    let mia = app.sign_in("mia").await;
    let dry = admin.delete(&format!("{path}?dry_run=true")).await.json();
    assert_eq!((&dry["live_sessions"], &dry["rows"]["sessions"]), (&json!(1), &json!(2)));
    assert!(mia.is_signed_in().await);
    assert_eq!(admin.delete(&path).await.json()["rows"]["sessions"], 2);
    assert!(!mia.is_signed_in().await);
    assert_eq!(admin.get(&path).await.status, 404);
    let me = format!("{USERS}/{}", admin.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap());
    for refused in [
        admin.delete(&me).await,
        admin.patch(&me, json!({"role": "member"})).await,
        admin.post(&format!("{me}/disable"), json!({})).await,
    ] {
        assert_eq!((refused.status.as_u16(), &*refused.code()), (409, "conflict"), "the last administrator");
    }
}

/// Rows 20 and 25: another role or organisation, and the end of an account, count from the next request on: after the
/// admin's answer nothing of the victim's succeeds, and their sockets are closed.
#[tokio::test]
async fn what_ends_somebody_counts_at_once() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let id = app.person("vic", "manager", Some("North")).await;
    let path = format!("{USERS}/{id}");
    let clerk = admin.post("/api/v1/admin/roles", json!({"name": "clerk", "level": "member"})).await.json();
    let clerk = format!("/api/v1/admin/roles/{}", clerk["id"].as_str().unwrap());
    for act in ["organisation", "disable", "role", "level", "delete"] {
        let victim = app.sign_in("vic").await;
        let old = victim.cookie();
        let mut socket = victim.socket().await;
        socket.join("presence:me", json!({})).await;
        let hammer = {
            let hammer = app.anonymous();
            hammer.set_cookie(old.clone());
            tokio::spawn(async move {
                loop {
                    let begun = Instant::now();
                    let answer = hammer.get("/api/v1/session").await;
                    if answer.status != 200 {
                        return (begun, answer.status);
                    }
                }
            })
        };
        tokio::time::sleep(Duration::from_millis(30)).await;
        let answer = match act {
            "role" => admin.patch(&path, json!({"role": "clerk"})).await,
            "organisation" => admin.patch(&path, json!({"organisation": "South"})).await,
            "disable" => admin.post(&format!("{path}/disable"), json!({})).await,
            "level" => admin.patch(&clerk, json!({"level": "manager"})).await,
            _ => admin.delete(&path).await,
        };
        let answered = Instant::now();
        assert!(answer.status.is_success(), "{act}: {}", answer.text);
        let (refused, status) = hammer.await.unwrap();
        assert_eq!(status, 401, "{act}");
        assert!(refused <= answered, "{act}: a request that began after the answer was the first to be refused");
        assert_eq!(socket.closed().await, Some(4001), "{act}");
        victim.set_cookie(old);
        assert!(!victim.is_signed_in().await, "{act}: the old token is dead");
        if act == "disable" {
            admin.post(&format!("{path}/enable"), json!({})).await;
        }
    }
}

/// A new name reaches whoever watches, and the person's own session, without a new sign-in.
#[tokio::test]
async fn a_new_name_reaches_those_who_watch() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let mut socket = admin.socket().await;
    socket.join("live:online", json!({})).await;
    let row = socket.event("live:online", "snapshot").await["rows"][0].clone();
    admin.patch(&format!("{USERS}/{}", row["id"].as_str().unwrap()), json!({"name": "Mia W.", "teams": ["Red"]})).await;
    let now = socket.event("live:online", "patch").await["upsert"][0].clone();
    assert_eq!((&now["name"], &now["teams"], &now["since"]), (&json!("Mia W."), &json!(["Red"]), &row["since"]));
    let organisation = admin.get("/api/v1/admin/organisations").await.json()["items"][0].clone();
    let path = format!("/api/v1/admin/organisations/{}", organisation["id"].as_str().unwrap());
    admin.patch(&path, json!({"name": "Far North"})).await;
    let now = socket.event("live:online", "patch").await["upsert"][0].clone();
    assert_eq!(now["organisation"], "Far North");
    let user = mia.get("/api/v1/session").await.json()["user"].clone();
    assert_eq!((&user["name"], &user["organisation"]), (&json!("Mia W."), &json!("Far North")));
    mia.put("/api/v1/presence/me", json!({"choice": "busy"})).await;
    assert_eq!(socket.event("live:online", "patch").await["upsert"][0]["name"], "Mia W.", "nor does a choice undo it");
    admin.post("/api/v1/admin/roles", json!({"name": "Clerk", "level": "member"})).await;
    let counts = admin.get("/api/v1/admin/users/online").await.json()["counts"].clone();
    assert_eq!(counts["by_role"]["Clerk"], 0, "every role is listed");
}

/// Row 29: acting on people asks for a fresh password, of admins too; looking does not.
#[tokio::test]
async fn acting_asks_for_a_fresh_password() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let id = app.person("mia", "student", Some("North")).await;
    app.pass(11 * MINUTE).await;
    let path = format!("{USERS}/{id}");
    for refused in [
        admin.patch(&path, json!({"email": "new@example.org"})).await,
        admin.patch(&path, json!({"role": "admin"})).await,
        admin.post(&format!("{path}/disable"), json!({})).await,
        admin.post(&format!("{path}/invite"), json!({})).await,
        admin.delete(&path).await,
        admin.get(&format!("{USERS}/export?format=csv")).await,
        admin.post("/api/v1/admin/roles", json!({"name": "clerk", "level": "admin"})).await,
    ] {
        assert_eq!((refused.status.as_u16(), &*refused.code()), (403, "reauth_required"));
    }
    assert_eq!(admin.get(&path).await.json()["role"], "student");
    assert_eq!(admin.delete(&format!("{path}?dry_run=true")).await.status, 200);
    assert_eq!(admin.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(admin.delete(&path).await.status, 200);
}

/// Row 47: members A and B of one organisation, C of another, a manager of each, an admin, and somebody disabled: the
/// status of every call that takes the id of something of A's organisation; "not yours" is "not there", byte by byte.
#[tokio::test]
async fn what_is_not_yours_is_not_there() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let a = app
        .add(NewUser {
            username: "anna".into(),
            organisation: Some("North".into()),
            teams: vec!["Red".into()],
            password: Some(PASSWORD.into()),
            ..NewUser::default()
        })
        .await;
    let organisation = admin.get(&format!("{USERS}/{a}")).await.json()["organisation_id"].as_str().unwrap().to_owned();
    let team = admin.get("/api/v1/admin/teams").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let role = admin.post("/api/v1/admin/roles", json!({"name": "clerk", "level": "member"})).await.json();
    let role = role["id"].as_str().unwrap().to_owned();
    let gone = app.signed_in("dan", "manager", Some("North")).await;
    app.services.accounts.disable(&domain::Actor::Operator, "dan").await.unwrap();
    let reading = [("users", a.to_string()), ("organisations", organisation.clone()), ("teams", team.clone())];
    // Who, and what reading and changing answer for what is there.
    let table = [
        (app.anonymous(), 401, 401),
        (gone, 401, 401),
        (app.signed_in("ben", "student", Some("North")).await, 403, 403),
        (app.signed_in("cat", "student", Some("South")).await, 403, 403),
        (app.signed_in("ned", "manager", None).await, 403, 403),
        (app.signed_in("mel", "manager", Some("South")).await, 404, 403),
        (app.signed_in("max", "manager", Some("North")).await, 200, 403),
        (admin, 200, 200),
    ];
    for (n, (who, read, change)) in table.iter().enumerate() {
        for (kind, id) in &reading {
            let path = |id: &str| format!("/api/v1/admin/{kind}/{id}");
            let (there, not_there) = (who.get(&path(id)).await, who.get(&path(NOBODY)).await);
            assert_eq!(there.status, *read, "{n} {kind}");
            if *read == 200 {
                assert_eq!(not_there.status, 404);
            } else {
                assert_eq!((there.status, there.body_without_id()), (not_there.status, not_there.body_without_id()));
            }
            let tried = who.delete(&format!("{}?dry_run=true", path(id))).await;
            assert_eq!(tried.status, *change, "{n} {kind}");
            if *change != 200 {
                let changed = who.patch(&path(id), json!({"name": "Mine"})).await;
                assert_eq!(changed.status, *change, "{n} {kind}");
            }
        }
        let tried = who.delete(&format!("/api/v1/admin/roles/{role}?dry_run=true")).await;
        assert_eq!(tried.status, *change, "{n}");
        let page = who.page(&format!("/admin/people/{a}")).await;
        let nobody = who.page(&format!("/admin/people/{NOBODY}")).await;
        assert_eq!(page.status.as_u16(), if *read == 401 { 303 } else { *read }, "{n}");
        if *read == 404 {
            let main = |text: &str| text.split("<main").nth(1).unwrap().split("</main>").next().unwrap().to_owned();
            assert_eq!(main(&page.text), main(&nobody.text));
        }
        if *read != 200 {
            assert!(!page.text.contains("anna"), "{n}");
        }
    }
    // A list of one's reach has no room for others, whatever is asked.
    let mel = &table[5].0;
    for query in ["?q=anna", "?org=North", "?team=Red", &format!("?org={organisation}")] {
        let page = mel.get(&format!("{USERS}{query}")).await.json();
        assert_eq!((&page["items"], &page["total"]), (&json!([]), &json!(0)), "{query}");
        let list = mel.page(&format!("/admin/people{query}")).await;
        assert!(list.status == 200 && !list.text.contains("/admin/people/"), "{query}");
    }
    assert_eq!(mel.get(&format!("/api/v1/admin/teams?organisation_id={organisation}")).await.json()["total"], 0);
    let csv = mel.get(&format!("{USERS}/export?format=csv")).await;
    assert!(csv.text.contains("mel") && !csv.text.contains("anna"), "{}", csv.text);
}

/// Row 51: what a spreadsheet would compute is text, and the file reads back.
#[tokio::test]
async fn the_export_is_safe_and_whole() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for n in 0..230 {
        app.add(NewUser {
            username: format!("p{n:03}"),
            name: Some(["=HYPERLINK(\"http://evil\")", "+1,2", "-1", "@SUM(A1)", "say \"hi\", Ada"][n % 5].to_owned()),
            ..NewUser::default()
        })
        .await;
    }
    let answer = admin.get(&format!("{USERS}/export?format=csv")).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    assert_eq!(reader.headers().unwrap().get(1), Some("name"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 231);
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row:?}");
    }
    assert!(
        rows.iter().any(|r| &r[1] == "'=HYPERLINK(\"http://evil\")") && rows.iter().any(|r| &r[1] == "say \"hi\", Ada")
    );
    let one = admin.get(&format!("{USERS}/export?format=csv&q=p007")).await;
    assert_eq!(one.text.lines().count(), 2);
    let rows =
        app.database().await.texts("SELECT details FROM audit WHERE action = 'people_exported' ORDER BY seq").await;
    assert!(rows.len() == 2 && rows[1].contains("p007"), "{rows:?}");
    assert_eq!(admin.get(&format!("{USERS}/export?format=exe")).await.status, 400);
}

/// Names that are taken, people who are in the way, and where they go.
#[tokio::test]
async fn groups_are_kept_apart() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let add = async |kind: &str, body: Value| admin.post(&format!("/api/v1/admin/{kind}"), body).await;
    assert_eq!(add("organisations", json!({"name": "NORTH"})).await.status, 409);
    let south = add("organisations", json!({"name": "South"})).await.json();
    let south = south["id"].as_str().unwrap();
    let list = admin.get("/api/v1/admin/organisations").await.json();
    let north = list["items"][0]["id"].as_str().unwrap();
    assert_eq!((&list["total"], &list["items"][0]["people"]), (&json!(2), &json!(1)));
    let refused = admin.delete(&format!("/api/v1/admin/organisations/{north}")).await;
    assert_eq!((refused.status.as_u16(), &*refused.code()), (409, "conflict"));
    assert!(refused.text.contains("1 person"), "{}", refused.text);
    let to = json!({"filter": {"org": "North"}, "to": south, "dry_run": true});
    assert_eq!(admin.post(&format!("{USERS}/move"), to).await.json()["sessions_ended"], 1);
    let moved = admin.delete(&format!("/api/v1/admin/organisations/{north}?move_to={south}")).await.json();
    assert_eq!((&moved["people"], &moved["sessions_ended"]), (&json!(1), &json!(1)));
    assert!(!mia.is_signed_in().await);
    assert_eq!(app.sign_in("mia").await.get("/api/v1/session").await.json()["user"]["organisation"], "South");
    for bad in ["x", NOBODY, south] {
        let answer = admin.delete(&format!("/api/v1/admin/organisations/{south}?move_to={bad}")).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    let roles = admin.get("/api/v1/admin/roles").await.json();
    let built_in = roles["items"].as_array().unwrap().iter().filter(|r| r["built_in"] == json!(true)).count();
    assert_eq!((built_in, &roles["items"][0]["name"]), (5, &json!("admin")));
    assert_eq!(add("roles", json!({"name": "Teacher", "level": "admin"})).await.status, 409);
    assert_eq!(add("roles", json!({"name": "x", "level": "king"})).await.status, 422);
}

/// Row 57: a file of people may be larger than other bodies, and not much. It is looked at first, and taken whole.
#[tokio::test]
async fn a_file_of_people_is_taken_whole_or_not() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let send = async |query: &str, text: String| {
        let request = admin.request(Method::POST, &format!("{USERS}/import{query}"));
        admin.send(request.header("content-type", "text/csv").body(text)).await
    };
    let line = |n: usize| format!("p{n:05},{},North\n", "x".repeat(90));
    let lines = |n: usize| format!("username,name,organisation\n{}", (0..n).map(line).collect::<String>());
    let dry = send("?dry_run=true", lines(4_000)).await;
    assert_eq!((dry.status.as_u16(), &dry.json()["people"]), (200, &json!(4_000)), "larger than 256 kB");
    assert_eq!(send("?dry_run=true", lines(5_001)).await.status, 422);
    let large = send("", lines(25_000)).await;
    assert_eq!((large.status.as_u16(), &*large.code()), (413, "too_large"));
    let wrong = send("", format!("{}ada,,\n", lines(2))).await;
    assert_eq!((wrong.status.as_u16(), wrong.json()["error"]["fields"]["line 4"].is_string()), (422, true));
    assert_eq!(admin.get(USERS).await.json()["total"], 1);
    assert_eq!(send("", lines(2)).await.json()["people"], 2);
    assert_eq!(admin.get(&format!("{USERS}?org=North")).await.json()["total"], 2);
    assert_eq!(admin.post(USERS, json!({"username": "x".repeat(300_000)})).await.status, 413);
}

/// The dots of a page of people: true, of nobody else, and asking for them is nobody's activity.
#[tokio::test]
async fn states_follow_without_being_activity() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mia = app.signed_in("mia", "member", Some("North")).await;
    let south = app.signed_in("sue", "manager", Some("South")).await;
    let id = mia.get("/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let page = admin.page("/admin/people").await.text;
    assert!(page.contains(&format!("data-person=\"{id}\"")), "{page}");
    let session = app.services.sessions.authenticate(&admin.token()).await.unwrap().unwrap();
    let before = session.last_activity();
    app.pass(60_000).await;
    let of = async |who: &Client, ids: &str| who.rpc("states", &[("ids", ids)]).await.json();
    let seen = of(&admin, &id).await;
    assert!(seen[0].is_string() && seen[1][&id].as_str().unwrap().contains("Offline"), "{seen}");
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    assert!(!of(&admin, &id).await[1][&id].as_str().unwrap().contains("Offline"));
    let nobody = crate::routes::NOBODY;
    let strange = of(&south, &format!("{id},{nobody},nonsense")).await;
    assert!(strange[1][&id].as_str().unwrap().contains("Offline"), "{strange}");
    assert_eq!(strange[1][&id], strange[1][nobody]);
    assert_eq!(mia.rpc("states", &[("ids", &*id)]).await.status, 403);
    admin.rpc("refresh", &[("url", &*format!("/admin/people/{id}"))]).await;
    assert_eq!(session.last_activity(), before);
    // Both of one moment, since the clock stood still.
    let mut path = format!("/api/v1/admin/users/{id}/timeline?limit=1");
    for kind in ["act", "signed_in"] {
        let timeline = admin.get(&path).await.json();
        assert_eq!(timeline["items"][0]["kind"], kind, "{timeline}");
        path = format!("{path}&cursor={}", timeline["next"].as_str().unwrap_or_default());
    }
}
