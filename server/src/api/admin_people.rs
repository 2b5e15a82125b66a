//! People: list, make, change, invite, disable, delete, move, and take out as CSV.

use axum::{
    Json,
    body::Body as HttpBody,
    extract::{State, rejection::StringRejection},
    response::{IntoResponse, Response},
};
use domain::{
    ApiError, ErrorCode, Time,
    access::Action,
    people::{AccountRow, GoesWith, Import, Moment, Moved, UserEdit, UserFilter, UserSort},
    presence::State as Presence,
};
use http::{
    StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use serde::{Deserialize, Serialize};
use services::{Invitation, NewUser, WhichPeople};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Items;
use crate::{
    http::extract::{Answer, Body, Caller, HttpError, Id, Params},
    people_file,
    router::AppState,
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// Part of a name, a username or an e-mail address.
    q: Option<String>,
    role: Option<String>,
    /// An organisation's id or name.
    org: Option<String>,
    /// A team's id or name.
    team: Option<String>,
    state: Option<Presence>,
    disabled: Option<bool>,
    /// Signed in last at or after.
    signed_in_after: Option<Time>,
    /// Signed in last before, or never.
    signed_in_before: Option<Time>,
    sort: Option<UserSort>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// People within reach, by name, with the exact number that match.
#[utoipa::path(get, path = "/admin/users", tag = "people", params(List), responses(
    (status = 200, body = Items<AccountRow>), (status = 400, body = super::Problem), (status = 403, body = super::Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<List>,
) -> Answer<Json<Items<AccountRow>>> {
    let filter = UserFilter {
        q: p.q,
        role: p.role,
        org: p.org,
        team: p.team,
        state: p.state,
        disabled: p.disabled,
        signed_in_after: p.signed_in_after,
        signed_in_before: p.signed_in_before,
    };
    let (limit, sort) = (p.limit.unwrap_or(50), p.sort.unwrap_or_default());
    let page = state.services.accounts.list(&caller.actor, &filter, sort, limit, p.cursor.as_deref()).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

/// Somebody new. Nobody chooses another's password: `invite` makes a link by which they choose their own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPerson {
    username: String,
    name: Option<String>,
    email: Option<String>,
    /// `member` by default.
    role: Option<String>,
    /// An organisation's id or name; one of a name that is not there is made.
    organisation: Option<String>,
    /// Teams of the organisation by name; those that are not there are made.
    #[serde(default)]
    teams: Vec<String>,
}

/// Makes an account without a password.
#[utoipa::path(post, path = "/admin/users", tag = "people", request_body = NewPerson, responses(
    (status = 201, body = AccountRow), (status = 403, body = super::Problem),
    (status = 409, body = super::Problem, description = "The username is taken"), (status = 422, body = super::Problem)))]
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<NewPerson>,
) -> Answer<(StatusCode, Json<AccountRow>)> {
    let new = NewUser {
        username: b.username,
        name: b.name,
        email: b.email,
        role: b.role,
        organisation: b.organisation,
        teams: b.teams,
        password: None,
    };
    let accounts = &state.services.accounts;
    let user = accounts.add(&caller.actor, new).await?;
    Ok((StatusCode::CREATED, Json(accounts.one(&caller.actor, user.id).await?)))
}

/// One person.
#[utoipa::path(get, path = "/admin/users/{id}", tag = "people", params(("id" = Uuid, Path)), responses(
    (status = 200, body = AccountRow), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn one(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<Json<AccountRow>> {
    Ok(Json(state.services.person(&caller.actor, id).await?))
}

/// Changes what is named. Another role or organisation ends the person's sessions.
#[utoipa::path(patch, path = "/admin/users/{id}", tag = "people", params(("id" = Uuid, Path)), request_body = UserEdit,
    responses((status = 200, body = AccountRow), (status = 403, body = super::Problem),
        (status = 404, body = super::Problem), (status = 422, body = super::Problem),
        (status = 409, body = super::Problem, description = "The username is taken, or this is the last administrator")))]
pub(super) async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Body(edit): Body<UserEdit>,
) -> Answer<Json<AccountRow>> {
    Ok(Json(state.services.accounts.edit(&caller.actor, id, edit).await?.user))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeletePerson {
    /// Only say what would go.
    #[serde(default)]
    dry_run: bool,
    /// What the audit log says of them too; the chain stays good.
    #[serde(default)]
    erase: bool,
}

/// Deletes a person with all that goes with them, and says how much that was.
#[utoipa::path(delete, path = "/admin/users/{id}", tag = "people", params(("id" = Uuid, Path), DeletePerson), responses(
    (status = 200, body = GoesWith), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
    (status = 409, body = super::Problem, description = "This is the last administrator")))]
pub(super) async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(p): Params<DeletePerson>,
) -> Answer<Json<GoesWith>> {
    let (accounts, actor) = (&state.services.accounts, &caller.actor);
    Ok(Json(match (p.dry_run, p.erase) {
        (true, false) => accounts.goes_with(actor, id).await?,
        (true, true) => accounts.erases(actor, id).await?,
        (false, false) => accounts.delete(actor, id).await?,
        (false, true) => accounts.erase(actor, id).await?,
    }))
}

#[derive(Serialize, ToSchema)]
pub(super) struct Invited {
    /// By which the person chooses a password, once, within a week. Said this once only.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// The address it went to, in place of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    mailed_to: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Timeline {
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What happened to a person within reach, newest first: sign-ins, ends of sessions and, for those who may read the audit
/// log, what was done to the account.
#[utoipa::path(get, path = "/admin/users/{id}/timeline", tag = "people", params(("id" = Uuid, Path), Timeline),
    responses((status = 200, body = Items<Moment>), (status = 403, body = super::Problem),
        (status = 404, body = super::Problem)))]
pub(super) async fn timeline(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(p): Params<Timeline>,
) -> Answer<Json<Items<Moment>>> {
    let page = state.services.timeline(&caller.actor, id, p.limit.unwrap_or(50), p.cursor.as_deref()).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

/// Invites somebody who has no password yet: by mail where that can be, else by a link, which is said this once only. An
/// earlier one is void.
#[utoipa::path(post, path = "/admin/users/{id}/invite", tag = "people", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Invited), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
    (status = 409, body = super::Problem, description = "They have a password, or are disabled")))]
pub(super) async fn invite(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<Json<Invited>> {
    Ok(Json(match state.services.accounts.invite(&caller.actor, id).await? {
        Invitation::Mailed(to) => Invited { link: None, mailed_to: Some(to) },
        Invitation::Link(token) => Invited { link: Some(state.site.links.reset(&token)), mailed_to: None },
    }))
}

/// Ends all the person's sessions and lets them in no more.
#[utoipa::path(post, path = "/admin/users/{id}/disable", tag = "people", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
    (status = 409, body = super::Problem, description = "This is the last administrator")))]
pub(super) async fn disable(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.accounts.disable(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a disabled person in again.
#[utoipa::path(post, path = "/admin/users/{id}/enable", tag = "people", params(("id" = Uuid, Path)), responses(
    (status = 204), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn enable(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.services.accounts.enable(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    filter: Option<UserFilter>,
    ids: Option<Vec<Uuid>>,
    /// The id of an organisation; null for none.
    to: Option<Uuid>,
    /// Only say how many would move.
    #[serde(default)]
    dry_run: bool,
}

/// Moves people to another organisation, by filter or by id. They leave the teams of the old one, and are signed out.
#[utoipa::path(post, path = "/admin/users/move", tag = "people", request_body = Move, responses(
    (status = 200, body = Moved), (status = 403, body = super::Problem), (status = 422, body = super::Problem)))]
pub(super) async fn move_people(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<Move>,
) -> Answer<Json<Moved>> {
    let which = match (b.filter, b.ids) {
        (Some(filter), None) => WhichPeople::Filter(filter),
        (None, Some(ids)) => WhichPeople::Ids(ids),
        _ => {
            let message = "Send either a filter or ids; an empty filter matches all.";
            return Err(HttpError(ApiError::invalid("filter", message)));
        }
    };
    Ok(Json(state.services.accounts.move_people(&caller.actor, which, b.to, b.dry_run).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Importing {
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Invite those who were added.
    #[serde(default)]
    invite: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Imported {
    #[serde(flatten)]
    import: Import,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitations: Option<Invitations>,
}

#[derive(Serialize, ToSchema)]
struct Invitations {
    /// How many go by mail.
    mailed: u64,
    /// The others, said this once only.
    links: Vec<Link>,
}

#[derive(Serialize, ToSchema)]
struct Link {
    username: String,
    link: String,
}

/// Makes the accounts of a CSV file, all or none. Its first line names the columns: username, and any of name, email,
/// role, organisation, teams (separated by semicolons). At most 2 MB and 5,000 people.
#[utoipa::path(post, path = "/admin/users/import", tag = "people", params(Importing),
    request_body(content = String, content_type = "text/csv"), responses(
    (status = 200, body = Imported), (status = 403, body = super::Problem), (status = 413, body = super::Problem),
    (status = 422, body = super::Problem, description = "Nobody was added; `fields` names the lines that are wrong")))]
pub(super) async fn import(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Importing>,
    text: Result<String, StringRejection>,
) -> Answer<Json<Imported>> {
    // Whoever may not is told so, whatever they send.
    caller.actor.require(Action::Accounts)?;
    let text = text.map_err(|rejection| {
        let (code, message) = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            (ErrorCode::TooLarge, "The file is too large. Split it.")
        } else {
            (ErrorCode::BadRequest, "The file is no text in UTF-8.")
        };
        HttpError(ApiError::new(code, message))
    })?;
    let accounts = &state.services.accounts;
    let import = accounts.import(&caller.actor, &text, p.dry_run).await?;
    let invitations = if p.invite && !p.dry_run {
        let invited = accounts.invite_all(&caller.actor, import.ids.clone()).await?;
        let link =
            |(username, token): &(String, _)| Link { username: username.clone(), link: state.site.links.reset(token) };
        Some(Invitations { mailed: invited.mailed, links: invited.links.iter().map(link).collect() })
    } else {
        None
    };
    Ok(Json(Imported { import, invitations }))
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    Csv,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Export {
    format: Format,
    /// Part of a name, a username or an e-mail address.
    q: Option<String>,
    role: Option<String>,
    /// An organisation's id or name.
    org: Option<String>,
    /// A team's id or name.
    team: Option<String>,
    state: Option<Presence>,
    disabled: Option<bool>,
    /// Signed in last at or after.
    signed_in_after: Option<Time>,
    /// Signed in last before, or never.
    signed_in_before: Option<Time>,
    sort: Option<UserSort>,
}

/// Rows fetched at a time.
const PAGE: u32 = 200;

/// The whole list, as it is being read. Cells that a spreadsheet would take for a formula begin with an apostrophe.
#[utoipa::path(get, path = "/admin/users/export", tag = "people", params(Export), responses(
    (status = 200, content_type = "text/csv", body = String), (status = 403, body = super::Problem)))]
pub(super) async fn export(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Export>,
) -> Answer<Response> {
    let Format::Csv = p.format;
    let filter = UserFilter {
        q: p.q,
        role: p.role,
        org: p.org,
        team: p.team,
        state: p.state,
        disabled: p.disabled,
        signed_in_after: p.signed_in_after,
        signed_in_before: p.signed_in_before,
    };
    let (sort, accounts) = (p.sort.unwrap_or_default(), state.services.accounts.clone());
    accounts.begin_export(&caller.actor, &filter).await?;
    let first = (Some(None::<String>), people_file::head());
    let pages = futures_util::stream::try_unfold(first, move |(cursor, head)| {
        let (accounts, filter, actor) = (accounts.clone(), filter.clone(), caller.actor.clone());
        async move {
            let Some(cursor) = cursor else { return Ok(None) };
            let page = accounts.list(&actor, &filter, sort, PAGE, cursor.as_deref()).await?;
            let mut text = head;
            text.extend(people_file::lines(page.items));
            Ok::<_, ApiError>(Some((bytes::Bytes::from(text), (page.next.map(Some), vec![]))))
        }
    });
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"people.csv\"")];
    Ok((headers, HttpBody::from_stream(pages)).into_response())
}
