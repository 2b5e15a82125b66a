//! Files inside the binary.

use reqwest::Method;

use crate::harness::{App, Client, Raw};

/// Row 55: nothing but those files can be had.
#[tokio::test]
async fn nothing_outside_the_binary_is_served() {
    let app = App::start().await;
    for path in [
        "/pkg/../Cargo.toml",
        "/pkg/..%2f..%2fCargo.toml",
        "/pkg/%2e%2e/%2e%2e/etc/passwd",
        "/pkg/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/pkg/..\\..\\Cargo.toml",
        "/pkg/..%5c..%5cCargo.toml",
        "/pkg//etc/passwd",
        "/pkg/%2fetc%2fpasswd",
        "/pkg/%00",
        "/pkg/rollcall.js%00.css",
        "/pkg/%ff%fe",
        "/pkg/.",
        "/pkg/",
        "/pkg",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/account/..%2f..%2fetc/passwd",
        "/data/rollcall.db",
    ] {
        // As written: a client would tidy the path first.
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", app.address);
        let heard = Raw::exchange(app.address, request).await;
        assert!(heard.statuses().iter().all(|s| [303, 400, 404].contains(s)), "{path}: {}", heard.text);
        for inside in ["root:", "[package]", "SQLite format"] {
            assert!(!heard.text.contains(inside), "{path}: {}", heard.text);
        }
    }
}

/// The path of the browser's code; every page names it.
async fn script(client: &Client) -> String {
    let page = client.get("/login").await.text;
    let found = page.split(['"', '\'']).find(|part| part.starts_with("/pkg/") && part.ends_with("rollcall.js"));
    found.expect("every page names its files").to_owned()
}

/// A browser asks for it with everything that is not a page.
#[tokio::test]
async fn the_icon_is_that_of_the_pages() {
    let app = App::start().await;
    let client = app.anonymous();
    let answer = client.get("/favicon.ico").await;
    assert_eq!(answer.status, 307);
    let link = format!("rel=\"icon\" type=\"image/svg+xml\" href=\"{}\"", answer.header("location"));
    assert!(client.get("/login").await.text.contains(&link), "{link}");
}

/// A worker has the policy of its own file: the one of the shared socket connects to us and does nothing else; and
/// nothing else of the browser's files is given as much.
#[tokio::test]
async fn the_worker_may_connect_to_us_and_nothing_else() {
    let app = App::start().await;
    let client = app.anonymous();
    let script = script(&client).await;
    // The policy is that of the path, whether or not the build brought the file.
    let worker = client.get(&script.replace("rollcall.js", "agent/hub.mjs")).await;
    let policy = worker.header("content-security-policy").to_owned();
    let sources = policy.split("; ").find_map(|part| part.strip_prefix("connect-src ")).unwrap_or_default().to_owned();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(sources.starts_with("'self' ws://127.0.0.1:"), "{policy}");
    assert!(!policy.contains("script-src") && !sources.contains('*'), "{policy}");
    assert!(client.get("/login").await.header("content-security-policy").contains("worker-src 'self'"));
    if worker.status == 200 {
        assert_eq!(worker.header("content-type"), "text/javascript; charset=utf-8");
    }
    for path in [script.as_str(), "/pkg/x/agent/page.mjs", "/api/agent/hub.mjs", "/pkg/x/agent/hub.mjs/y"] {
        let policy = client.get(path).await.header("content-security-policy").to_owned();
        assert!(!policy.contains("connect-src"), "{path}: {policy}");
    }
}

/// The browser's files may be kept for ever, in the coding that was asked for.
#[tokio::test]
async fn files_of_the_browser_are_cached_for_ever() {
    let app = App::start().await;
    let client = app.anonymous();
    let path = script(&client).await;
    let plain = client.get(&path).await;
    if plain.status == 404 {
        // Built without the browser's side: there is no file to look at.
        assert_eq!(plain.header("cache-control"), "no-store");
        return;
    }
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    let packed = client.send(client.request(Method::GET, &path).header("accept-encoding", "gzip, br")).await;
    assert_eq!(packed.header("vary"), "accept-encoding");
    assert!(["br", ""].contains(&packed.header("content-encoding")), "packed, unless the build did not pack it");
}
