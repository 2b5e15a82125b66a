//! What people did: list and download.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    Time,
    activity::{EventFilter, EventRow},
};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Items;
use crate::{
    activity_file::{self, Format},
    http::extract::{Answer, Caller, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// A username.
    user: Option<String>,
    /// `login`, `logout`, `page_view`, `action`, …
    kind: Option<String>,
    /// An address or its template: ids in it may be any.
    page: Option<String>,
    role: Option<String>,
    /// An organisation's id or name.
    org: Option<String>,
    /// At or after.
    from: Option<Time>,
    /// Before.
    to: Option<Time>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What happened, newest first. The total is null where counting would take long.
#[utoipa::path(get, path = "/admin/activity", tag = "activity", params(List), responses(
    (status = 200, body = Items<EventRow>), (status = 400, body = super::Problem), (status = 403, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<EventRow>>> {
    let filter =
        EventFilter { user: p.user, kind: p.kind, page: p.page, role: p.role, org: p.org, from: p.from, to: p.to };
    let limit = p.limit.unwrap_or(50);
    let page = state.services.activity.list(&caller.actor, &filter, limit, p.cursor.as_deref()).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Export {
    /// `csv`, unless another is asked for.
    format: Option<ExportFormat>,
    /// Any word of at most 40 characters, by which the console's page asks how far it is.
    key: Option<String>,
    user: Option<String>,
    kind: Option<String>,
    page: Option<String>,
    role: Option<String>,
    org: Option<String>,
    from: Option<Time>,
    to: Option<Time>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportFormat {
    Csv,
    Xlsx,
    /// An object a line.
    Json,
}

/// Exactly what the filter shows now, newest first, as a file. Asks for sudo mode, and is recorded.
#[utoipa::path(get, path = "/admin/activity/export", tag = "activity", params(Export), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = super::Problem),
    (status = 403, body = super::Problem)))]
pub(super) async fn export(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Export>,
) -> Answer<Response> {
    let filter =
        EventFilter { user: p.user, kind: p.kind, page: p.page, role: p.role, org: p.org, from: p.from, to: p.to };
    let format = match p.format {
        None | Some(ExportFormat::Csv) => Format::Csv,
        Some(ExportFormat::Xlsx) => Format::Xlsx,
        Some(ExportFormat::Json) => Format::Json,
    };
    let export = state.services.activity.begin_export(&caller.actor, &filter, format.word(), p.key.as_deref()).await?;
    let body = Body::from_stream(activity_file::stream(&state.services, export, format));
    let disposition = format!("attachment; filename=\"rollcall-activity.{}\"", format.extension());
    Ok(([(CONTENT_TYPE, format.kind().to_owned()), (CONTENT_DISPOSITION, disposition)], body).into_response())
}
