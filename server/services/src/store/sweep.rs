//! The clean-up, in batches small enough that nobody notices, and what a change of settings does to sessions.

use domain::{
    Level, SessionId, Time,
    session::EndReason,
    settings::{Lifetimes, Settings},
    time::{HOUR, MINUTE},
};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    Store, ending,
    sql::{Sql, values},
};

/// Rows of one batch: a few milliseconds of the writer.
pub(crate) const BATCH: i64 = 500;

/// Marks a batch of sessions whose time was over at `before` as ended at the moment it was; how many. Those touched
/// within the last moments may be younger in a server's memory than here, so a process that is not that server leaves
/// them `spare`: as long as the server may keep activity to itself.
pub(crate) async fn end_expired(store: &Store, now: Time, spare: bool) -> Result<u64, DbErr> {
    let margin = if spare { "CASE WHEN idle_ms < 100000 THEN idle_ms / 10 ELSE 10000 END" } else { "0" };
    let text = format!(
        "UPDATE sessions SET ended_at = expires_at, connected = ?, ended_reason = \
         CASE WHEN expires_at = absolute_expires_at THEN '{}' ELSE '{}' END \
         WHERE id IN (SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at <= ? AND expires_at + {margin} <= ? \
         LIMIT ?)",
        EndReason::AbsoluteTimeout.as_str(),
        EndReason::IdleTimeout.as_str()
    );
    batch(store, &Sql::new(text, values![false, now.0, now.0, BATCH])).await
}

/// Deletes a batch of sessions that ended at or before `before`; how many.
pub(crate) async fn delete_ended(store: &Store, before: Time) -> Result<u64, DbErr> {
    let text = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ended_at <= ? \
                LIMIT ?)";
    batch(store, &Sql::new(text, values![before.0, BATCH])).await
}

/// The rest of what has its time: addresses, events, intervals of presence, failures, tokens, the record of endings. All of it, in batches.
pub(crate) async fn retain(store: &Store, settings: &Settings, now: Time) -> Result<(), DbErr> {
    let (ip, events) = (now.plus(-settings.retention_ip), now.plus(-settings.retention_events));
    let jobs = [
        (
            "UPDATE sessions SET ip = NULL WHERE id IN \
             (SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ip IS NOT NULL AND ended_at <= ? LIMIT ?)",
            ip,
        ),
        (
            "UPDATE events SET ip = NULL WHERE id IN (SELECT id FROM events WHERE ip IS NOT NULL AND at <= ? LIMIT ?)",
            ip,
        ),
        ("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at <= ? LIMIT ?)", events),
        (
            "DELETE FROM presence_intervals WHERE id IN \
             (SELECT id FROM presence_intervals WHERE to_at IS NOT NULL AND to_at <= ? LIMIT ?)",
            events,
        ),
        (
            "DELETE FROM sign_in_failures WHERE id IN (SELECT id FROM sign_in_failures WHERE at <= ? LIMIT ?)",
            now.plus(-15 * MINUTE),
        ),
        (
            "DELETE FROM one_time_tokens WHERE hash IN \
             (SELECT hash FROM one_time_tokens WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)",
            now,
        ),
        (
            "DELETE FROM endings WHERE (seq, session_id) IN (SELECT seq, session_id FROM endings WHERE at <= ? LIMIT ?)",
            now.plus(-HOUR),
        ),
        (
            "DELETE FROM card_changes WHERE (seq, user_id) IN (SELECT seq, user_id FROM card_changes WHERE at <= ? LIMIT ?)",
            now.plus(-HOUR),
        ),
    ];
    for (text, before) in jobs {
        while batch(store, &Sql::new(text, values![before.0, BATCH])).await? == BATCH as u64 {}
    }
    Ok(())
}

async fn batch(store: &Store, sql: &Sql) -> Result<u64, DbErr> {
    let txn = store.begin().await?;
    let n = sql.clone().run(&txn).await?;
    txn.commit().await?;
    Ok(n)
}

/// Gives every session nobody has ended the lifetimes that are in force now.
pub(crate) async fn apply_lifetimes(db: &impl ConnectionTrait, l: &Lifetimes) -> Result<u64, DbErr> {
    let idle = "CASE WHEN remembered THEN ? ELSE ? END";
    let max = "CASE WHEN user_id IN (SELECT id FROM users WHERE role IN (SELECT name FROM roles WHERE level = 'admin')) \
               THEN ? ELSE ? END";
    let text = format!(
        "UPDATE sessions SET idle_ms = {idle}, absolute_expires_at = created_at + {max}, \
         expires_at = CASE WHEN last_activity_at + {idle} < created_at + {max} \
         THEN last_activity_at + {idle} ELSE created_at + {max} END WHERE ended_at IS NULL"
    );
    let idle = || values![l.idle(true), l.idle(false)];
    let max = || values![l.absolute(Level::Admin), l.absolute(Level::Member)];
    let values = [idle(), max(), idle(), max(), idle(), max()].concat();
    Sql::new(text, values).run(db).await
}

/// Ends the least recently used sessions of everybody who has more live ones than `limit`.
pub(crate) async fn apply_limit(db: &impl ConnectionTrait, limit: u32, now: Time) -> Result<Vec<SessionId>, DbErr> {
    let text = format!(
        "SELECT id FROM (SELECT s.id AS id, row_number() OVER \
         (PARTITION BY s.user_id ORDER BY s.last_activity_at DESC, s.id DESC) AS nth FROM sessions s WHERE {}) ranked \
         WHERE nth > ?",
        super::session::LIVE
    );
    let rows = Sql::new(text, values![now.0, i64::from(limit)]).rows(db).await?;
    let ids: Vec<SessionId> = rows.iter().map(|r| r.try_get_by_index::<Uuid>(0)).collect::<Result<_, _>>()?;
    let mut ended = vec![];
    for chunk in ids.chunks(1_000) {
        let which = Sql::new(
            format!("s.id IN ({})", super::card::marks(chunk.len())),
            chunk.iter().map(|id| sea_orm::Value::from(*id)).collect(),
        );
        ended.extend(ending::end(db, which, EndReason::Limit, None, now).await?);
    }
    Ok(ended)
}
