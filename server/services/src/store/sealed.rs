//! What is sealed, wherever it is: for counting by key, and for sealing it again with another.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};
use uuid::Uuid;

use super::{
    data, mail, second_factor,
    sql::{Sql, values},
};

/// A column of envelopes.
struct Place {
    table: &'static str,
    /// What tells rows apart: an id, and a text where the id alone does not.
    id: &'static str,
    key: &'static str,
    envelope: &'static str,
    /// The id of the key that sealed it; indexed.
    sealed_by: &'static str,
    about: fn(Uuid, &str) -> String,
    /// What a value goes with when nobody can open it any more; each takes the key's id.
    lost: &'static [&'static str],
}

const PLACES: [Place; 3] = [
    Place {
        table: "session_data",
        id: "session_id",
        key: "key",
        envelope: "value",
        sealed_by: "sealed_by",
        about: data::about,
        lost: &["DELETE FROM session_data WHERE sealed_by = ?"],
    },
    Place {
        table: "mails",
        id: "id",
        key: "''",
        envelope: "body",
        sealed_by: "body_key",
        about: |id, _| mail::about(id),
        lost: &["UPDATE mails SET body = NULL, body_key = NULL, next_try_at = NULL, \
                 last_error = 'The key that sealed it is lost.' WHERE body_key = ?"],
    },
    Place {
        table: "second_factors",
        id: "user_id",
        key: "''",
        envelope: "secret",
        sealed_by: "secret_key",
        about: |user, _| second_factor::about(user),
        lost: &[
            "DELETE FROM backup_codes WHERE user_id IN (SELECT user_id FROM second_factors WHERE secret_key = ?)",
            "DELETE FROM second_factors WHERE secret_key = ?",
        ],
    },
];

/// A value as it is stored: an envelope of the vault, or the text itself until a server has sealed it.
#[derive(Debug, FromQueryResult)]
struct Row {
    id: Uuid,
    key: String,
    envelope: String,
    sealed_by: Option<String>,
}

/// A value somewhere.
pub(crate) struct Sealed {
    place: &'static Place,
    row: Row,
}

impl Sealed {
    /// What it is sealed as being about: it opens in its row alone.
    pub(crate) fn about(&self) -> String {
        (self.place.about)(self.row.id, &self.row.key)
    }

    pub(crate) fn envelope(&self) -> &str {
        &self.row.envelope
    }

    /// Nothing where it is as it came.
    pub(crate) fn sealed_by(&self) -> Option<&str> {
        self.row.sealed_by.as_deref()
    }

    /// Puts another envelope in its place, unless it changed meanwhile.
    pub(crate) async fn replace(&self, txn: &DatabaseTransaction, envelope: &str, by: &str) -> Result<(), DbErr> {
        let Place { table, id, key, envelope: column, sealed_by, .. } = self.place;
        let mut sql = Sql::new(
            format!("UPDATE {table} SET {column} = ?, {sealed_by} = ? WHERE {id} = ? AND {key} = ? AND "),
            values![envelope, by, self.row.id, self.row.key.as_str()],
        );
        match self.sealed_by() {
            Some(before) => sql.push(&format!("{sealed_by} = ?"), values![before]),
            None => sql.push(&format!("{sealed_by} IS NULL"), vec![]),
        };
        sql.run(txn).await.map(|_| ())
    }
}

/// Ids of the keys that values are sealed with: one step in an index for each.
pub(crate) async fn keys_used(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let mut all = vec![];
    for place in &PLACES {
        all.append(&mut keys_of(db, place).await?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

async fn keys_of(db: &impl ConnectionTrait, place: &Place) -> Result<Vec<String>, DbErr> {
    let Place { table, sealed_by: by, .. } = place;
    let text = format!(
        "WITH RECURSIVE k (id) AS (SELECT min({by}) FROM {table} UNION ALL \
         SELECT (SELECT min({by}) FROM {table} WHERE {by} > k.id) FROM k WHERE k.id IS NOT NULL) \
         SELECT id FROM k WHERE id IS NOT NULL"
    );
    let rows = Sql::new(text, vec![]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}

/// How many values a key sealed.
pub(crate) async fn count(db: &impl ConnectionTrait, id: &str) -> Result<u64, DbErr> {
    let mut n = 0;
    for Place { table, sealed_by, .. } in &PLACES {
        let text = format!("SELECT count(*) FROM {table} WHERE {sealed_by} = ?");
        n += Sql::new(text, values![id]).number(db).await? as u64;
    }
    Ok(n)
}

/// Some values of every kind that this key sealed.
pub(crate) async fn some_sealed_by(db: &impl ConnectionTrait, key: &str, limit: i64) -> Result<Vec<Sealed>, DbErr> {
    let mut all = vec![];
    for place in &PLACES {
        all.append(&mut some(db, place, "= ?", values![key, limit]).await?);
    }
    Ok(all)
}

async fn some(
    db: &impl ConnectionTrait,
    place: &'static Place,
    condition: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<Sealed>, DbErr> {
    let Place { table, id, key, envelope, sealed_by, .. } = place;
    let text = format!(
        "SELECT {id} AS id, {key} AS key, {envelope} AS envelope, {sealed_by} AS sealed_by FROM {table} \
         WHERE {envelope} IS NOT NULL AND {sealed_by} {condition} LIMIT ?"
    );
    let rows: Vec<Row> = Sql::new(text, values).all(db).await?;
    Ok(rows.into_iter().map(|row| Sealed { place, row }).collect())
}

/// Some values that are sealed with another key, or not at all.
pub(crate) async fn not_sealed_by(txn: &DatabaseTransaction, id: &str, limit: i64) -> Result<Vec<Sealed>, DbErr> {
    for place in &PLACES {
        let plain = some(txn, place, "IS NULL", values![limit]).await?;
        if !plain.is_empty() {
            return Ok(plain);
        }
        if let Some(old) = keys_of(txn, place).await?.into_iter().find(|used| used != id) {
            return some(txn, place, "= ?", values![old, limit]).await;
        }
    }
    Ok(vec![])
}

/// Gives up what a lost key sealed; how many values.
pub(crate) async fn give_up(txn: &DatabaseTransaction, id: &str) -> Result<u64, DbErr> {
    let n = count(txn, id).await?;
    for text in PLACES.iter().flat_map(|p| p.lost) {
        Sql::new(*text, values![id]).run(txn).await?;
    }
    Ok(n)
}
