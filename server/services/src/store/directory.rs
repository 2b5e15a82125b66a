//! Roles, organisations, teams, and values remembered by key.

use domain::{
    Level, OrganisationId, TeamId, Time,
    account::{Named, Role},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, QueryOrder, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    entity::{organisation, role, setting, team},
    sql::{Sql, values},
};

pub(crate) async fn roles(db: &impl ConnectionTrait) -> Result<Vec<Role>, DbErr> {
    let rows = role::Entity::find().order_by_asc(role::Column::Name).all(db).await?;
    let mut roles: Vec<Role> = rows
        .into_iter()
        .map(|r| Role { level: Level::parse(&r.level).unwrap_or(Level::Member), name: r.name })
        .collect();
    // The most powerful first, as they are shown.
    roles.sort_by_key(|r| std::cmp::Reverse(r.level));
    Ok(roles)
}

/// The organisation of that name, whatever the case; made with `id` when it is not there.
pub(crate) async fn organisation(
    db: &impl ConnectionTrait,
    name: &str,
    id: OrganisationId,
    now: Time,
) -> Result<Named, DbErr> {
    let lower = name.to_lowercase();
    let row = organisation::ActiveModel {
        id: Set(id),
        name: Set(name.to_owned()),
        name_lower: Set(lower.clone()),
        created_at: Set(now.0),
    };
    let there = OnConflict::column(organisation::Column::NameLower).do_nothing().to_owned();
    organisation::Entity::insert(row).on_conflict(there).exec_without_returning(db).await?;
    named(Sql::new("SELECT id, name FROM organisations WHERE name_lower = ?", values![lower]), db).await
}

/// The team of that name in the organisation; made with `id` when it is not there.
pub(crate) async fn team(
    db: &impl ConnectionTrait,
    organisation: OrganisationId,
    name: &str,
    id: TeamId,
    now: Time,
) -> Result<Named, DbErr> {
    let lower = name.to_lowercase();
    let row = team::ActiveModel {
        id: Set(id),
        organisation_id: Set(organisation),
        name: Set(name.to_owned()),
        name_lower: Set(lower.clone()),
        created_at: Set(now.0),
    };
    let there = OnConflict::columns([team::Column::OrganisationId, team::Column::NameLower]).do_nothing().to_owned();
    team::Entity::insert(row).on_conflict(there).exec_without_returning(db).await?;
    let find = "SELECT id, name FROM teams WHERE organisation_id = ? AND name_lower = ?";
    named(Sql::new(find, values![organisation, lower]), db).await
}

/// The organisation a team is in; nothing when there is no such team.
pub(crate) async fn organisation_of(db: &impl ConnectionTrait, team: TeamId) -> Result<Option<OrganisationId>, DbErr> {
    Ok(team::Entity::find_by_id(team).one(db).await?.map(|t| t.organisation_id))
}

async fn named(find: Sql, db: &impl ConnectionTrait) -> Result<Named, DbErr> {
    let row = find.row(db).await?.ok_or_else(|| DbErr::RecordNotFound("just inserted".to_owned()))?;
    Ok(Named { id: row.try_get_by_index::<Uuid>(0)?, name: row.try_get_by_index(1)? })
}

/// A remembered value, as JSON text.
pub(crate) async fn setting(db: &impl ConnectionTrait, key: &str) -> Result<Option<String>, DbErr> {
    Ok(setting::Entity::find_by_id(key.to_owned()).one(db).await?.map(|s| s.value))
}

pub(crate) async fn remember(db: &impl ConnectionTrait, key: &str, value: String, now: Time) -> Result<(), DbErr> {
    let row = setting::ActiveModel {
        key: Set(key.to_owned()),
        value: Set(value),
        updated_at: Set(now.0),
        updated_by: Set(None),
    };
    let there = OnConflict::column(setting::Column::Key)
        .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
        .to_owned();
    setting::Entity::insert(row).on_conflict(there).exec_without_returning(db).await.map(|_| ())
}
