//! Signs of life without a socket, and one's own presence.

use axum::{Json, extract::State};
use domain::{
    Time,
    presence::{Chosen, Report, State as Presence, view::Me},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::extract::{Answer, Body, Caller, OptionalBody},
    router::AppState,
};

#[derive(Serialize, ToSchema)]
pub(super) struct Beat {
    state: Presence,
    /// When the session ends without further activity; a heartbeat alone never extends it.
    expires_at: Time,
}

/// A sign of life of a session without a socket; send one a minute. Input that it reports counts as input.
#[utoipa::path(post, path = "/heartbeat", tag = "presence", request_body = Report, responses(
    (status = 200, body = Beat), (status = 401, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn heartbeat(
    State(state): State<AppState>,
    caller: Caller,
    OptionalBody(report): OptionalBody<Report>,
) -> Answer<Json<Beat>> {
    let session = caller.session()?;
    let heard = state.services.heartbeat(session, report.check()?).await?;
    Ok(Json(Beat { state: heard.state, expires_at: heard.expires_at }))
}

/// What is said of oneself, and why.
#[utoipa::path(get, path = "/presence/me", tag = "presence", responses(
    (status = 200, body = Me), (status = 401, body = super::Problem)))]
pub(super) async fn me(State(state): State<AppState>, caller: Caller) -> Answer<Json<Me>> {
    Ok(Json(state.services.presence.me(&caller.actor).await?))
}

/// Chooses a status, with a message and an end.
#[utoipa::path(put, path = "/presence/me", tag = "presence", request_body = Chosen, responses(
    (status = 200, body = Me), (status = 422, body = super::Problem)))]
pub(super) async fn choose(
    State(state): State<AppState>,
    caller: Caller,
    Body(chosen): Body<Chosen>,
) -> Answer<Json<Me>> {
    Ok(Json(state.services.presence.choose(&caller.actor, chosen).await?))
}
