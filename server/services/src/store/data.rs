//! The values programs keep with a session.

use domain::{SessionId, Time};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, sea_query::OnConflict};

use super::{
    entity::session_data,
    sql::{Sql, values},
};

pub(crate) async fn get(db: &impl ConnectionTrait, session: SessionId, key: &str) -> Result<Option<String>, DbErr> {
    Ok(session_data::Entity::find_by_id((session, key.to_owned())).one(db).await?.map(|d| d.value))
}

/// How many other keys the session has.
pub(crate) async fn others(db: &impl ConnectionTrait, session: SessionId, key: &str) -> Result<i64, DbErr> {
    let text = "SELECT count(*) FROM session_data WHERE session_id = ? AND key <> ?";
    Sql::new(text, values![session, key]).number(db).await
}

pub(crate) async fn put(
    db: &impl ConnectionTrait,
    session: SessionId,
    key: &str,
    value: String,
    now: Time,
) -> Result<(), DbErr> {
    let row = session_data::ActiveModel {
        session_id: Set(session),
        key: Set(key.to_owned()),
        value: Set(value),
        updated_at: Set(now.0),
    };
    let there = OnConflict::columns([session_data::Column::SessionId, session_data::Column::Key])
        .update_columns([session_data::Column::Value, session_data::Column::UpdatedAt])
        .to_owned();
    session_data::Entity::insert(row).on_conflict(there).exec_without_returning(db).await.map(|_| ())
}

/// False when there was none.
pub(crate) async fn delete(db: &impl ConnectionTrait, session: SessionId, key: &str) -> Result<bool, DbErr> {
    let text = "DELETE FROM session_data WHERE session_id = ? AND key = ?";
    Ok(Sql::new(text, values![session, key]).run(db).await? == 1)
}
