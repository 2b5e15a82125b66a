//! Outermost: an id for every request, and the one place where an error becomes a body.
//!
//! Handlers and layers answer with a status and leave an `ApiError` in the response's extensions; what they do not
//! leave (a router's 405, a limit's 413) is made from the status. So nothing of the inside can be in a body, and every
//! error carries the id under which the log has the rest.

use app::request::RequestId;
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::{ApiError, ErrorCode};
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};

use crate::router::AppState;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = state.services.clock.new_id().simple().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let door = Door::of(&request);
    let mut response = next.run(request).await;
    if let Some(error) = error_of(&response, door) {
        write(&mut response, &error, &id, door);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Which form an error has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    /// REST: the envelope of the contract.
    Api,
    /// Our own browser code: the bare error, as server functions give it.
    Rpc,
    /// A person with a browser.
    Page,
}

impl Door {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let html = request.headers().get(ACCEPT).is_some_and(|a| a.as_bytes().windows(9).any(|w| w == b"text/html"));
        match path {
            p if p.starts_with("/rpc/") && !html => Self::Rpc,
            p if ["/api/", "/socket/", "/realtime/"].iter().any(|a| p.starts_with(a)) || !html => Self::Api,
            _ => Self::Page,
        }
    }
}

fn error_of(response: &Response, door: Door) -> Option<ApiError> {
    if let Some(error) = response.extensions().get::<ApiError>() {
        return Some(error.clone());
    }
    let is_ours = response.headers().get(CONTENT_TYPE).is_some_and(|t| {
        let json = t.as_bytes().starts_with(b"application/json");
        let html = t.as_bytes().starts_with(b"text/html");
        json || (html && door == Door::Page)
    });
    let failed = response.status().is_client_error() || response.status().is_server_error();
    (failed && !is_ours).then(|| by_status(response.status()))
}

/// An error for a status somebody else decided on.
fn by_status(status: StatusCode) -> ApiError {
    match status {
        StatusCode::NOT_FOUND => ApiError::not_found(),
        StatusCode::UNAUTHORIZED => ApiError::unauthenticated(),
        StatusCode::METHOD_NOT_ALLOWED => ApiError::new(
            ErrorCode::MethodNotAllowed,
            "This address does not take this method. See /api/v1/openapi.json.",
        ),
        StatusCode::REQUEST_TIMEOUT => ApiError::new(
            ErrorCode::BadRequest,
            "This took too long. What it began may still go on: look before you try it again.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::TooLarge, "The request's body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(ErrorCode::UnsupportedMediaType, "Send the body as application/json.")
        }
        StatusCode::SERVICE_UNAVAILABLE => ApiError::unavailable(),
        s if s.is_server_error() => ApiError::internal(),
        _ => ApiError::new(ErrorCode::BadRequest, "The request could not be understood."),
    }
}

fn write(response: &mut Response, error: &ApiError, id: &str, door: Door) {
    let (kind, body) = match door {
        Door::Api => {
            let mut inner = serde_json::json!({"code": error.code, "message": error.message});
            if !error.fields.is_empty() {
                inner["fields"] = serde_json::json!(error.fields);
            }
            ("application/json", serde_json::json!({"error": inner, "request_id": id}).to_string())
        }
        Door::Rpc => ("application/json", serde_json::to_string(error).unwrap_or_default()),
        Door::Page => ("text/html; charset=utf-8", page(response.status(), &error.message, id)),
    };
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    *response.body_mut() = Body::from(body);
}

/// Where the app itself cannot answer. Both texts are ours: a sentence and a hexadecimal id.
fn page(status: StatusCode, message: &str, id: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{status}</title><main><h1>{status}</h1><p>{message}</p><p>Request {id}</p><p><a href=\"/\">Home</a></p></main></html>"
    )
}
