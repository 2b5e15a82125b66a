//! One log line and one count for each request.
//!
//! The path is logged without its query, which may hold a one-time token. Reads that work are logged at `debug`: a
//! heartbeat a minute from everybody is not news.

use std::time::Instant;

use app::request::RequestId;
use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::Method;
use metrics::{counter, histogram};
use tracing::{Instrument, debug, error, info, info_span};

pub async fn layer(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request.extensions().get::<RequestId>().map(|r| r.0.clone()).unwrap_or_default();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |m| m.as_str().to_owned());
    let span = info_span!("request", id);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let took = start.elapsed();
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
