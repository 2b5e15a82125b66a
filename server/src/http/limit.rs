//! How much a request may have to say.

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{ApiError, ErrorCode, files::bytes_text};
use http::{Method, header::CONTENT_LENGTH};
use http_body_util::Limited;

use super::{extract::HttpError, upload};
use crate::router::AppState;

/// No other request has more to say.
const BODY_MAX: usize = 256 * 1024;
/// A file of people; as a field of a form a third of it may be escapes.
const FILE_MAX: usize = 2 * 1024 * 1024;
const FILES: [&str; 2] = ["/api/v1/admin/users/import", "/rpc/import_people"];

/// Files as they are: the setting decides. What is around one is little.
const UPLOADS: [&str; 3] = ["/api/v1/uploads", "/api/v1/outputs", "/rpc/upload"];
const AROUND: u64 = 64 * 1024;

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if UPLOADS.contains(&path) && request.method() == Method::POST {
        let limit = state.services.settings.now().upload_limit;
        let max = limit.saturating_add(AROUND);
        if upload::length(&request).is_some_and(|length| length > max) {
            upload::drain(request.into_body());
            let message = format!("A file may have {} at most.", bytes_text(limit));
            return HttpError(ApiError::new(ErrorCode::TooLarge, message)).into_response();
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        return next.run(request.map(|body| Body::new(Limited::new(body, max)))).await;
    }
    let max = if FILES.contains(&path) { FILE_MAX } else { BODY_MAX };
    let length = request.headers().get(CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) {
        return HttpError(ApiError::new(ErrorCode::TooLarge, "The request's body is too large.")).into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, max)))).await
}
