//! The outbox.

use axum::{Json, extract::State};
use domain::mail::{MailState, MailView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Items;
use crate::{
    http::extract::{Answer, Caller, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    state: Option<MailState>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Mails that wait, were sent or were given up, newest first. What they say is not told.
#[utoipa::path(get, path = "/admin/mail", tag = "admin", params(List), responses(
    (status = 200, body = Items<MailView>), (status = 400, body = super::Problem), (status = 403, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<MailView>>> {
    let page = state.services.mail.list(&caller.actor, p.state, p.limit.unwrap_or(50), p.cursor.as_deref()).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}
