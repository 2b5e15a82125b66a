//! Accounts.

use domain::{
    Level, Time, UserId,
    account::{UserCard, UserView},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, FromQueryResult};
use uuid::Uuid;

use super::{
    card,
    entity::{team_member, user},
    sql::{Sql, values},
};
use crate::accounts::AccountRow;

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
    for team in &card.teams {
        let row = team_member::ActiveModel { user_id: Set(card.id), team_id: Set(team.id) };
        team_member::Entity::insert(row).exec_without_returning(db).await?;
    }
    Ok(())
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

pub(crate) async fn set_password(db: &impl ConnectionTrait, id: UserId, hash: String) -> Result<u64, DbErr> {
    Sql::new("UPDATE users SET password_hash = ? WHERE id = ?", values![hash, id]).run(db).await
}

pub(crate) async fn signed_in(db: &impl ConnectionTrait, id: UserId, now: Time) -> Result<u64, DbErr> {
    Sql::new("UPDATE users SET last_sign_in_at = ? WHERE id = ?", values![now.0, id]).run(db).await
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

#[derive(FromQueryResult)]
struct Times {
    id: Uuid,
    created_at: i64,
    disabled_at: Option<i64>,
    last_sign_in_at: Option<i64>,
}

/// Every account, by username.
pub(crate) async fn list(db: &impl ConnectionTrait) -> Result<Vec<AccountRow>, DbErr> {
    let text = format!("SELECT {} FROM users u {} ORDER BY u.username, u.id", card::COLUMNS, card::JOINS);
    let cards = card::complete_all(db, Sql::new(text, vec![]).all(db).await?).await?;
    let times: Vec<Times> =
        Sql::new("SELECT id, created_at, disabled_at, last_sign_in_at FROM users", vec![]).all(db).await?;
    let mut times: std::collections::HashMap<Uuid, Times> = times.into_iter().map(|t| (t.id, t)).collect();
    Ok(cards
        .iter()
        .filter_map(|c| {
            let t = times.remove(&c.id)?;
            Some(AccountRow {
                user: UserView::from(c),
                created_at: Time(t.created_at),
                disabled_at: t.disabled_at.map(Time),
                last_sign_in_at: t.last_sign_in_at.map(Time),
            })
        })
        .collect())
}
