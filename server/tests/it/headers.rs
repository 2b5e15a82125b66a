//! Headers. `harness::always` looks at those of every answer of every test; here is what needs more than one look.

use std::collections::HashSet;

use server::access::routes;

use crate::{
    harness::App,
    routes::{concrete, request},
};

/// Row 35: on every route, for somebody and for nobody, over http and https; `always` does the looking.
#[tokio::test]
async fn every_answer_carries_them() {
    for base in [None, Some("https://rollcall.example")] {
        let app = App::with(|s| s.base_url = base.map(|b| b.parse().unwrap())).await;
        let (nobody, mia) = (app.anonymous(), app.signed_in("mia", "student", None).await);
        let mut seen = HashSet::new();
        for route in routes() {
            for client in [&nobody, &mia] {
                let path = concrete(&route.path);
                for request in [
                    client.request(reqwest::Method::PATCH, &path),
                    client.request(reqwest::Method::HEAD, &path),
                    request(client, &route),
                ] {
                    seen.insert(client.send(request).await.status.as_u16());
                }
            }
        }
        assert!(seen.is_superset(&HashSet::from([200, 303, 401, 403, 404, 405])), "{seen:?}");
    }
}

/// Row 34: a policy for each page with a nonce of its own, which its scripts carry.
#[tokio::test]
async fn pages_have_a_policy_with_a_fresh_nonce() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut nonces = HashSet::new();
    for path in ["/login", "/", "/account", "/account/devices", "/admin", "/admin/live", "/nothing", "/login"] {
        let answer = admin.page(path).await;
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
        assert!(nonce.len() >= 20, "{nonce}");
        for part in [
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "'wasm-unsafe-eval'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        for script in answer.text.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
        }
        for on in [" onclick=", " onload=", " onerror=", "javascript:"] {
            assert!(!answer.text.contains(on), "{path}: {on}");
        }
        assert!(nonces.insert(nonce), "{path}: used before");
    }
}

/// Row 36: what was shown to somebody is kept by nobody, and an unknown path below a page is no page.
#[tokio::test]
async fn nothing_personal_is_cached() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for path in [
        "/account/x.css",
        "/account/devices/x.js",
        "/admin/live/x.png",
        "/x.css",
        "/account.css",
        "/api/v1/session/x.css",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("cache-control").contains("no-store"), "{path}");
        assert!(!answer.text.contains("ada@example.org"), "{path}");
    }
    for path in ["/", "/account", "/api/v1/session", "/api/v1/sessions", "/api/v1/admin/users/online"] {
        assert_eq!(admin.get(path).await.header("cache-control"), "no-store", "{path}");
    }
}
