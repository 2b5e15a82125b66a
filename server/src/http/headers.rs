//! Security headers on every answer (ASVS 3.4), with a nonce of its own for each.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use leptos::nonce::Nonce;

use crate::router::AppState;

/// For everything that is not a page: it loads nothing and is framed by nobody.
const CLOSED: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The end of the path of the script that runs as a shared worker. A worker has the policy of its own file, not that
/// of the page: without one it could connect to anywhere, with the one above to nowhere.
const WORKER: &str = "/agent/hub.mjs";

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = !["/api/", "/rpc/", "/pkg/", "/socket/", "/realtime/", "/health/", "/favicon.ico"]
        .iter()
        .any(|p| path.starts_with(p));
    let is_worker = path.starts_with("/pkg/") && path.ends_with(WORKER);
    let nonce = is_page.then(Nonce::new);
    if let Some(nonce) = &nonce {
        request.extensions_mut().insert(nonce.clone());
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let sockets = &state.site.socket_sources;
    let csp = match nonce {
        Some(nonce) => HeaderValue::from_str(&format!(
            "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
             img-src 'self' data:; connect-src 'self' {sockets}; worker-src 'self'; base-uri 'none'; \
             frame-ancestors 'none'; form-action 'self'; object-src 'none'"
        )),
        None if is_worker => HeaderValue::from_str(&format!("{CLOSED}; connect-src 'self' {sockets}")),
        None => Ok(HeaderValue::from_static(CLOSED)),
    };
    headers.insert(CONTENT_SECURITY_POLICY, csp.unwrap_or(HeaderValue::from_static(CLOSED)));
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if state.site.https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if headers.get(CONTENT_TYPE).is_some_and(|t| t == "text/html") {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    response
}
