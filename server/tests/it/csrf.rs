//! Requests from other sites.

use reqwest::Method;
use server::access::{Route, routes};

use crate::{
    harness::{App, PASSWORD},
    routes,
};

fn unsafe_routes() -> Vec<Route> {
    routes().into_iter().filter(|r| r.method != "GET").collect()
}

/// Row 31: no other site's page can make a browser change anything here, signing in included, whatever it calls the
/// body.
#[tokio::test]
async fn other_sites_change_nothing() {
    let app = App::frozen(|_| {}).await;
    let admin = app.signed_in("ada", "admin", None).await;
    app.services.flush().await;
    let database = app.database().await;
    let before = database.dump().await;
    let port = app.address.port();
    let strangers = [
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", format!("http://sub.127.0.0.1:{port}")),
        ("origin", format!("http://127.0.0.1.evil.example:{port}")),
        ("origin", "http://127.0.0.1".to_owned()),
        ("origin", format!("http://127.0.0.1:{}", port - 1)),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
    ];
    let kinds =
        ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json"];
    for route in unsafe_routes() {
        for (name, value) in &strangers {
            for kind in kinds {
                let request = routes::request(&admin, &route).header(*name, value).build().unwrap();
                let body = request.body().and_then(|b| b.as_bytes()).unwrap_or_default().to_vec();
                let again = admin.request(request.method().clone(), request.url().path()).header(*name, value);
                let answer = admin.send(again.header("content-type", kind).body(body)).await;
                let context = format!("{} {} {name}: {value} {kind}: {}", route.method, route.path, answer.text);
                assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "cross_site"), "{context}");
                assert!(answer.headers.get("set-cookie").is_none(), "{context}");
            }
        }
    }
    app.services.flush().await;
    assert_eq!(database.dump().await, before);
    assert!(admin.is_signed_in().await);
}

/// Row 31: our own pages, and clients that are no browser, are let in.
#[tokio::test]
async fn our_own_pages_may() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    let port = app.address.port();
    for headers in [
        vec![],
        vec![("origin", app.origin.clone())],
        vec![("origin", format!("http://localhost:{port}"))],
        vec![("sec-fetch-site", "same-origin".to_owned()), ("origin", app.origin.clone())],
        vec![("sec-fetch-site", "none".to_owned())],
    ] {
        let client = app.anonymous();
        let mut request = client.request(Method::POST, "/api/v1/auth/login");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let login = serde_json::json!({"username": "mia", "password": PASSWORD});
        assert_eq!(client.send(request.json(&login)).await.status, 200, "{headers:?}");
    }
}

/// Row 31 with a base URL: it alone is ours, whatever the request's host says.
#[tokio::test]
async fn the_base_url_is_the_only_origin() {
    let app = App::with(|s| s.base_url = Some("https://rollcall.example".parse().unwrap())).await;
    app.person("mia", "student", None).await;
    let login = serde_json::json!({"username": "mia", "password": PASSWORD});
    for (origin, status) in [
        ("https://rollcall.example", 200),
        ("http://rollcall.example", 403),
        ("https://rollcall.example:444", 403),
        ("https://evil.rollcall.example", 403),
        ("https://rollcall.example.evil", 403),
    ] {
        let client = app.anonymous();
        let request = client.request(Method::POST, "/api/v1/auth/login").header("origin", origin);
        assert_eq!(client.send(request.json(&login)).await.status, status, "{origin}");
    }
}

/// Row 33: nobody else's scripts may read anything.
#[tokio::test]
async fn other_sites_read_nothing() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    for route in routes() {
        let path = routes::concrete(&route.path);
        for method in [Method::GET, Method::OPTIONS] {
            let request = admin.request(method, &path).header("origin", "https://evil.example");
            let request = request.header("access-control-request-method", "POST");
            let answer = admin.send(request.header("access-control-request-headers", "content-type")).await;
            let allowed = answer.headers.keys().find(|n| n.as_str().starts_with("access-control-"));
            assert!(allowed.is_none(), "{path}: {allowed:?}");
        }
    }
}
