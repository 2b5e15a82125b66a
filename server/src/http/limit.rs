//! How much a request may have to say.

use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{ApiError, ErrorCode};
use http::header::CONTENT_LENGTH;
use http_body_util::Limited;

use super::extract::HttpError;

/// No other request has more to say; uploads have a limit of their own.
const BODY_MAX: usize = 256 * 1024;
/// A file of people; as a field of a form a third of it may be escapes.
const FILE_MAX: usize = 2 * 1024 * 1024;
const FILES: [&str; 2] = ["/api/v1/admin/users/import", "/rpc/import_people"];

pub async fn layer(request: Request, next: Next) -> Response {
    let max = if FILES.contains(&request.uri().path()) { FILE_MAX } else { BODY_MAX };
    let length = request.headers().get(CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > max) {
        return HttpError(ApiError::new(ErrorCode::TooLarge, "The request's body is too large.")).into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, max)))).await
}
