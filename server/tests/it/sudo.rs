//! Row 29: what asks for sudo mode is what the table says, from the list of routes: each of them, and nothing else.

use std::collections::BTreeMap;

use domain::time::MINUTE;
use reqwest::Method;
use serde_json::{Value, json};
use server::access::{Route, routes};
use services::NewUser;

use crate::{
    harness::{App, Client, PASSWORD},
    routes::{NOBODY, body, fields, query},
};

/// Things that are there, so that no call ends with what is not: by noun, an id and a name.
struct There(BTreeMap<&'static str, (String, String)>);

impl There {
    async fn of(app: &App, admin: &Client) -> Self {
        let teams = vec!["Red".to_owned()];
        let new = NewUser { username: "vic".into(), organisation: Some("North".into()), teams, ..NewUser::default() };
        let person = app.add(new).await.to_string();
        let role = admin.post("/api/v1/admin/roles", json!({"name": "editor", "level": "member"})).await.json();
        let team = admin.get("/api/v1/admin/teams").await.json()["items"][0].clone();
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        Self(BTreeMap::from([
            ("person", (person, "vic".to_owned())),
            ("role", (text(&role["id"]), "editor".to_owned())),
            ("team", (text(&team["id"]), "Red".to_owned())),
            ("organisation", (text(&team["organisation_id"]), "North".to_owned())),
        ]))
    }

    /// What a path is about, as its words tell.
    fn at(&self, path: &str) -> &(String, String) {
        let nouns = [("role", "role"), ("team", "team"), ("organisation", "organisation")];
        let noun = nouns.iter().find(|(word, _)| path.contains(word)).map_or("person", |(_, noun)| noun);
        &self.0[noun]
    }

    fn body(&self, path: &str) -> Option<Value> {
        let person = &self.0["person"].0;
        Some(match path {
            "/api/v1/admin/sessions/revoke" => json!({"ids": [NOBODY]}),
            "/api/v1/admin/users/move" => json!({"ids": [person], "to": null}),
            "/api/v1/admin/settings" => json!({"grace": "20s"}),
            "/api/v1/admin/teams" => json!({"name": "Blue", "organisation_id": self.0["organisation"].0}),
            "/api/v1/auth/password" => json!({"current": "wrong", "new": "purple-otter-sings-92"}),
            _ => body(path)?,
        })
    }

    fn fields(&self, path: &str) -> String {
        let (id, name) = self.at(path);
        let mut all: BTreeMap<&str, &str> = fields(path).iter().copied().collect();
        for (key, value) in &mut all {
            *value = match (*key, *value) {
                ("organisation_id", _) => &self.0["organisation"].0,
                (_, NOBODY) => id,
                ("confirm", "nobody") => name,
                ("current", _) => "wrong",
                ("values[grace]", _) => "20s",
                (_, value) => value,
            };
        }
        match path {
            "/rpc/move_people" => all.insert("confirmed", "true"),
            "/rpc/import_people" => all.insert("act", "import"),
            _ => None,
        };
        all.iter().map(|(k, v)| format!("{k}={}", app::routes::escape(v))).collect::<Vec<_>>().join("&")
    }

    fn request(&self, client: &Client, route: &Route) -> reqwest::RequestBuilder {
        let path = route.path.replace("{id}", &self.at(&route.path).0).replace("{key}", "colour") + query(route);
        let request = client.request(route.method.parse().unwrap(), &path).header("accept", "application/json");
        if route.path.starts_with("/rpc/") {
            return request.header("content-type", "application/x-www-form-urlencoded").body(self.fields(&route.path));
        }
        match self.body(&route.path).filter(|_| route.method != Method::GET.as_str()) {
            Some(body) => request.json(&body),
            None => request,
        }
    }
}

#[tokio::test]
async fn what_asks_for_sudo_mode_is_what_the_table_says() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let there = There::of(&app, &admin).await;
    app.pass(11 * MINUTE).await;
    assert!(routes().iter().filter(|r| r.sudo).count() > 60);
    let mut wrong = vec![];
    for route in routes() {
        let answer = admin.send(there.request(&admin, &route)).await;
        let asked = (answer.status.as_u16(), &*answer.code()) == (403, "reauth_required");
        if asked != route.sudo {
            wrong.push(format!("{} {}: sudo is {}, {}", route.method, route.path, route.sudo, answer.text));
        }
        // Some of what does not ask signs out, or in again.
        let last = route.path.rsplit('/').next().unwrap();
        let fresh = ["login", "reauth", "sign_in", "confirm_password"].contains(&last) && route.method == "POST";
        if fresh || !admin.is_signed_in().await {
            assert_eq!(admin.log_in("ada", PASSWORD).await.status, 200, "{}", route.path);
            app.pass(11 * MINUTE).await;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(app.database().await.texts("SELECT username FROM users ORDER BY 1").await, ["ada", "vic"]);
}
