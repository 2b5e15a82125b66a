//! What clients tell of what their people do, and what each person may read of themselves.

use axum::{Json, extract::State};
use domain::{
    SessionId,
    activity::{Journey, Summary},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    http::extract::{Answer, Body, Caller, Params},
    router::AppState,
};

/// A page that somebody looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageSeen {
    /// Its address, or any other name of at most 512 characters.
    page: String,
    title: Option<String>,
}

/// Something that somebody did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    /// Any words, at most 200 characters.
    action: String,
    /// Any JSON up to 8 kB.
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Told {
    /// The event's.
    id: Uuid,
}

/// Says that the caller looked at a page. 202: it is written within a quarter of a second; 503 when the database is too
/// far behind to promise that. 429 beyond 120 events of a session, or 240 of a person, at once and 2, or 4, a second
/// after that; each whole kB of `details` counts as one more.
#[utoipa::path(post, path = "/track/page", tag = "activity", request_body = PageSeen, responses(
    (status = 202, body = Told), (status = 401, body = super::Problem), (status = 422, body = super::Problem),
    (status = 429, body = super::Problem), (status = 503, body = super::Problem)))]
pub(super) async fn page(
    State(state): State<AppState>,
    caller: Caller,
    Body(seen): Body<PageSeen>,
) -> Answer<(StatusCode, Json<Told>)> {
    let activity = &state.services.activity;
    let id = activity.page_seen(caller.session()?, &caller.origin.ip, &seen.page, seen.title.as_deref())?;
    Ok((StatusCode::ACCEPTED, Json(Told { id })))
}

/// Says that the caller did something. 202, 429 and 503 as for pages.
#[utoipa::path(post, path = "/track/action", tag = "activity", request_body = Done, responses(
    (status = 202, body = Told), (status = 401, body = super::Problem), (status = 422, body = super::Problem),
    (status = 429, body = super::Problem), (status = 503, body = super::Problem)))]
pub(super) async fn action(
    State(state): State<AppState>,
    caller: Caller,
    Body(done): Body<Done>,
) -> Answer<(StatusCode, Json<Told>)> {
    let activity = &state.services.activity;
    let id = activity.done(caller.session()?, &caller.origin.ip, &done.action, done.details)?;
    Ok((StatusCode::ACCEPTED, Json(Told { id })))
}

/// What the caller did, in numbers, as far back as events are kept.
#[utoipa::path(get, path = "/analytics/user", tag = "activity", responses(
    (status = 200, body = Summary), (status = 401, body = super::Problem)))]
pub(super) async fn summary(State(state): State<AppState>, caller: Caller) -> Answer<Json<Summary>> {
    Ok(Json(state.services.activity.own_summary(&caller.actor).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// One of the caller's sessions; without it, all of them.
    #[param(value_type = Option<String>, format = "uuid")]
    session: Option<SessionId>,
}

/// What the caller did, one thing after the other: the newest 500, oldest first.
#[utoipa::path(get, path = "/analytics/journey", tag = "activity", params(Which), responses(
    (status = 200, body = Journey), (status = 400, body = super::Problem), (status = 401, body = super::Problem)))]
pub(super) async fn journey(
    State(state): State<AppState>,
    caller: Caller,
    Params(which): Params<Which>,
) -> Answer<Json<Journey>> {
    Ok(Json(state.services.activity.own_journey(&caller.actor, which.session).await?))
}
