//! What an administrator does with organisations, teams and roles, from their pages.

use domain::{ApiError, Level, OrganisationId, TeamId, access::Action, people::MoveTo};
use leptos::prelude::*;
use uuid::Uuid;

use super::{RpcError, Text, ssr};
use crate::{text, written::Outcome};

/// What has the name that was typed once more.
fn confirmed(name: &str, typed: &str) -> Result<(), ApiError> {
    if typed.trim() == name {
        return Ok(());
    }
    Err(ApiError::invalid("confirm", format!("Type {name} to delete it.")))
}

fn move_to(text: &str) -> Result<Option<MoveTo>, ApiError> {
    (!text.is_empty()).then(|| MoveTo::parse(text)).transpose()
}

fn level(text: &str) -> Result<Level, ApiError> {
    Level::parse(text).ok_or_else(|| ApiError::invalid("level", "Use member, manager or admin."))
}

fn done(go: &str, say: String) -> Outcome {
    ssr::go(go);
    Outcome { go: Some(go.to_owned()), ..Outcome::say(say) }
}

fn opened(id: OrganisationId) -> String {
    format!("/admin/organisations?open={id}")
}

#[server(prefix = "/rpc", endpoint = "add_organisation", output = Text)]
pub async fn add_organisation(name: String) -> Result<Outcome, RpcError> {
    let made = ssr::services().directory.add_organisation(&ssr::actor()?, &name).await?;
    Ok(done(&opened(made.id), format!("{} is added.", made.name)))
}

#[server(prefix = "/rpc", endpoint = "rename_organisation", output = Text)]
pub async fn rename_organisation(id: OrganisationId, name: String) -> Result<Outcome, RpcError> {
    let renamed = ssr::services().directory.rename_organisation(&ssr::actor()?, id, &name).await?;
    Ok(done(&opened(id), format!("It is called {} now.", renamed.name)))
}

#[server(prefix = "/rpc", endpoint = "delete_organisation", output = Text)]
pub async fn delete_organisation(
    id: OrganisationId,
    #[server(default)] confirm: String,
    #[server(default)] move_to: String,
) -> Result<Outcome, RpcError> {
    let (directory, actor) = (ssr::services().directory, ssr::actor()?);
    actor.require(Action::Directory)?;
    let name = directory.organisation(&actor, id).await?.name;
    confirmed(&name, &confirm)?;
    let moved = directory.delete_organisation(&actor, id, self::move_to(&move_to)?, false).await?;
    let people = text::count(moved.people, "account");
    Ok(done("/admin/organisations", format!("{name} is deleted, {people} moved.")))
}

#[server(prefix = "/rpc", endpoint = "add_team", output = Text)]
pub async fn add_team(organisation_id: OrganisationId, name: String) -> Result<Outcome, RpcError> {
    let made = ssr::services().directory.add_team(&ssr::actor()?, organisation_id, &name).await?;
    Ok(done(&opened(organisation_id), format!("{} is added.", made.name)))
}

#[server(prefix = "/rpc", endpoint = "rename_team", output = Text)]
pub async fn rename_team(id: TeamId, name: String) -> Result<Outcome, RpcError> {
    let renamed = ssr::services().directory.rename_team(&ssr::actor()?, id, &name).await?;
    Ok(done(&opened(renamed.organisation_id), format!("It is called {} now.", renamed.name)))
}

#[server(prefix = "/rpc", endpoint = "delete_team", output = Text)]
pub async fn delete_team(
    id: TeamId,
    #[server(default)] confirm: String,
    #[server(default)] move_to: String,
) -> Result<Outcome, RpcError> {
    let (directory, actor) = (ssr::services().directory, ssr::actor()?);
    actor.require(Action::Directory)?;
    let team = directory.team(&actor, id).await?;
    confirmed(&team.name, &confirm)?;
    directory.delete_team(&actor, id, self::move_to(&move_to)?, false).await?;
    Ok(done(&opened(team.organisation_id), format!("{} is deleted.", team.name)))
}

#[server(prefix = "/rpc", endpoint = "add_role", output = Text)]
pub async fn add_role(name: String, level: String) -> Result<Outcome, RpcError> {
    let made = ssr::services().directory.add_role(&ssr::actor()?, &name, self::level(&level)?).await?;
    Ok(done("/admin/roles", format!("{} is added.", made.name)))
}

#[server(prefix = "/rpc", endpoint = "edit_role", output = Text)]
pub async fn edit_role(id: Uuid, name: String, level: String) -> Result<Outcome, RpcError> {
    let level = self::level(&level)?;
    let (role, moved) = ssr::services().directory.edit_role(&ssr::actor()?, id, Some(&name), Some(level)).await?;
    let ended = text::count(moved.sessions_ended, "session");
    Ok(done("/admin/roles", format!("{} is saved, {ended} ended.", role.name)))
}

#[server(prefix = "/rpc", endpoint = "delete_role", output = Text)]
pub async fn delete_role(
    id: Uuid,
    #[server(default)] confirm: String,
    #[server(default)] move_to: String,
) -> Result<Outcome, RpcError> {
    let (directory, actor) = (ssr::services().directory, ssr::actor()?);
    actor.require(Action::Directory)?;
    let name = directory.role(&actor, id).await?.name;
    confirmed(&name, &confirm)?;
    let moved = directory.delete_role(&actor, id, self::move_to(&move_to)?, false).await?;
    let ended = text::count(moved.sessions_ended, "session");
    Ok(done("/admin/roles", format!("{name} is deleted, {ended} ended.")))
}
