//! The current session, and the values an app keeps with it.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde_json::Value;

use super::auth::Current;
use crate::{
    http::extract::{Answer, Body, Caller},
    router::AppState,
};

/// The current session and its user.
#[utoipa::path(get, path = "/session", tag = "session", responses(
    (status = 200, body = Current), (status = 401, body = super::Problem)))]
pub(super) async fn current(caller: Caller) -> Answer<Json<Current>> {
    Ok(Json(Current::from(&**caller.session()?)))
}

/// A value kept with the session.
#[utoipa::path(get, path = "/session/data/{key}", tag = "session", params(("key" = String, Path)), responses(
    (status = 200, body = Object), (status = 404, body = super::Problem)))]
pub(super) async fn get_data(
    State(state): State<AppState>,
    caller: Caller,
    Path(key): Path<String>,
) -> Answer<Json<Value>> {
    Ok(Json(state.services.sessions.data_get(caller.session()?, &key).await?))
}

/// Keeps any JSON up to 16 KiB with the session; it goes with it.
#[utoipa::path(put, path = "/session/data/{key}", tag = "session", params(("key" = String, Path)), request_body = Object, responses(
    (status = 204), (status = 413, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn put_data(
    State(state): State<AppState>,
    caller: Caller,
    Path(key): Path<String>,
    Body(value): Body<Value>,
) -> Answer<StatusCode> {
    state.services.sessions.data_put(caller.session()?, &key, &value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a value.
#[utoipa::path(delete, path = "/session/data/{key}", tag = "session", params(("key" = String, Path)), responses(
    (status = 204), (status = 404, body = super::Problem)))]
pub(super) async fn delete_data(
    State(state): State<AppState>,
    caller: Caller,
    Path(key): Path<String>,
) -> Answer<StatusCode> {
    state.services.sessions.data_delete(caller.session()?, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
