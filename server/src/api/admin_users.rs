//! Who is online, and why somebody is shown as they are.

use axum::{Json, extract::State};
use domain::presence::{
    Query, Sort, State as Presence,
    view::{OnlinePage, Why},
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
pub(super) struct Online {
    state: Option<Presence>,
    role: Option<String>,
    /// An organisation's id or name.
    org: Option<String>,
    team: Option<String>,
    /// Part of a name, username, e-mail or page.
    q: Option<String>,
    /// Part of the page of any connection.
    page: Option<String>,
    sort: Option<Sort>,
    /// 50, at most 200.
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Everybody within reach who is not offline, oldest sign-in first, with all counts.
#[utoipa::path(get, path = "/admin/users/online", tag = "admin", params(Online), responses(
    (status = 200, body = OnlinePage), (status = 403, body = super::Problem)))]
pub(super) async fn online(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Online>,
) -> Answer<Json<OnlinePage>> {
    let sort = p.sort.unwrap_or_default();
    let query = Query { state: p.state, role: p.role, org: p.org, team: p.team, q: p.q, page: p.page, sort };
    let page = state.services.presence.online(&caller.actor, &query, p.limit.unwrap_or(50), p.offset.unwrap_or(0));
    Ok(Json(page.await?))
}

/// Turns off the second factor of somebody who lost it. Asks for a recent sign-in.
#[utoipa::path(delete, path = "/admin/users/{id}/second-factor", tag = "admin", params(("id" = uuid::Uuid, Path)), responses(
    (status = 204), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
    (status = 409, body = super::Problem, description = "There is none")))]
pub(super) async fn reset_second_factor(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
) -> Answer<http::StatusCode> {
    state.services.second_factor.reset(&caller.actor, id).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// The state of a person with its cause, its evidence and the transitions before it.
#[utoipa::path(get, path = "/admin/users/{id}/why", tag = "admin", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, body = Why), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn why(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<Json<Why>> {
    Ok(Json(state.services.why(&caller.actor, id).await?))
}
