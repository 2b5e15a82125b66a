//! Who may open a page: decided before anything is rendered, from the table in `app::routes`.

use app::{
    request::{LinkIsGood, Unread},
    routes::{PageAccess, escape, is_listed, is_written, page_access},
    written,
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{Actor, ApiError};
use http::{Method, StatusCode, Uri};

use super::extract::HttpError;
use crate::router::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    match link_is_good(&state, request.uri()).await {
        Ok(None) => {}
        Ok(Some(good)) => {
            request.extensions_mut().insert(LinkIsGood(good));
        }
        Err(error) => return HttpError(error).into_response(),
    }
    let path = request.uri().path();
    let access = page_access(path);
    let level = request.extensions().get::<Actor>().and_then(|a| a.person().ok()).map(|p| p.card.level);
    if access.allows(level) {
        if level.is_some()
            && access != PageAccess::Public
            && let Some(actor) = request.extensions().get::<Actor>()
        {
            let unread = state.services.notices.unread(actor).await;
            request.extensions_mut().insert(Unread(unread.ok().flatten()));
        }
        let path = request.uri().path();
        let ours = is_written(path) || is_listed(path);
        return if ours { write(&state, request, next).await } else { next.run(request).await };
    }
    if level.is_none() {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let wanted = request.uri().path_and_query().map_or(path, |p| p.as_str());
        return Redirect::to(&format!("/login?next={}", escape(wanted))).into_response();
    }
    if is_written(path) {
        return write(&state, request, next).await;
    }
    debug_assert_eq!(access, PageAccess::Manager);
    // The page itself says which role it takes; only the status is decided here.
    let mut response = next.run(request).await;
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// Writes the page before the document around it is rendered, or what is wrong in its place.
async fn write(state: &AppState, mut request: Request, next: Next) -> Response {
    let Some(actor) = request.extensions().get::<Actor>().cloned() else {
        return HttpError(ApiError::internal()).into_response();
    };
    let url = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let (page, status) = match written::write(&state.services, &actor, &url).await {
        Ok(page) => (page, StatusCode::OK),
        Err(e) => {
            (written::wrong(&e), StatusCode::from_u16(e.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
    };
    request.extensions_mut().insert(page);
    let mut response = next.run(request).await;
    if status != StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

/// Whether the page is one that a one-time link opens, and the link still does.
async fn link_is_good(state: &AppState, uri: &Uri) -> Result<Option<bool>, ApiError> {
    let token = uri.query().into_iter().flat_map(|q| q.split('&')).find_map(|p| p.strip_prefix("token="));
    let accounts = &state.services.accounts;
    match uri.path() {
        "/setup" => accounts.setup_token_is_good(token.unwrap_or_default()).await.map(Some),
        "/reset" => accounts.reset_token_is_good(token.unwrap_or_default()).await.map(Some),
        _ => Ok(None),
    }
}
