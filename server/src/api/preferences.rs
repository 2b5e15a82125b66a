//! One's own preferences.

use axum::{Json, extract::State};
use domain::preferences::Preferences;
use serde_json::Value;

use crate::{
    http::extract::{Answer, Body, Caller},
    router::AppState,
};

/// One's own preferences; what was never set is its default.
#[utoipa::path(get, path = "/preferences", tag = "preferences", responses(
    (status = 200, body = Preferences), (status = 401, body = super::Problem)))]
pub(super) async fn get(State(state): State<AppState>, caller: Caller) -> Answer<Json<Preferences>> {
    Ok(Json(state.services.preferences.get(&caller.actor).await?))
}

/// Replaces all of one's preferences; what is left out becomes its default.
#[utoipa::path(put, path = "/preferences", tag = "preferences", request_body = Preferences, responses(
    (status = 200, body = Preferences), (status = 401, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Body(preferences): Body<Preferences>,
) -> Answer<Json<Preferences>> {
    Ok(Json(state.services.preferences.put(&caller.actor, preferences).await?))
}

/// Changes some of one's preferences; null gives a default back (RFC 7396).
#[utoipa::path(patch, path = "/preferences", tag = "preferences", request_body = Object, responses(
    (status = 200, body = Preferences), (status = 401, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn patch(
    State(state): State<AppState>,
    caller: Caller,
    Body(patch): Body<Value>,
) -> Answer<Json<Preferences>> {
    Ok(Json(state.services.preferences.merge(&caller.actor, patch).await?))
}
