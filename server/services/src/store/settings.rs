//! Settings as admins chose them, by key.

use std::collections::BTreeMap;

use domain::{Time, settings::Stored};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::{
    entity::setting,
    sql::{Sql, values},
};

/// What was chosen. The table also holds what the program remembers under keys of its own.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<BTreeMap<String, setting::Model>, DbErr> {
    let keys = domain::settings::ALL.iter().map(|s| s.key);
    let rows = setting::Entity::find().filter(setting::Column::Key.is_in(keys)).all(db).await?;
    Ok(rows.into_iter().map(|r| (r.key.clone(), r)).collect())
}

/// Makes what is stored `next`, and numbers the change, so that every process learns of it.
pub(crate) async fn replace(
    db: &impl ConnectionTrait,
    stored: &Stored,
    next: &Stored,
    by: Option<&str>,
    now: Time,
) -> Result<(), DbErr> {
    for key in stored.keys().filter(|k| !next.contains_key(*k)) {
        Sql::new("DELETE FROM settings WHERE key = ?", values![key.as_str()]).run(db).await?;
    }
    for (key, value) in next.iter().filter(|(k, v)| stored.get(*k) != Some(v)) {
        let text = "INSERT INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO \
                    UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
                    updated_by = excluded.updated_by";
        Sql::new(text, values![key.as_str(), value.as_str(), now.0, by]).run(db).await?;
    }
    Sql::new("UPDATE counters SET value = value + 1 WHERE name = 'settings'", vec![]).run(db).await.map(|_| ())
}

/// The number of the last change.
pub(crate) async fn last(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    Sql::new("SELECT value FROM counters WHERE name = 'settings'", vec![]).number(db).await
}
