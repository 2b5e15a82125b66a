//! What the server is asked for, and how quickly it answers.

use axum::{Json, extract::State};
use domain::traffic::{Current, Line};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    http::extract::{Answer, Caller, Params},
    router::AppState,
};

/// How things are now. Files, sockets and health checks are in none of these numbers but their own.
#[utoipa::path(get, path = "/admin/traffic/current", tag = "admin", responses(
    (status = 200, body = Current), (status = 403, body = super::Problem)))]
pub(super) async fn current(State(state): State<AppState>, caller: Caller) -> Answer<Json<Current>> {
    Ok(Json(state.services.traffic.current(&caller.actor).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Live {
    /// 5, at most 10080: up to 10 by the second, up to 60 by the minute, and more by the quarter of an hour.
    minutes: Option<i64>,
}

/// The last minutes as a series, in steps that are over.
#[utoipa::path(get, path = "/admin/traffic/live", tag = "admin", params(Live), responses(
    (status = 200, body = Line), (status = 403, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn live(State(state): State<AppState>, caller: Caller, Params(p): Params<Live>) -> Answer<Json<Line>> {
    Ok(Json(state.services.traffic.line(&caller.actor, p.minutes.unwrap_or(5)).await?))
}
