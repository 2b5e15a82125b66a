//! Everybody's sessions: list, end, clean up.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    ApiError, Time,
    session::{EndReason, SessionFilter, SessionSort, SessionState, SessionView},
    useragent::Kind,
};
use serde::{Deserialize, Serialize};
use services::Which;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Items;
use crate::{
    http::extract::{Answer, Body, Caller, HttpError, OptionalBody, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// A username.
    user: Option<String>,
    role: Option<String>,
    /// An organisation's id or name.
    org: Option<String>,
    ip: Option<String>,
    device: Option<Kind>,
    state: Option<SessionState>,
    reason: Option<EndReason>,
    /// Started at or after.
    from: Option<Time>,
    /// Started before.
    to: Option<Time>,
    /// Part of a name, a username or an address.
    q: Option<String>,
    sort: Option<SessionSort>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Sessions within reach, live and ended, newest first, with the exact number that match.
#[utoipa::path(get, path = "/admin/sessions", tag = "admin", params(List), responses(
    (status = 200, body = Items<SessionView>), (status = 400, body = super::Problem), (status = 403, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<SessionView>>> {
    let filter = SessionFilter {
        user: p.user,
        role: p.role,
        org: p.org,
        ip: p.ip,
        device: p.device,
        state: p.state,
        reason: p.reason,
        from: p.from,
        to: p.to,
        q: p.q,
    };
    let limit = p.limit.unwrap_or(50).clamp(1, 200);
    let sort = p.sort.unwrap_or_default();
    let page = state.services.sessions.list(&caller.actor, &filter, sort, limit, p.cursor.as_deref()).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    filter: Option<SessionFilter>,
    ids: Option<Vec<Uuid>>,
    /// End the caller's own session too, should it match.
    #[serde(default)]
    include_own: bool,
    /// Only say how many would end.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Revoked {
    /// How many live sessions ended, or would.
    ended: u64,
    dry_run: bool,
}

/// Ends live sessions by filter or by id. Their sockets are closed when this answers.
#[utoipa::path(post, path = "/admin/sessions/revoke", tag = "admin", request_body = Revoke, responses(
    (status = 200, body = Revoked), (status = 403, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<Revoke>,
) -> Answer<Json<Revoked>> {
    let which = match (b.filter, b.ids) {
        (Some(filter), None) => Which::Filter(filter),
        (None, Some(ids)) => Which::Ids(ids),
        _ => {
            return Err(HttpError(ApiError::invalid(
                "filter",
                "Send either a filter or ids; an empty filter matches all.",
            )));
        }
    };
    let ended = state.services.sessions.revoke(&caller.actor, which, b.include_own, b.dry_run).await?;
    Ok(Json(Revoked { ended, dry_run: b.dry_run }))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CleanUp {
    /// Delete sessions that ended longer ago than this many seconds; the retention setting by default.
    older_than_seconds: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct CleanedUp {
    /// Marked as ended: they were over by their times.
    ended: u64,
    deleted: u64,
    /// Only with 202: it goes on, and these are the numbers so far.
    #[serde(skip_serializing_if = "is_false")]
    more: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(b: &bool) -> bool {
    !b
}

/// Marks sessions that are over as ended and deletes those past their retention. Runs every hour by itself.
#[utoipa::path(post, path = "/admin/sessions/cleanup", tag = "admin", responses(
    (status = 200, body = CleanedUp), (status = 202, body = CleanedUp), (status = 403, body = super::Problem),
    (status = 409, body = super::Problem)))]
pub(super) async fn clean_up(
    State(state): State<AppState>,
    caller: Caller,
    OptionalBody(b): OptionalBody<CleanUp>,
) -> Answer<(StatusCode, Json<CleanedUp>)> {
    let older_than = b.older_than_seconds.map(|s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000));
    let done = state.services.sessions.clean_up_within(&caller.actor, older_than, services::CLEAN_UP_PATIENCE).await?;
    let status = if done.more { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(CleanedUp { ended: done.ended, deleted: done.deleted, more: done.more })))
}
