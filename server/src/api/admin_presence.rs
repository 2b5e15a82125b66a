//! Who was here at a time, and one person's day.

use axum::{Json, extract::State};
use domain::{
    Time,
    presence::history::{PresenceAt, PresenceDay},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    http::extract::{Answer, Caller, Id, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    time: Time,
    /// 1,000, which is also the most.
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Everybody within reach who was not offline at a time that has come, in the order of usernames. Nobody before the
/// retention of events.
#[utoipa::path(get, path = "/admin/presence/at", tag = "admin", params(At), responses(
    (status = 200, body = PresenceAt), (status = 403, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn at(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<At>,
) -> Answer<Json<PresenceAt>> {
    let (limit, offset) = (p.limit.unwrap_or(u32::MAX), p.offset.unwrap_or(0));
    Ok(Json(state.services.presence.at(&caller.actor, p.time, limit, offset).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Day {
    /// In UTC, as in `2026-03-02`.
    day: String,
}

/// The states of a person over a day, with their causes and pages.
#[utoipa::path(get, path = "/admin/users/{id}/presence", tag = "admin", params(("id" = uuid::Uuid, Path), Day),
    responses((status = 200, body = PresenceDay), (status = 403, body = super::Problem),
        (status = 404, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn day(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(p): Params<Day>,
) -> Answer<Json<PresenceDay>> {
    Ok(Json(state.services.day(&caller.actor, id, &p.day).await?))
}
