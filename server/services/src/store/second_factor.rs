//! Second factors and back-up codes.

use domain::{Time, UserId};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::sql::{Sql, values};

/// What the secret is sealed as being about.
pub(crate) fn about(user: UserId) -> String {
    format!("second_factor {user}")
}

/// A person's second factor; `secret` is sealed with `secret_key`.
#[derive(FromQueryResult)]
pub(crate) struct Factor {
    pub(crate) secret: String,
    pub(crate) secret_key: String,
    /// Nothing while it is being set up.
    pub(crate) confirmed_at: Option<i64>,
    /// The newest step whose code was used.
    pub(crate) last_step: i64,
}

pub(crate) async fn find(db: &impl ConnectionTrait, user: UserId) -> Result<Option<Factor>, DbErr> {
    let text = "SELECT secret, secret_key, confirmed_at, last_step FROM second_factors WHERE user_id = ?";
    Sql::new(text, values![user]).one(db).await
}

/// Writes one that is to be confirmed, in place of another such; false when one is on.
pub(crate) async fn begin(
    db: &impl ConnectionTrait,
    user: UserId,
    (secret_key, secret): (String, String),
    now: Time,
) -> Result<bool, DbErr> {
    let text = "DELETE FROM second_factors WHERE user_id = ? AND confirmed_at IS NULL";
    Sql::new(text, values![user]).run(db).await?;
    let text = "INSERT INTO second_factors (user_id, secret, secret_key, created_at, last_step) VALUES (?, ?, ?, ?, 0) \
                ON CONFLICT (user_id) DO NOTHING";
    Ok(Sql::new(text, values![user, secret, secret_key, now.0]).run(db).await? == 1)
}

pub(crate) async fn confirm(db: &impl ConnectionTrait, user: UserId, step: i64, now: Time) -> Result<u64, DbErr> {
    let text = "UPDATE second_factors SET confirmed_at = ?, last_step = ? WHERE user_id = ?";
    Sql::new(text, values![now.0, step, user]).run(db).await
}

/// Uses a step up; false when it, or a later one, was.
pub(crate) async fn use_step(db: &impl ConnectionTrait, user: UserId, step: i64) -> Result<bool, DbErr> {
    let text = "UPDATE second_factors SET last_step = ? WHERE user_id = ? AND last_step < ?";
    Ok(Sql::new(text, values![step, user, step]).run(db).await? == 1)
}

/// Deletes it with its back-up codes; false when there was none.
pub(crate) async fn delete(db: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    Sql::new("DELETE FROM backup_codes WHERE user_id = ?", values![user]).run(db).await?;
    Ok(Sql::new("DELETE FROM second_factors WHERE user_id = ?", values![user]).run(db).await? == 1)
}

pub(crate) async fn replace_backups(db: &impl ConnectionTrait, user: UserId, hashes: &[[u8; 32]]) -> Result<(), DbErr> {
    Sql::new("DELETE FROM backup_codes WHERE user_id = ?", values![user]).run(db).await?;
    for hash in hashes {
        let text = "INSERT INTO backup_codes (user_id, hash) VALUES (?, ?)";
        Sql::new(text, values![user, hash.to_vec()]).run(db).await?;
    }
    Ok(())
}

/// Uses a back-up code up; false when there is no such.
pub(crate) async fn take_backup(db: &impl ConnectionTrait, user: UserId, hash: &[u8; 32]) -> Result<bool, DbErr> {
    let text = "DELETE FROM backup_codes WHERE user_id = ? AND hash = ?";
    Ok(Sql::new(text, values![user, hash.to_vec()]).run(db).await? == 1)
}

pub(crate) async fn backups_left(db: &impl ConnectionTrait, user: UserId) -> Result<i64, DbErr> {
    Sql::new("SELECT COUNT(*) FROM backup_codes WHERE user_id = ?", values![user]).number(db).await
}
