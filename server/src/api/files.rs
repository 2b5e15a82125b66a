//! Uploads and outputs. What is sent and fetched here has no limit of time, and is not compressed.

use std::ops::{
    Bound::{Excluded, Included, Unbounded},
    Range,
};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use axum_extra::headers::{HeaderMapExt, IfRange, Range as RangeHeader};
use domain::{
    ApiError, Time,
    files::{Arriving, File, FileFilter, OutputView, Summary, UploadView, attachment, served_as},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, LOCATION,
    },
};
use serde::{Deserialize, Serialize};
use services::files::{Kind, Of};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Items;
use crate::{
    http::{
        extract::{Answer, Caller, Id, Params},
        upload::receive,
    },
    router::AppState,
};

/// One file, and what it is filed under.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the document only; bodies are read as they come")]
pub(super) struct NewUpload {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    workflow: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
pub(super) struct NewOutput {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// What made it.
    source: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Sends a file: `file`, and `workflow` in a field of its own. 413 beyond the limit or the quota; 422 for a file that is
/// called a picture and is none.
#[utoipa::path(post, path = "/uploads", tag = "files",
    request_body(content = NewUpload, content_type = "multipart/form-data"), responses(
    (status = 201, body = UploadView), (status = 413, body = super::Problem), (status = 415, body = super::Problem),
    (status = 422, body = super::Problem)))]
pub(super) async fn upload(State(state): State<AppState>, caller: Caller, request: Request) -> Answer<Response> {
    let upload = UploadView::from(receive(&state, &caller, Kind::Upload, "workflow", request).await?);
    Ok(created("uploads", upload.id, upload))
}

fn created<T: Serialize>(noun: &str, id: Uuid, view: T) -> Response {
    (StatusCode::CREATED, [(LOCATION, format!("/api/v1/{noun}/{id}"))], Json(view)).into_response()
}

/// One's own uploads, newest first.
#[utoipa::path(get, path = "/uploads", tag = "files", params(Paging), responses((status = 200, body = Items<UploadView>)))]
pub(super) async fn uploads(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Paging>,
) -> Answer<Json<Items<UploadView>>> {
    list(&state, &caller, Of::Own, Kind::Upload, &FileFilter::default(), p, UploadView::from).await
}

async fn list<T>(
    state: &AppState,
    caller: &Caller,
    of: Of,
    kind: Kind,
    filter: &FileFilter,
    p: Paging,
    view: impl Fn(File) -> T,
) -> Answer<Json<Items<T>>> {
    let (limit, cursor) = (p.limit.unwrap_or(50), p.cursor.as_deref());
    let page = state.services.files.list(&caller.actor, of, kind, filter, limit, cursor).await?;
    Ok(Json(Items { items: page.items.into_iter().map(view).collect(), next: page.next, total: page.total }))
}

/// One upload: one's own, or one within reach.
#[utoipa::path(get, path = "/uploads/{id}", tag = "files", params(("id" = Uuid, Path)), responses(
    (status = 200, body = UploadView), (status = 404, body = super::Problem)))]
pub(super) async fn one_upload(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<Json<UploadView>> {
    Ok(Json(state.services.files.one(&caller.actor, Kind::Upload, id).await?.into()))
}

/// Its content, or a part of it (`Range`), as an attachment.
#[utoipa::path(get, path = "/uploads/{id}/content", tag = "files", params(("id" = Uuid, Path)), responses(
    (status = 200, content_type = "application/octet-stream"), (status = 206), (status = 416),
    (status = 404, body = super::Problem)))]
pub(super) async fn upload_content(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
) -> Answer<Response> {
    content(&state, &caller, Kind::Upload, id, &headers).await
}

/// Deletes an upload: its owner, or an administrator (sudo).
#[utoipa::path(delete, path = "/uploads/{id}", tag = "files", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn delete_upload(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.files.delete(&caller.actor, Kind::Upload, id, &caller.origin.ip).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Registers what another program made for the signed-in person: `file`, and `source` in a field of its own.
#[utoipa::path(post, path = "/outputs", tag = "files",
    request_body(content = NewOutput, content_type = "multipart/form-data"), responses(
    (status = 201, body = OutputView), (status = 413, body = super::Problem), (status = 415, body = super::Problem),
    (status = 422, body = super::Problem)))]
pub(super) async fn add_output(State(state): State<AppState>, caller: Caller, request: Request) -> Answer<Response> {
    let file = receive(&state, &caller, Kind::Output, "source", request).await?;
    Ok(created("outputs", file.id, state.services.files.output(file)))
}

/// What was made for oneself, newest first.
#[utoipa::path(get, path = "/outputs", tag = "files", params(Paging), responses((status = 200, body = Items<OutputView>)))]
pub(super) async fn outputs(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Paging>,
) -> Answer<Json<Items<OutputView>>> {
    let view = |f| state.services.files.output(f);
    list(&state, &caller, Of::Own, Kind::Output, &FileFilter::default(), p, view).await
}

/// Its content, as that of an upload.
#[utoipa::path(get, path = "/outputs/{id}/content", tag = "files", params(("id" = Uuid, Path)), responses(
    (status = 200, content_type = "application/octet-stream"), (status = 206), (status = 416),
    (status = 404, body = super::Problem)))]
pub(super) async fn output_content(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
) -> Answer<Response> {
    content(&state, &caller, Kind::Output, id, &headers).await
}

/// Deletes an output: whoever asked for it, or an administrator (sudo).
#[utoipa::path(delete, path = "/outputs/{id}", tag = "files", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn delete_output(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.files.delete(&caller.actor, Kind::Output, id, &caller.origin.ip).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Uploads {
    /// A username.
    user: Option<String>,
    workflow: Option<String>,
    /// A content type such as `image/png`, or the part before its slash.
    r#type: Option<String>,
    /// Bytes.
    min_size: Option<u64>,
    max_size: Option<u64>,
    /// At or after.
    from: Option<Time>,
    /// Before.
    to: Option<Time>,
    /// Part of the name.
    q: Option<String>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl Uploads {
    fn filter(self) -> (FileFilter, Paging) {
        let paging = Paging { limit: self.limit, cursor: self.cursor };
        let filter = FileFilter {
            user: self.user,
            label: self.workflow,
            kind: self.r#type,
            min_size: self.min_size,
            max_size: self.max_size,
            from: self.from,
            to: self.to,
            q: self.q,
            organisation: None,
        };
        (filter, paging)
    }
}

/// Uploads within reach, newest first, with the exact number that match.
#[utoipa::path(get, path = "/admin/uploads", tag = "admin", params(Uploads), responses(
    (status = 200, body = Items<UploadView>), (status = 403, body = super::Problem)))]
pub(super) async fn all_uploads(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Uploads>,
) -> Answer<Json<Items<UploadView>>> {
    let (filter, paging) = p.filter();
    list(&state, &caller, Of::Others, Kind::Upload, &filter, paging, UploadView::from).await
}

/// Exact sums over uploads within reach that match: the same filters.
#[utoipa::path(get, path = "/admin/uploads/summary", tag = "admin", params(Uploads), responses(
    (status = 200, body = Summary), (status = 403, body = super::Problem)))]
pub(super) async fn summary(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Uploads>,
) -> Answer<Json<Summary>> {
    Ok(Json(state.services.files.summary(&caller.actor, Of::Others, Kind::Upload, &p.filter().0).await?))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Running {
    items: Vec<Arriving>,
    as_of: Time,
}

/// Uploads within reach that are on their way; `live:uploads` pushes the same.
#[utoipa::path(get, path = "/admin/uploads/running", tag = "admin", responses(
    (status = 200, body = Running), (status = 403, body = super::Problem)))]
pub(super) async fn running(State(state): State<AppState>, caller: Caller) -> Answer<Json<Running>> {
    let items = state.services.files.arriving(&caller.actor)?;
    Ok(Json(Running { items, as_of: state.services.clock.now() }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Outputs {
    /// A username.
    user: Option<String>,
    /// What made it.
    source: Option<String>,
    /// At or after.
    from: Option<Time>,
    /// Before.
    to: Option<Time>,
    /// Part of the name.
    q: Option<String>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Outputs within reach, newest first, with the exact number that match.
#[utoipa::path(get, path = "/admin/outputs", tag = "admin", params(Outputs), responses(
    (status = 200, body = Items<OutputView>), (status = 403, body = super::Problem)))]
pub(super) async fn all_outputs(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Outputs>,
) -> Answer<Json<Items<OutputView>>> {
    let paging = Paging { limit: p.limit, cursor: p.cursor };
    let filter = FileFilter { user: p.user, label: p.source, from: p.from, to: p.to, q: p.q, ..FileFilter::default() };
    let view = |f| state.services.files.output(f);
    list(&state, &caller, Of::Others, Kind::Output, &filter, paging, view).await
}

/// The one part of a file of `size` that is asked for; nothing for the whole. `Err` for one that is not there.
fn part(headers: &HeaderMap, tag: &str, size: u64) -> Result<Option<Range<u64>>, ()> {
    let Some(range) = headers.typed_get::<RangeHeader>() else { return Ok(None) };
    // Of another file than this one: the whole of this one.
    if headers.contains_key(IF_RANGE) {
        let same = headers.get(IF_RANGE).is_some_and(|v| v.as_bytes() == tag.as_bytes());
        if !same || headers.typed_get::<IfRange>().is_none() {
            return Ok(None);
        }
    }
    let mut ranges = range.satisfiable_ranges(size);
    let Some((from, to)) = ranges.next() else { return Err(()) };
    if ranges.next().is_some() {
        return Ok(None);
    }
    let from = match from {
        Included(n) => n,
        Excluded(n) => n.saturating_add(1),
        Unbounded => 0,
    };
    let to = match to {
        Included(n) => n.saturating_add(1).min(size),
        Excluded(n) => n.min(size),
        Unbounded => size,
    };
    if from >= to { Err(()) } else { Ok(Some(from..to)) }
}

async fn content(state: &AppState, caller: &Caller, kind: Kind, id: Uuid, headers: &HeaderMap) -> Answer<Response> {
    let files = &state.services.files;
    let file = files.one(&caller.actor, kind, id).await?;
    let tag = format!("\"{}\"", file.sha256);
    let Ok(part) = part(headers, &tag, file.size) else {
        let range = format!("bytes */{}", file.size);
        return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, range)]).into_response());
    };
    let bytes = files.download(&caller.actor, kind, &file, part.clone(), &caller.origin.ip).await?;
    let mut response = Body::from_stream(bytes).into_response();
    let length = part.as_ref().map_or(file.size, |p| p.end - p.start);
    for (name, value) in [
        (CONTENT_TYPE, served_as(&file.content_type)),
        (CONTENT_DISPOSITION, attachment(&file.name)),
        (CONTENT_LENGTH, length.to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, tag),
    ] {
        let value = HeaderValue::from_str(&value).map_err(|_| ApiError::internal())?;
        response.headers_mut().insert(name, value);
    }
    if let Some(part) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, file.size);
        if let Ok(range) = HeaderValue::from_str(&range) {
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
    }
    Ok(response)
}
