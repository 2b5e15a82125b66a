//! Whose role asks for a second factor sets one up first: until then every door but these is shut, and pages lead there.

use app::routes::{PageAccess, page_access};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{Actor, ApiError};
use http::Method;

use super::extract::HttpError;
use crate::router::AppState;

/// Where one is set up.
const PAGE: &str = "/account/second-factor";

/// What setting it up takes, what the frame around that page asks for, and the ways out. `/rpc/page` looks at which page
/// it is asked for; sockets look at topics.
const OPEN: &[&str] = &[
    PAGE,
    "/rpc/begin_second_factor",
    "/rpc/confirm_second_factor",
    "/rpc/confirm_password",
    "/rpc/page",
    "/rpc/refresh",
    "/rpc/me",
    "/rpc/stay",
    "/rpc/set_theme",
    "/rpc/sign_in",
    "/rpc/sign_out",
    "/rpc/second_factor",
    "/rpc/set_up",
    "/rpc/reset_password",
    "/rpc/forgot_password",
    "/api/v1/openapi.json",
    "/api/v1/auth/login",
    "/api/v1/auth/logout",
    "/api/v1/auth/reauth",
    "/api/v1/auth/second-factor",
    "/api/v1/auth/forgot",
    "/api/v1/session",
    "/socket/websocket",
    "/realtime/v1/websocket",
];

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let lacks = request.extensions().get::<Actor>().is_some_and(|a| state.services.sessions.lacks_second_factor(a));
    if !lacks || is_open(path) {
        return next.run(request).await;
    }
    let is_page = !path.starts_with("/api/") && !path.starts_with("/rpc/") && request.method() == Method::GET;
    if is_page {
        return Redirect::to(PAGE).into_response();
    }
    HttpError(ApiError::second_factor_missing()).into_response()
}

fn is_open(path: &str) -> bool {
    let of_everybody =
        !path.starts_with("/rpc/") && !path.starts_with("/api/") && page_access(path) == PageAccess::Public;
    of_everybody || OPEN.contains(&path.strip_suffix('/').unwrap_or(path))
}
