//! The handshake. The session is the cookie's, the `Origin` must be ours (ASVS 4.4.2), and the limits are checked
//! before anything is switched.

use app::request::Current;
use axum::{
    Extension,
    extract::{Query, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::{IntoResponse, Response},
};
use domain::{ApiError, ErrorCode};
use http::{
    HeaderMap, StatusCode,
    header::{COOKIE, ORIGIN},
};
use serde::Deserialize;
use services::presence::Refused;

use super::{connection, version::Version};
use crate::{http::extract::HttpError, router::AppState};

/// Larger messages are refused; ours are hundreds of bytes.
const MESSAGE_MAX: usize = 64 * 1024;
/// tungstenite allocates and zero-fills its read buffer for each socket: at its default of 128 KiB, 10,000 idle
/// sockets cost 1.3 GB. What clients send us fits into this; a longer message only takes more reads.
const READ_BUFFER: usize = 512;
/// Must hold the largest single frame, a snapshot of everybody; it is a limit, not an allocation. The backlog of a
/// slow reader is bounded by its outbox.
const WRITE_MAX: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
pub struct Asked {
    vsn: Option<String>,
}

/// Opens a socket, or refuses with a status before the switch.
pub async fn upgrade(
    State(state): State<AppState>,
    Extension(Current(session)): Extension<Current>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let ours = |o: &http::HeaderValue| state.site.origins.iter().any(|a| a.as_bytes() == o.as_bytes());
    let origin_is_good = headers.get(ORIGIN).map_or(!headers.contains_key(COOKIE), ours);
    if !origin_is_good {
        let message = "Sockets are opened from this server's own pages; send its Origin.";
        return HttpError(ApiError::new(ErrorCode::CrossSite, message)).into_response();
    }
    let Some(session) = session else { return HttpError(ApiError::unauthenticated()).into_response() };
    let Some(version) = Version::parse(asked.vsn.as_deref()) else {
        let message = "This socket speaks versions 1 and 2 of the protocol: open it with ?vsn=2.0.0.";
        return HttpError(ApiError::new(ErrorCode::Forbidden, message)).into_response();
    };
    let ws = match ws {
        Ok(ws) => ws,
        Err(rejection) => return rejection.into_response(),
    };
    let socket = match state.services.presence.register(session).await {
        Ok(socket) => socket,
        Err(Refused::Ended) => return HttpError(ApiError::unauthenticated()).into_response(),
        Err(Refused::Stopping) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(Refused::TooManyOfSession | Refused::TooManyOfAddress) => {
            let message = "Too many sockets are open already. Close some, or ask for a higher limit.";
            let error = ApiError { retry_after: Some(30), ..ApiError::new(ErrorCode::TooManyRequests, message) };
            return HttpError(error).into_response();
        }
    };
    let tasks = state.site.sockets.clone();
    ws.protocols(["phoenix"])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_MAX)
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        // Boxed: what hyper keeps per upgraded connection then holds a pointer, not the state of the whole loop.
        .on_upgrade(move |ws| tasks.track_future(Box::pin(connection::run(ws, version, socket, state))))
}
