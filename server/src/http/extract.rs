//! What handlers take in and give back.

use app::request::{Client, Current, SessionToken};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use domain::{Actor, ApiError, ErrorCode, error::said_plainly};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts};
use serde::de::DeserializeOwned;
use services::{LiveSession, Origin};

/// An error on its way out; `request_id` writes it.
#[derive(Debug)]
pub struct HttpError(pub ApiError);

impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

pub type Answer<T> = Result<T, HttpError>;

/// A JSON body. 415 for another type, 413 when too long, 400 when it is not JSON, 422 when it does not fit.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(HttpError(explain(&rejection))),
        }
    }
}

/// The same, where no body at all means the default.
pub struct OptionalBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        if !request.headers().contains_key(CONTENT_TYPE) && is_empty(request.headers()) {
            return Ok(Self(T::default()));
        }
        Body::from_request(request, state).await.map(|Body(b)| Self(b))
    }
}

fn is_empty(headers: &HeaderMap) -> bool {
    let length = headers.get(http::header::CONTENT_LENGTH);
    length.map_or(!headers.contains_key(http::header::TRANSFER_ENCODING), |l| l == "0")
}

fn explain(rejection: &JsonRejection) -> ApiError {
    match rejection {
        JsonRejection::JsonDataError(e) => ApiError::new(ErrorCode::Invalid, tidy(&e.body_text())),
        JsonRejection::JsonSyntaxError(_) => ApiError::new(ErrorCode::BadRequest, "The body is not valid JSON."),
        JsonRejection::MissingJsonContentType(_) => {
            ApiError::new(ErrorCode::UnsupportedMediaType, "Send the body with Content-Type: application/json.")
        }
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(ErrorCode::TooLarge, "The request's body is too large.")
        }
        _ => ApiError::new(ErrorCode::BadRequest, "The body could not be read."),
    }
}

/// What serde says of a field, without the words for programmers around it.
fn tidy(text: &str) -> String {
    let text = text.rsplit_once("target type: ").map_or(text, |(_, rest)| rest);
    let text = text.split(" at line ").next().unwrap_or(text);
    format!("The body does not fit: {}.", said_plainly(text))
}

/// A query string. 400 for an unknown or repeated parameter and for a value that does not fit.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        axum_extra::extract::Query::<T>::try_from_uri(&parts.uri).map(|q| Self(q.0)).map_err(|e| {
            let text = e.body_text();
            let why = text.rsplit_once("string: ").map_or(text.as_str(), |(_, rest)| rest);
            let why = why.replace(" to fit in target type", "");
            HttpError(ApiError::new(ErrorCode::BadRequest, format!("A parameter does not fit: {why}.")))
        })
    }
}

/// A path's id. What is no id is not there.
pub struct Id(pub uuid::Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let path = axum::extract::Path::<uuid::Uuid>::from_request_parts(parts, state).await;
        path.map(|p| Self(p.0)).map_err(|_| HttpError(ApiError::not_found()))
    }
}

/// Everything the layers found out about a request.
pub struct Caller {
    pub actor: Actor,
    pub origin: Origin,
    token: Option<String>,
    current: Option<std::sync::Arc<LiveSession>>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let e = &parts.extensions;
        let client = e.get::<Client>().cloned().unwrap_or_default();
        Ok(Self {
            actor: e.get::<Actor>().cloned().unwrap_or(Actor::Anonymous),
            origin: Origin { ip: client.ip, user_agent: client.user_agent },
            token: e.get::<SessionToken>().and_then(|t| t.0.clone()),
            current: e.get::<Current>().and_then(|c| c.0.clone()),
        })
    }
}

impl Caller {
    /// The live session, or 401.
    pub fn session(&self) -> Answer<&std::sync::Arc<LiveSession>> {
        self.current.as_ref().ok_or_else(|| HttpError(ApiError::unauthenticated()))
    }

    /// The token the request came with; empty when it came without.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The token in the cookie jar, if there is one: what a sign-in replaces.
    pub fn jar(&self) -> Option<&str> {
        self.token.as_deref()
    }
}
