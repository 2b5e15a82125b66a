//! Organisations, teams and roles.

use axum::{Json, extract::State};
use domain::{
    Level,
    people::{MoveTo, Moved, OrganisationView, RoleView, TeamView},
};
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
pub(super) struct Delete {
    /// Where its people go: an id, or `none`. Without it people are in the way.
    move_to: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

impl Delete {
    fn move_to(&self) -> Answer<Option<MoveTo>> {
        Ok(self.move_to.as_deref().map(MoveTo::parse).transpose()?)
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    name: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Organisations {
    /// Part of a name.
    q: Option<String>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Organisations within reach, by name.
#[utoipa::path(get, path = "/admin/organisations", tag = "directory", params(Organisations), responses(
    (status = 200, body = Items<OrganisationView>), (status = 403, body = super::Problem)))]
pub(super) async fn organisations(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Organisations>,
) -> Answer<Json<Items<OrganisationView>>> {
    let (q, cursor) = (p.q.as_deref(), p.cursor.as_deref());
    let page = state.services.directory.organisations(&caller.actor, q, p.limit.unwrap_or(50), cursor).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

#[utoipa::path(post, path = "/admin/organisations", tag = "directory", request_body = Name, responses(
    (status = 201, body = OrganisationView), (status = 403, body = super::Problem),
    (status = 409, body = super::Problem, description = "The name is taken"), (status = 422, body = super::Problem)))]
pub(super) async fn add_organisation(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<Name>,
) -> Answer<(StatusCode, Json<OrganisationView>)> {
    let made = state.services.directory.add_organisation(&caller.actor, &b.name).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

#[utoipa::path(get, path = "/admin/organisations/{id}", tag = "directory", params(("id" = Uuid, Path)), responses(
    (status = 200, body = OrganisationView), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn organisation(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
) -> Answer<Json<OrganisationView>> {
    Ok(Json(state.services.directory.organisation(&caller.actor, id).await?))
}

#[utoipa::path(patch, path = "/admin/organisations/{id}", tag = "directory", params(("id" = Uuid, Path)),
    request_body = Name, responses((status = 200, body = OrganisationView), (status = 403, body = super::Problem),
        (status = 404, body = super::Problem), (status = 409, body = super::Problem, description = "The name is taken")))]
pub(super) async fn rename_organisation(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Body(b): Body<Name>,
) -> Answer<Json<OrganisationView>> {
    Ok(Json(state.services.directory.rename_organisation(&caller.actor, id, &b.name).await?))
}

/// Deletes an organisation with its teams; its people go where it is said, and are signed out.
#[utoipa::path(delete, path = "/admin/organisations/{id}", tag = "directory", params(("id" = Uuid, Path), Delete),
    responses((status = 200, body = Moved), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
        (status = 409, body = super::Problem, description = "People are in it")))]
pub(super) async fn delete_organisation(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(p): Params<Delete>,
) -> Answer<Json<Moved>> {
    let directory = &state.services.directory;
    Ok(Json(directory.delete_organisation(&caller.actor, id, p.move_to()?, p.dry_run).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Teams {
    /// Of one organisation.
    organisation_id: Option<Uuid>,
    /// 50, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Teams within reach, by name.
#[utoipa::path(get, path = "/admin/teams", tag = "directory", params(Teams), responses(
    (status = 200, body = Items<TeamView>), (status = 403, body = super::Problem)))]
pub(super) async fn teams(
    State(state): State<AppState>,
    caller: Caller,
    Params(p): Params<Teams>,
) -> Answer<Json<Items<TeamView>>> {
    let (limit, cursor) = (p.limit.unwrap_or(50), p.cursor.as_deref());
    let page = state.services.directory.teams(&caller.actor, p.organisation_id, limit, cursor).await?;
    Ok(Json(Items { items: page.items, next: page.next, total: page.total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTeam {
    organisation_id: Uuid,
    name: String,
}

#[utoipa::path(post, path = "/admin/teams", tag = "directory", request_body = NewTeam, responses(
    (status = 201, body = TeamView), (status = 403, body = super::Problem),
    (status = 409, body = super::Problem, description = "The name is taken in this organisation"),
    (status = 422, body = super::Problem)))]
pub(super) async fn add_team(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<NewTeam>,
) -> Answer<(StatusCode, Json<TeamView>)> {
    let made = state.services.directory.add_team(&caller.actor, b.organisation_id, &b.name).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

#[utoipa::path(get, path = "/admin/teams/{id}", tag = "directory", params(("id" = Uuid, Path)), responses(
    (status = 200, body = TeamView), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn team(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<Json<TeamView>> {
    Ok(Json(state.services.directory.team(&caller.actor, id).await?))
}

#[utoipa::path(patch, path = "/admin/teams/{id}", tag = "directory", params(("id" = Uuid, Path)), request_body = Name,
    responses((status = 200, body = TeamView), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
        (status = 409, body = super::Problem, description = "The name is taken in this organisation")))]
pub(super) async fn rename_team(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Body(b): Body<Name>,
) -> Answer<Json<TeamView>> {
    Ok(Json(state.services.directory.rename_team(&caller.actor, id, &b.name).await?))
}

/// Deletes a team; its people go into another of the same organisation, or into none.
#[utoipa::path(delete, path = "/admin/teams/{id}", tag = "directory", params(("id" = Uuid, Path), Delete), responses(
    (status = 200, body = Moved), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
    (status = 409, body = super::Problem, description = "People are in it")))]
pub(super) async fn delete_team(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(p): Params<Delete>,
) -> Answer<Json<Moved>> {
    Ok(Json(state.services.directory.delete_team(&caller.actor, id, p.move_to()?, p.dry_run).await?))
}

/// All roles, the most powerful first.
#[utoipa::path(get, path = "/admin/roles", tag = "directory", responses(
    (status = 200, body = Items<RoleView>), (status = 403, body = super::Problem)))]
pub(super) async fn roles(State(state): State<AppState>, caller: Caller) -> Answer<Json<Items<RoleView>>> {
    let items = state.services.directory.roles(&caller.actor).await?;
    let total = Some(items.len() as u64);
    Ok(Json(Items { items, next: None, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    name: String,
    level: Level,
}

#[utoipa::path(post, path = "/admin/roles", tag = "directory", request_body = NewRole, responses(
    (status = 201, body = RoleView), (status = 403, body = super::Problem),
    (status = 409, body = super::Problem, description = "The name is taken"), (status = 422, body = super::Problem)))]
pub(super) async fn add_role(
    State(state): State<AppState>,
    caller: Caller,
    Body(b): Body<NewRole>,
) -> Answer<(StatusCode, Json<RoleView>)> {
    let made = state.services.directory.add_role(&caller.actor, &b.name, b.level).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

#[utoipa::path(get, path = "/admin/roles/{id}", tag = "directory", params(("id" = Uuid, Path)), responses(
    (status = 200, body = RoleView), (status = 403, body = super::Problem), (status = 404, body = super::Problem)))]
pub(super) async fn role(State(state): State<AppState>, caller: Caller, Id(id): Id) -> Answer<Json<RoleView>> {
    Ok(Json(state.services.directory.role(&caller.actor, id).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleEdit {
    name: Option<String>,
    level: Option<Level>,
}

/// Renames a role, or gives it another level, which signs its people out.
#[utoipa::path(patch, path = "/admin/roles/{id}", tag = "directory", params(("id" = Uuid, Path)),
    request_body = RoleEdit, responses((status = 200, body = RoleView), (status = 403, body = super::Problem),
        (status = 404, body = super::Problem),
        (status = 409, body = super::Problem, description = "Built in, named by a setting, taken, or nobody would be administrator")))]
pub(super) async fn edit_role(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Body(b): Body<RoleEdit>,
) -> Answer<Json<RoleView>> {
    let edited = state.services.directory.edit_role(&caller.actor, id, b.name.as_deref(), b.level).await?;
    Ok(Json(edited.0))
}

/// Deletes a role; its people get another, and are signed out.
#[utoipa::path(delete, path = "/admin/roles/{id}", tag = "directory", params(("id" = Uuid, Path), Delete), responses(
    (status = 200, body = Moved), (status = 403, body = super::Problem), (status = 404, body = super::Problem),
    (status = 409, body = super::Problem, description = "Built in, named by a setting, or people have it")))]
pub(super) async fn delete_role(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(p): Params<Delete>,
) -> Answer<Json<Moved>> {
    Ok(Json(state.services.directory.delete_role(&caller.actor, id, p.move_to()?, p.dry_run).await?))
}
