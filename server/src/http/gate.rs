//! Who may open a page: decided before anything is rendered, from the table in `app::routes`.

use app::routes::{PageAccess, escape, page_access};
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::Actor;
use http::{Method, StatusCode};

pub async fn layer(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let access = page_access(path);
    let level = request.extensions().get::<Actor>().and_then(|a| a.person().ok()).map(|p| p.card.level);
    if access.allows(level) {
        return next.run(request).await;
    }
    if level.is_none() {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let wanted = request.uri().path_and_query().map_or(path, |p| p.as_str());
        return Redirect::to(&format!("/login?next={}", escape(wanted))).into_response();
    }
    debug_assert_eq!(access, PageAccess::Manager);
    // The page itself says which role it takes; only the status is decided here.
    let mut response = next.run(request).await;
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
