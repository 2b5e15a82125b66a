//! Pages from outside: where they send people, what they believe, and what they print.

use reqwest::Method;
use serde_json::json;
use services::NewUser;

use crate::harness::{App, PASSWORD};

/// Whoever is not signed in is sent to the sign-in and back; whoever may not see a page is told so.
#[tokio::test]
async fn the_gate_sends_people_to_the_sign_in() {
    let app = App::start().await;
    let nobody = app.anonymous();
    for path in ["/", "/account", "/account/devices", "/admin", "/admin/live", "/nothing", "/admin/nothing"] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert_eq!(answer.header("location"), format!("/login?next={}", app::routes::escape(path)));
    }
    let answer = nobody.get("/admin/live?q=ada%20l&state=idle").await;
    assert_eq!(answer.header("location"), "/login?next=%2Fadmin%2Flive%3Fq%3Dada%2520l%26state%3Didle");
    app.person("ada", "admin", None).await;
    let answer =
        nobody.form("sign_in", &[("username", "ada"), ("password", PASSWORD), ("next", "/admin/live?q=x")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/admin/live?q=x"));
    let mia = app.signed_in("mia", "student", None).await;
    for path in ["/admin", "/admin/live"] {
        let answer = mia.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.text.contains("People online") && !answer.text.contains("ada@example.org"), "{path}");
    }
    assert_eq!(mia.get("/nothing").await.status, 404);
}

/// Row 37: after a sign-in people stay on this server, whatever `next` says. All 60 payloads are tried against the rule
/// itself in `app::routes`; here is what the door and the page make of it.
#[tokio::test]
async fn next_leads_nowhere_else() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    for next in [
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\r\nLocation: https://evil.example",
        "/@evil.example",
        "/%2fevil.example",
        "/a/../..//evil.example",
    ] {
        let client = app.anonymous();
        let answer = client.form("sign_in", &[("username", "mia"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/"), "{next:?}");
        assert_eq!(answer.headers.get_all("location").iter().count(), 1);
        let page = app.anonymous().get(&format!("/login?next={}", app::routes::escape(next))).await;
        assert_eq!(page.status, 200);
        for part in page.text.split(['"', '\'']) {
            let leads_away =
                part.starts_with("//evil") || part.starts_with("/\\evil") || part.starts_with("https:evil");
            assert!(!leads_away && !part.starts_with("javascript:"), "{next:?}: {part}");
        }
    }
}

/// Row 38: what a request says our name is appears nowhere.
#[tokio::test]
async fn forged_hosts_are_not_believed() {
    for base in [None, Some("https://rollcall.example")] {
        let app = App::with(|s| {
            s.base_url = base.map(|b| b.parse().unwrap());
            s.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
        let ada = app.signed_in("ada", "admin", None).await;
        for path in ["/login", "/", "/account", "/admin/live", "/nothing", "/api/v1/session", "/api/v1/openapi.json"] {
            for client in [&ada, &app.anonymous()] {
                let request = client
                    .request(Method::GET, path)
                    .header("host", "evil.example")
                    .header("x-forwarded-host", "evil.example");
                let request = request.header("forwarded", "host=evil.example").header("x-forwarded-proto", "gopher");
                let answer = client.send(request).await;
                assert!(!answer.text.contains("evil.example"), "{path}");
                for (name, value) in &answer.headers {
                    let value = value.to_str().unwrap();
                    assert!(!value.contains("evil.example") && !value.contains("gopher"), "{path}: {name}: {value}");
                }
            }
        }
    }
}

/// What a browser might take for code, in a name, a page, a message, a user agent.
const PAYLOADS: [&str; 14] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "<!--<script>",
    "-->alert(1)<!--",
    "</title><script>alert(1)//",
    "</textarea><iframe src=javascript:alert(1)>",
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
    "\u{2028}alert(1)\u{2029}",
    "`${alert(1)}`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\u003cscript\\u003ealert(1)",
];

/// Row 50: what people type is text, in HTML and in what is sent along for the scripts.
#[tokio::test]
async fn what_people_type_stays_text() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", Some("<script>alert(2)</script>")).await;
    for (n, payload) in PAYLOADS.iter().enumerate() {
        let username = format!("u{n}");
        app.add(NewUser {
            username: username.clone(),
            name: Some(payload.chars().filter(|c| !c.is_control()).collect()),
            organisation: Some(format!("Org {payload}").chars().filter(|c| !c.is_control()).collect()),
            password: Some(PASSWORD.into()),
            ..NewUser::default()
        })
        .await;
        let client = app.anonymous();
        let login = json!({"username": username, "password": PASSWORD});
        let agent: String = payload.chars().filter(char::is_ascii).collect();
        let request = client.request(Method::POST, "/api/v1/auth/login").header("user-agent", agent).json(&login);
        assert_eq!(client.send(request).await.status, 200);
        let page = format!("/{payload}");
        assert_eq!(
            client.post("/api/v1/heartbeat", json!({"page": page, "idle_ms": 0})).await.status,
            200,
            "{payload}"
        );
        let chosen = json!({"choice": "busy", "message": payload});
        assert_eq!(client.put("/api/v1/presence/me", chosen).await.status, 200, "{payload}");
        for path in ["/", "/account", "/account/devices"] {
            assert_is_text(path, payload, &client.get(path).await.text);
        }
    }
    for path in [
        "/admin",
        "/admin/people?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/people?sort=%3C/title%3E%3Cscript%3Ealert(1)//",
        "/admin/organisations",
        "/admin/roles",
        "/admin/live",
        "/admin/live?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/live?q=%3C/title%3E%3Cscript%3Ealert(1)//",
        "/admin/live?page=%3C/title%3E%3Cscript%3Ealert(1)//",
        "/admin/sessions?q=%3Cscript%3Ealert(1)%3C/script%3E&state=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/login?next=/%3Cscript%3Ealert(1)",
    ] {
        let html = ada.get(path).await.text;
        for payload in PAYLOADS {
            assert_is_text(path, payload, &html);
        }
    }
    for person in ada.get("/api/v1/admin/users").await.json()["items"].as_array().unwrap() {
        let path = format!("/admin/people/{}", person["id"].as_str().unwrap());
        let html = ada.get(&path).await.text;
        assert!(html.contains("Permissions"), "{path}");
        for payload in PAYLOADS {
            assert_is_text(&path, payload, &html);
        }
    }
}

/// Payloads that mean nothing as text, and are only dangerous in places where text does not go.
fn assert_is_text(path: &str, payload: &str, html: &str) {
    if payload.contains('<') {
        assert!(!html.contains(payload), "{path} prints {payload}");
    }
    for tag in ["<script>alert", "<img src=x", "<svg onload", "<iframe src", "<!--<script", "<script>alert(2)"] {
        assert!(!html.contains(tag), "{path} has {tag} of {payload}");
    }
    assert!(!html.contains("href=\"javascript:"), "{path} {payload}");
    // Within a script no text may end it: each opening has exactly its own end.
    assert_eq!(html.matches("<script").count(), html.matches("</script>").count(), "{path} {payload}");
}
