//! Accounts.

use domain::{Level, Time, UserId, account::UserCard};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, FromQueryResult};
use uuid::Uuid;

use super::{
    entity::{team_member, user},
    sql::{Sql, values},
};

pub(crate) async fn any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(Sql::new("SELECT 1 FROM users LIMIT 1", vec![]).row(db).await?.is_some())
}

/// Writes a new account with its teams.
pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    card: &UserCard,
    password_hash: Option<String>,
    now: Time,
) -> Result<(), DbErr> {
    let row = user::ActiveModel {
        id: Set(card.id),
        username: Set(card.username.clone()),
        name: Set(card.name.clone()),
        email: Set(card.email.clone()),
        search: Set(search(card)),
        password_hash: Set(password_hash),
        role: Set(card.role.clone()),
        organisation_id: Set(card.organisation.as_ref().map(|o| o.id)),
        created_at: Set(now.0),
        disabled_at: Set(None),
        last_sign_in_at: Set(None),
    };
    user::Entity::insert(row).exec_without_returning(db).await?;
    join_teams(db, card).await
}

async fn join_teams(db: &impl ConnectionTrait, card: &UserCard) -> Result<(), DbErr> {
    for team in &card.teams {
        let row = team_member::ActiveModel { user_id: Set(card.id), team_id: Set(team.id) };
        team_member::Entity::insert(row).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Writes all of a card over that of the same account.
pub(crate) async fn update(db: &impl ConnectionTrait, card: &UserCard) -> Result<(), DbErr> {
    let text = "UPDATE users SET username = ?, name = ?, email = ?, search = ?, role = ?, organisation_id = ? \
                WHERE id = ?";
    let organisation = card.organisation.as_ref().map(|o| o.id);
    let values = values![
        card.username.as_str(),
        card.name.as_str(),
        card.email.as_deref(),
        search(card),
        card.role.as_str(),
        organisation,
        card.id,
    ];
    Sql::new(text, values).run(db).await?;
    Sql::new("DELETE FROM team_members WHERE user_id = ?", values![card.id]).run(db).await?;
    join_teams(db, card).await
}

/// What searches look through.
pub(crate) fn search(card: &UserCard) -> String {
    format!("{} {} {}", card.name, card.username, card.email.as_deref().unwrap_or_default()).to_lowercase()
}

/// What a sign-in needs to know.
#[derive(FromQueryResult)]
pub(crate) struct Credentials {
    pub(crate) id: Uuid,
    pub(crate) password_hash: Option<String>,
    pub(crate) disabled_at: Option<i64>,
}

pub(crate) async fn credentials(db: &impl ConnectionTrait, username: &str) -> Result<Option<Credentials>, DbErr> {
    let text = "SELECT id, password_hash, disabled_at FROM users WHERE username = ?";
    Sql::new(text, values![username]).one(db).await
}

/// Whether the account may sign in, with this very password hash if one is given. Asked again within the transaction
/// that makes the session, since hashing takes long enough for an administrator to disable somebody meanwhile.
pub(crate) async fn may_sign_in(db: &impl ConnectionTrait, id: UserId, hash: Option<&str>) -> Result<bool, DbErr> {
    let mut sql = Sql::new("SELECT 1 FROM users WHERE id = ? AND disabled_at IS NULL", values![id]);
    if let Some(hash) = hash {
        sql.push(" AND password_hash = ?", values![hash]);
    }
    Ok(sql.row(db).await?.is_some())
}

/// Enabled accounts with an address, by username or, whatever its case, by that address.
pub(crate) async fn reachable_by_mail(db: &impl ConnectionTrait, who: &str, limit: i64) -> Result<Vec<UserId>, DbErr> {
    // `search` ends with the address in lower case: what the database lowers differs between the two.
    let text = "SELECT id, username, email FROM users WHERE disabled_at IS NULL AND email IS NOT NULL \
                AND (username = ? OR search LIKE ? ESCAPE '\\') LIMIT ?";
    let pattern = super::sql::contains(who);
    let ends_with = format!("% {}", &pattern[1..pattern.len() - 1]);
    let rows = Sql::new(text, values![who, ends_with, limit]).rows(db).await?;
    let mut ids = vec![];
    for row in rows {
        let (id, username, email): (Uuid, String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        if username == who || email.to_lowercase() == who {
            ids.push(id);
        }
    }
    Ok(ids)
}

pub(crate) async fn set_password(db: &impl ConnectionTrait, id: UserId, hash: String) -> Result<u64, DbErr> {
    Sql::new("UPDATE users SET password_hash = ? WHERE id = ?", values![hash, id]).run(db).await
}

/// 0 when the account is disabled or gone.
pub(crate) async fn signed_in(db: &impl ConnectionTrait, id: UserId, now: Time) -> Result<u64, DbErr> {
    let text = "UPDATE users SET last_sign_in_at = ? WHERE id = ? AND disabled_at IS NULL";
    Sql::new(text, values![now.0, id]).run(db).await
}

pub(crate) async fn set_disabled(db: &impl ConnectionTrait, id: UserId, at: Option<Time>) -> Result<u64, DbErr> {
    Sql::new("UPDATE users SET disabled_at = ? WHERE id = ?", values![at.map(|t| t.0), id]).run(db).await
}

pub(crate) async fn delete(db: &impl ConnectionTrait, id: UserId) -> Result<u64, DbErr> {
    Sql::new("DELETE FROM users WHERE id = ?", values![id]).run(db).await
}

/// Whether an enabled administrator would remain without `id`.
pub(crate) async fn other_admin(db: &impl ConnectionTrait, id: UserId) -> Result<bool, DbErr> {
    let text = "SELECT 1 FROM users WHERE id <> ? AND disabled_at IS NULL \
                AND role IN (SELECT name FROM roles WHERE level = ?) LIMIT 1";
    Ok(Sql::new(text, values![id, Level::Admin.as_str()]).row(db).await?.is_some())
}

/// Whether anybody enabled is an administrator.
pub(crate) async fn any_admin(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    other_admin(db, UserId::nil()).await
}

/// Everybody.
pub(crate) async fn all_ids(db: &impl ConnectionTrait) -> Result<Vec<UserId>, DbErr> {
    let rows = Sql::new("SELECT id FROM users ORDER BY id", vec![]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}
