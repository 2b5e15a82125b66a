//! One log line and one count for each request, and its part in the traffic that the console shows.
//!
//! The path is logged without its query, which may hold a one-time token. Reads that work are logged at `debug`: a
//! heartbeat a minute from everybody is not news.

use std::time::Instant;

use app::{request::RequestId, routes::page_pattern};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use domain::{
    traffic::{Asker, Seen},
    useragent::is_bot,
};
use http::{Method, header::USER_AGENT};
use metrics::{counter, histogram};
use tracing::{Instrument, debug, error, info, info_span};

use crate::router::AppState;

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request.extensions().get::<RequestId>().map(|r| r.0.clone()).unwrap_or_default();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |m| m.as_str().to_owned());
    let name = name(known(&method), &path, request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let bot = request.headers().get(USER_AGENT).and_then(|ua| ua.to_str().ok()).is_some_and(is_bot);
    let span = info_span!("request", id);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    // The head is there; a body that is streamed follows. So this is the time to the first byte.
    let took = start.elapsed();
    let asker = response.extensions().get::<Asker>().copied();
    let took_us = took.as_micros() as u64;
    state.services.traffic.record(&Seen { route: &name, status, took_us, asker, bot: bot && asker.is_none() });
    counter!("rollcall_http_requests_total", "route" => route.clone(), "method" => known(&method), "status" => status.to_string())
        .increment(1);
    histogram!("rollcall_http_request_seconds", "route" => route).record(took.as_secs_f64());
    let ms = took.as_millis() as u64;
    let quiet = method == Method::GET || path.ends_with("/heartbeat");
    span.in_scope(|| match status {
        500.. => error!(%method, path, status, ms, "answered"),
        400.. => info!(%method, path, status, ms, "answered"),
        _ if quiet => debug!(%method, path, status, ms, "answered"),
        _ => info!(%method, path, status, ms, "answered"),
    });
    response
}

/// What a request is counted under: one of the templates there are, however many addresses people try.
fn name(method: &str, path: &str, matched: Option<&str>) -> String {
    let takes_any = |m: &str| m.contains("{*") && !["/pkg/", "/health/"].iter().any(|f| m.starts_with(f));
    match matched.filter(|m| !takes_any(m)).or_else(|| page_pattern(path)) {
        Some(template) => format!("{method} {template}"),
        None => "not found".to_owned(),
    }
}

/// A method as a label; anything may be sent, and each label value is kept for ever.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_makes_up_routes() {
        let rows = [
            ("/api/v1/sessions/7", Some("/api/v1/sessions/{id}"), "GET /api/v1/sessions/{id}"),
            ("/admin/people/7", Some("/{*any}"), "GET /admin/people/{id}"),
            ("/admin/traffic/", None, "GET /admin/traffic"),
            ("/api/v1/nothing", Some("/api/{*rest}"), "not found"),
            ("/rpc/nothing", Some("/rpc/{*rest}"), "not found"),
            ("/wp-login.php", None, "not found"),
            ("/pkg/a/b.js", Some("/pkg/{*path}"), "GET /pkg/{*path}"),
            ("/health/ready", Some("/health/{*rest}"), "GET /health/{*rest}"),
        ];
        for (path, matched, expected) in rows {
            assert_eq!(name("GET", path, matched), expected, "{path}");
        }
    }
}
