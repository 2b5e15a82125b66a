//! One-time tokens: only their hashes, each for one use.

use domain::{Time, UserId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use super::{
    entity::token,
    sql::{Sql, values},
};

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Making the first administrator.
    Setup,
    /// Choosing a new password.
    Reset,
    /// The second step of a sign-in; and of one that shall be remembered.
    Code,
    CodeRemembered,
    /// Another e-mail address: the hash is over that, too.
    Email,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Reset => "reset",
            Self::Code => "code",
            Self::CodeRemembered => "code_remembered",
            Self::Email => "email",
        }
    }
}

/// Stores a new one; older ones of the same kind and user are void.
pub(crate) async fn replace(
    db: &impl ConnectionTrait,
    kind: Kind,
    user: Option<UserId>,
    hash: &[u8; 32],
    now: Time,
    expires_at: Option<Time>,
) -> Result<(), DbErr> {
    void(db, kind, user).await?;
    let row = token::ActiveModel {
        hash: Set(hash.to_vec()),
        kind: Set(kind.as_str().to_owned()),
        user_id: Set(user),
        created_at: Set(now.0),
        expires_at: Set(expires_at.map(|t| t.0)),
    };
    token::Entity::insert(row).exec_without_returning(db).await.map(|_| ())
}

/// Voids all of a kind and user.
pub(crate) async fn void(db: &impl ConnectionTrait, kind: Kind, user: Option<UserId>) -> Result<u64, DbErr> {
    let mut sql = Sql::new("DELETE FROM one_time_tokens WHERE kind = ?", values![kind.as_str()]);
    match user {
        Some(id) => sql.push(" AND user_id = ?", values![id]),
        None => sql.push(" AND user_id IS NULL", vec![]),
    };
    sql.run(db).await
}

/// The user a good token is for: `Some(None)` for one that belongs to nobody yet.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    kind: Kind,
    hash: &[u8; 32],
    now: Time,
) -> Result<Option<Option<UserId>>, DbErr> {
    let text = "SELECT user_id FROM one_time_tokens WHERE hash = ? AND kind = ? \
                AND (expires_at IS NULL OR expires_at > ?)";
    let row = Sql::new(text, values![hash.to_vec(), kind.as_str(), now.0]).row(db).await?;
    row.map(|r| r.try_get_by_index::<Option<Uuid>>(0)).transpose()
}

/// Uses a token up; false when somebody else already has.
pub(crate) async fn take(db: &impl ConnectionTrait, kind: Kind, hash: &[u8; 32]) -> Result<bool, DbErr> {
    let text = "DELETE FROM one_time_tokens WHERE hash = ? AND kind = ?";
    Ok(Sql::new(text, values![hash.to_vec(), kind.as_str()]).run(db).await? == 1)
}
