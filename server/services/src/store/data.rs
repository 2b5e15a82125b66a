//! The values programs keep with a session, sealed.

use domain::{SessionId, Time};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    entity::session_data,
    sql::{Sql, values},
};

/// A value as it is stored: an envelope of the vault, or the text itself until a server has sealed it.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Stored {
    pub(crate) session_id: Uuid,
    pub(crate) key: String,
    pub(crate) value: String,
    /// The id of the key that sealed it.
    pub(crate) sealed_by: Option<String>,
}

/// What a value is sealed as being about: it opens in this row alone.
pub(crate) fn about(session: SessionId, key: &str) -> String {
    format!("session_data {session} {key}")
}

pub(crate) async fn get(db: &impl ConnectionTrait, session: SessionId, key: &str) -> Result<Option<Stored>, DbErr> {
    let text = "SELECT session_id, key, value, sealed_by FROM session_data WHERE session_id = ? AND key = ?";
    Sql::new(text, values![session, key]).one(db).await
}

/// How many other keys the session has.
pub(crate) async fn others(db: &impl ConnectionTrait, session: SessionId, key: &str) -> Result<i64, DbErr> {
    let text = "SELECT count(*) FROM session_data WHERE session_id = ? AND key <> ?";
    Sql::new(text, values![session, key]).number(db).await
}

pub(crate) async fn put(db: &impl ConnectionTrait, new: Stored, now: Time) -> Result<(), DbErr> {
    use session_data::Column::{Key, SealedBy, SessionId, UpdatedAt, Value};
    let row = session_data::ActiveModel {
        session_id: Set(new.session_id),
        key: Set(new.key),
        value: Set(new.value),
        sealed_by: Set(new.sealed_by),
        updated_at: Set(now.0),
    };
    let there = OnConflict::columns([SessionId, Key]).update_columns([Value, SealedBy, UpdatedAt]).to_owned();
    session_data::Entity::insert(row).on_conflict(there).exec_without_returning(db).await.map(|_| ())
}

/// False when there was none.
pub(crate) async fn delete(db: &impl ConnectionTrait, session: SessionId, key: &str) -> Result<bool, DbErr> {
    let text = "DELETE FROM session_data WHERE session_id = ? AND key = ?";
    Ok(Sql::new(text, values![session, key]).run(db).await? == 1)
}
