//! Writes down when a signed-in person asks for what is not for their role.
//!
//! Not here: a request from another site, which nobody may have meant to send and which the log has, and a password that
//! was asked for and is wrong, which has an entry of its own.

use app::{
    request::{Client, Refused},
    routes::page_pattern,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use domain::{Actor, ApiError, ErrorCode};
use http::{Method, StatusCode};

use crate::router::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let actor = request.extensions().get::<Actor>().filter(|a| a.person().is_ok()).cloned();
    let Some(actor) = actor else { return next.run(request).await };
    let ip = request.extensions().get::<Client>().map(|c| c.ip.clone()).unwrap_or_default();
    let (method, refused) = (request.method().clone(), Refused::default());
    request.extensions_mut().insert(refused.clone());
    // Never what was typed: a path may have anything in it.
    let path = request.uri().path();
    let call = || request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).filter(|r| !r.contains("{*"));
    let route = page_pattern(path).or_else(call).unwrap_or("/…").to_owned();
    let is_call = ["/api/", "/rpc/", "/socket/", "/realtime/"].iter().any(|p| path.starts_with(p));
    let response = next.run(request).await;
    let by_role = match response.extensions().get::<ApiError>() {
        Some(error) => error.code == ErrorCode::Forbidden && error.fields.is_empty(),
        // A page says so in its own words.
        None => refused.get() || !is_call && method == Method::GET && response.status() == StatusCode::FORBIDDEN,
    };
    if by_role && let Err(error) = state.services.audit.refused(&actor, format!("{method} {route}"), &ip).await {
        tracing::error!(%error, "a refusal could not be written down");
    }
    response
}
