//! What an operator should know of a database, in numbers.

use domain::{Level, Time};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::sql::{Sql, values};

/// An administrator's account.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Admin {
    pub(crate) username: String,
    pub(crate) disabled: bool,
    pub(crate) has_password: bool,
    pub(crate) second_factor: bool,
}

pub(crate) async fn admins(db: &impl ConnectionTrait) -> Result<Vec<Admin>, DbErr> {
    let text = "SELECT u.username, u.disabled_at IS NOT NULL AS disabled, u.password_hash IS NOT NULL AS has_password, \
                EXISTS (SELECT 1 FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) \
                AS second_factor FROM users u WHERE u.role IN (SELECT name FROM roles WHERE level = ?) ORDER BY u.username";
    Sql::new(text, values![Level::Admin.as_str()]).all(db).await
}

/// When the mail was put in that has waited longest for its turn.
pub(crate) async fn oldest_mail(db: &impl ConnectionTrait) -> Result<Option<Time>, DbErr> {
    let row = Sql::new("SELECT min(created_at) FROM mails WHERE next_try_at IS NOT NULL", vec![]).row(db).await?;
    Ok(row.map(|r| r.try_get_by_index::<Option<i64>>(0)).transpose()?.flatten().map(Time))
}

/// What went wrong with the newest mail that did not go out.
pub(crate) async fn mail_error(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let text = "SELECT last_error FROM mails WHERE sent_at IS NULL AND last_error IS NOT NULL ORDER BY id DESC LIMIT 1";
    Sql::new(text, vec![]).row(db).await?.map(|r| r.try_get_by_index(0)).transpose()
}

/// Sessions whose time was over at `before`, and that are not marked as ended.
pub(crate) async fn expired(db: &impl ConnectionTrait, before: Time) -> Result<i64, DbErr> {
    let text = "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND expires_at <= ?";
    Sql::new(text, values![before.0]).number(db).await
}

/// Sessions that ended before `before`, and are still kept.
pub(crate) async fn kept(db: &impl ConnectionTrait, before: Time) -> Result<i64, DbErr> {
    let text = "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL AND ended_at <= ?";
    Sql::new(text, values![before.0]).number(db).await
}
