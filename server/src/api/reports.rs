//! Reports: asked for, scheduled, and how far they have come. What is made is an output, and fetched as one.

use axum::{Json, extract::State};
use domain::reports::{NewReport, NewSchedule, Report, Schedule};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Items;
use crate::{
    http::extract::{Answer, Body, Caller, Id, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// One's own reports, newest first. `output` is the file once it is made: `GET /outputs/{id}/content`.
#[utoipa::path(get, path = "/admin/reports", tag = "admin", params(List), responses(
    (status = 200, body = Items<Report>), (status = 400, body = super::Problem), (status = 403, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<Report>>> {
    let (limit, cursor) = (p.limit.unwrap_or(50), p.cursor.as_deref());
    let page = state.services.reports.list(&caller.actor, limit, cursor).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

/// Asks for a report of what one may see (sudo). It is made in the background; `reports:me` tells as it comes.
#[utoipa::path(post, path = "/admin/reports", tag = "admin", request_body = NewReport, responses(
    (status = 202, body = Report), (status = 403, body = super::Problem), (status = 409, body = super::Problem),
    (status = 422, body = super::Problem)))]
pub(super) async fn ask(
    State(state): State<AppState>,
    caller: Caller,
    Body(new): Body<NewReport>,
) -> Answer<(StatusCode, Json<Report>)> {
    Ok((StatusCode::ACCEPTED, Json(state.services.reports.ask(&caller.actor, new).await?)))
}

/// Cancels one that is not made yet.
#[utoipa::path(delete, path = "/admin/reports/{id}", tag = "admin", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 404, body = super::Problem), (status = 409, body = super::Problem)))]
pub(super) async fn cancel(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.reports.cancel(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own schedules, oldest first.
#[utoipa::path(get, path = "/admin/reports/schedules", tag = "admin", responses(
    (status = 200, body = Items<Schedule>), (status = 403, body = super::Problem)))]
pub(super) async fn schedules(State(state): State<AppState>, caller: Caller) -> Answer<Json<Items<Schedule>>> {
    let items = state.services.reports.schedules(&caller.actor).await?;
    Ok(Json(Items { total: Some(items.len() as u64), items, next: None }))
}

/// Asks for a report again and again (sudo): of the day, the week or the month before, by the clocks of the instance. Of
/// times at which nobody was there to make one, only the last is made up for.
#[utoipa::path(post, path = "/admin/reports/schedules", tag = "admin", request_body = NewSchedule, responses(
    (status = 201, body = Schedule), (status = 403, body = super::Problem), (status = 409, body = super::Problem),
    (status = 422, body = super::Problem)))]
pub(super) async fn schedule(
    State(state): State<AppState>,
    caller: Caller,
    Body(new): Body<NewSchedule>,
) -> Answer<(StatusCode, Json<Schedule>)> {
    Ok((StatusCode::CREATED, Json(state.services.reports.schedule(&caller.actor, new).await?)))
}

/// Ends a schedule; what it made stays.
#[utoipa::path(delete, path = "/admin/reports/schedules/{id}", tag = "admin", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 404, body = super::Problem)))]
pub(super) async fn end_schedule(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.reports.end_schedule(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
