//! The audit log: list and download.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Actor, ApiError, Time};
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use services::{AuditFilter, AuditRow, Services};
use utoipa::{IntoParams, ToSchema};

use super::Items;
use crate::{
    audit_file::Format,
    http::extract::{Answer, Caller, Params},
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// A username, `operator`, `system` or `anonymous`.
    actor: Option<String>,
    action: Option<String>,
    /// A username or an id.
    subject: Option<String>,
    /// At or after.
    from: Option<Time>,
    /// Before.
    to: Option<Time>,
    /// Part of anything an entry says.
    q: Option<String>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// One act. What was erased of a person reads `erased-N`, N being the entry that records the erasure.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEntry {
    /// 1, 2, 3, … without a gap.
    seq: i64,
    at: Time,
    actor: String,
    action: String,
    subject_kind: String,
    subject: Option<String>,
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
    ip: Option<String>,
    /// SHA-256 over this entry and the hash before it, in hexadecimal.
    hash: String,
}

impl From<AuditRow> for AuditEntry {
    fn from(r: AuditRow) -> Self {
        let AuditRow { seq, at, actor, action, subject_kind, subject, details, ip, hash } = r;
        Self { seq, at, actor, action, subject_kind, subject, details, ip, hash }
    }
}

/// Who did what to whom, newest first.
#[utoipa::path(get, path = "/admin/audit", tag = "admin", params(List), responses(
    (status = 200, body = Items<AuditEntry>), (status = 400, body = super::Problem), (status = 403, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<AuditEntry>>> {
    let filter = AuditFilter { actor: p.actor, action: p.action, subject: p.subject, from: p.from, to: p.to, q: p.q };
    let limit = p.limit.unwrap_or(50);
    let page = state.services.audit.list(&caller.actor, &filter, limit, p.cursor.as_deref()).await?;
    let items = page.items.into_iter().map(AuditEntry::from).collect();
    Ok(Json(Items { items, next: page.next, total: page.total }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Export {
    /// `csv`, unless `json` is asked for.
    format: Option<ExportFormat>,
    actor: Option<String>,
    action: Option<String>,
    subject: Option<String>,
    from: Option<Time>,
    to: Option<Time>,
    q: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportFormat {
    Csv,
    Json,
}

/// The entries that match, oldest first, as a file. Asks for sudo mode, and is recorded itself.
#[utoipa::path(get, path = "/admin/audit/export", tag = "admin", params(Export), responses(
    (status = 200, body = String, content_type = "text/csv"), (status = 400, body = super::Problem),
    (status = 403, body = super::Problem)))]
pub(super) async fn export(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Export>,
) -> Answer<Response> {
    let filter = AuditFilter { actor: p.actor, action: p.action, subject: p.subject, from: p.from, to: p.to, q: p.q };
    let (format, kind, name) = match p.format {
        None | Some(ExportFormat::Csv) => (Format::Csv, "text/csv; charset=utf-8", "rollcall-audit.csv"),
        Some(ExportFormat::Json) => (Format::Json, "application/json", "rollcall-audit.json"),
    };
    state.services.audit.begin_export(&caller.actor, &filter, format.as_str()).await?;
    let pages = Pages { services: state.services.clone(), actor: caller.actor, filter, format, seq: Some(0) };
    let body = Body::from_stream(stream::try_unfold(pages, Pages::next));
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], body).into_response())
}

/// An export on its way: as much in memory as the reader takes next.
struct Pages {
    services: Services,
    actor: Actor,
    filter: AuditFilter,
    format: Format,
    /// The number of the last entry sent; nothing after the end.
    seq: Option<i64>,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let Some(seq) = self.seq else { return Ok(None) };
        let rows = self.services.audit.export_after(&self.actor, &self.filter, seq).await?;
        let mut text = if seq == 0 { self.format.head() } else { String::new() };
        text.push_str(&self.format.rows(&rows, seq == 0));
        self.seq = rows.last().map(|r| r.seq);
        if self.seq.is_none() {
            text.push_str(self.format.tail());
        }
        Ok(Some((Bytes::from(text), self)))
    }
}
