//! Being told of uploads.

use axum::{Json, extract::State};
use domain::notices::{NewSubscription, Notice, Subscription};
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Items;
use crate::{
    http::extract::{Answer, Body, Caller, Id, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// Only those that are not read.
    unread: Option<bool>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// One's own notices, newest first, of uploads that one may see now.
#[utoipa::path(get, path = "/notices", tag = "notices", params(List), responses(
    (status = 200, body = Items<Notice>), (status = 400, body = super::Problem), (status = 401, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<Notice>>> {
    let (limit, cursor) = (p.limit.unwrap_or(50), p.cursor.as_deref());
    let page = state.services.notices.list(&caller.actor, p.unread == Some(true), limit, cursor).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// One of them; without it all.
    id: Option<Uuid>,
}

/// Marks one of one's own notices as read, or all.
#[utoipa::path(post, path = "/notices/read", tag = "notices", request_body = Which, responses(
    (status = 204), (status = 401, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Body(which): Body<Which>,
) -> Answer<StatusCode> {
    state.services.notices.read(&caller.actor, which.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What one asked to be told of.
#[utoipa::path(get, path = "/notices/subscriptions", tag = "notices", responses(
    (status = 200, body = Items<Subscription>), (status = 401, body = super::Problem)))]
pub(super) async fn subscriptions(State(state): State<AppState>, caller: Caller) -> Answer<Json<Items<Subscription>>> {
    let items = state.services.notices.subscriptions(&caller.actor).await?;
    Ok(Json(Items { total: Some(items.len() as u64), items, next: None }))
}

/// Asks to be told of uploads: of an organisation, of a workflow, of both together, or of all that one may see. Asked
/// again, it changes the mails.
#[utoipa::path(post, path = "/notices/subscriptions", tag = "notices", request_body = NewSubscription, responses(
    (status = 201, body = Subscription), (status = 403, body = super::Problem), (status = 409, body = super::Problem),
    (status = 422, body = super::Problem)))]
pub(super) async fn subscribe(
    State(state): State<AppState>,
    caller: Caller,
    Body(new): Body<NewSubscription>,
) -> Answer<(StatusCode, Json<Subscription>)> {
    Ok((StatusCode::CREATED, Json(state.services.notices.subscribe(&caller.actor, new).await?)))
}

/// Asks no more.
#[utoipa::path(delete, path = "/notices/subscriptions/{id}", tag = "notices", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 401, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn unsubscribe(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.notices.unsubscribe(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
