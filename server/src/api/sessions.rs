//! One's own sessions.

use axum::{Json, extract::State};
use domain::{ApiError, ErrorCode, session::SessionView};
use http::StatusCode;
use serde::Deserialize;

use super::Items;
use crate::{
    http::extract::{Answer, Caller, HttpError, Id, Params},
    router::AppState,
};

/// One's own live sessions, the current one first.
#[utoipa::path(get, path = "/sessions", tag = "sessions", responses(
    (status = 200, body = Items<SessionView>), (status = 401, body = super::Problem)))]
pub(super) async fn own(State(state): State<AppState>, caller: Caller) -> Answer<Json<Items<SessionView>>> {
    let items = state.services.sessions.own(&caller.actor).await?;
    Ok(Json(Items { total: Some(items.len() as u64), items, next: None }))
}

/// Ends one of one's own sessions. Asks for a recent sign-in.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204), (status = 403, body = super::Problem, description = "`reauth_required`"), (status = 404, body = super::Problem)))]
pub(super) async fn end_one(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.sessions.end_own(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    others: Option<bool>,
}

/// Ends all of one's own sessions but the current one. Asks for a recent sign-in.
#[utoipa::path(delete, path = "/sessions", tag = "sessions", params(("others" = bool, Query, description = "must be true")), responses(
    (status = 204), (status = 403, body = super::Problem, description = "`reauth_required`")))]
pub(super) async fn end_others(
    State(state): State<AppState>,
    caller: Caller,
    Params(which): Params<Which>,
) -> Answer<StatusCode> {
    caller.session()?;
    if which.others != Some(true) {
        let message = "Say which: ?others=true ends all but the current one, /sessions/{id} ends one.";
        return Err(HttpError(ApiError::new(ErrorCode::BadRequest, message)));
    }
    state.services.sessions.end_own_others(&caller.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
