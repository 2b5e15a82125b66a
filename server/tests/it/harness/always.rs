//! What holds for every answer and every frame of every test (rows 16, 33, 35, 36, 61 and 62 of the security list):
//! whoever asks through the harness has asked for this as well.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::Value;

use super::{Answer, PASSWORD};

/// Every session token any server of this test run handed out.
static ISSUED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Words of the inside: of the database, the language, the libraries and the disk.
const INSIDE: [&str; 16] = [
    "struct ",
    "enum ",
    "sqlx",
    "sea_orm",
    "SELECT ",
    "INSERT ",
    "panicked",
    "backtrace",
    ".rs:",
    "target type",
    "serde",
    "hyper",
    "axum",
    "/root/",
    "/tmp/",
    "os error",
];

pub(crate) fn issued(token: &str) {
    ISSUED.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned());
}

/// A token leaves the server in `Set-Cookie` and nowhere else; a password never.
pub(crate) fn holds_no_secret(place: &str, text: &str) {
    let of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let issued = ISSUED.lock().unwrap_or_else(PoisonError::into_inner);
    let token = text.split(|c| !of_token(c)).filter(|word| word.len() == 43).find(|word| issued.contains(*word));
    assert!(token.is_none(), "{place} holds a session token: {text}");
    assert!(!text.contains(PASSWORD), "{place} holds a password: {text}");
}

/// Nobody outside needs to know what we are made of.
pub(crate) fn holds_nothing_of_the_inside(place: &str, text: &str) {
    let word = INSIDE.iter().find(|word| text.contains(**word));
    assert!(word.is_none(), "{place} says {word:?}: {text}");
}

/// Checks an answer of the server at `path`.
pub(crate) fn check(path: &str, https: bool, answer: &Answer) {
    let place = format!("{} of {path}", answer.status);
    let header = |name: &str| answer.headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let has = |name: &str, value: &str| assert_eq!(header(name), Some(value), "{name} in {place}");
    has("x-content-type-options", "nosniff");
    has("referrer-policy", "same-origin");
    has("cross-origin-opener-policy", "same-origin");
    has("cross-origin-resource-policy", "same-origin");
    let policy = header("content-security-policy").unwrap_or_default();
    for part in ["frame-ancestors 'none'", "base-uri 'none'", "form-action", "default-src"] {
        assert!(policy.contains(part), "{part} in {place}: {policy}");
    }
    for part in ["'unsafe-inline'", "'unsafe-eval'", "*"] {
        assert!(!policy.contains(part), "{part} in {place}: {policy}");
    }
    assert_eq!(header("strict-transport-security").is_some(), https, "transport security in {place}");
    if https {
        has("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    for name in ["server", "x-powered-by", "access-control-allow-origin", "access-control-allow-credentials"] {
        assert_eq!(header(name), None, "{name} in {place}");
    }
    let may_be_kept = path.starts_with("/pkg/") && answer.status.is_success();
    assert_eq!(header("cache-control").is_some_and(|v| v.contains("no-store")), !may_be_kept, "cache in {place}");
    assert!(header("x-request-id").is_some_and(|id| id.len() == 32), "a request id in {place}");
    if !answer.text.is_empty() {
        let kind = header("content-type").unwrap_or_default();
        assert!(
            !kind.is_empty() && (!kind.starts_with("text/") || kind.contains("charset=utf-8")),
            "{kind:?} in {place}"
        );
    }
    holds_no_secret(&place, &answer.text);
    assert!(!answer.status.is_server_error() || answer.status == 503, "{place}: {}", answer.text);
    let failed = answer.status.is_client_error() || answer.status.is_server_error();
    if failed && !answer.text.is_empty() {
        // A page may show anything a person typed, and our own scripts' names.
        if !header("content-type").unwrap_or_default().starts_with("text/html") {
            holds_nothing_of_the_inside(&place, &answer.text);
            check_problem(path, answer);
        }
    }
}

/// Every error is a code, a sentence and the id under which the log has the rest.
fn check_problem(path: &str, answer: &Answer) {
    let body = answer.json();
    let problem = if path.starts_with("/rpc/") { &body } else { &body["error"] };
    let says = |v: &Value| v.as_str().is_some_and(|s| !s.is_empty());
    assert!(says(&problem["code"]) && says(&problem["message"]), "{path}: {body}");
    if !path.starts_with("/rpc/") {
        let id = answer.headers.get("x-request-id").and_then(|v| v.to_str().ok());
        assert_eq!(body["request_id"].as_str(), id, "{path}");
    }
}
