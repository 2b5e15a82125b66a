//! Ending sessions, and the numbered record of endings that other processes follow.

use domain::{SessionId, Time, UserId, session::EndReason};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::{
    session::LIVE,
    sql::{Sql, values},
};

/// Rows of one insert into `endings`: four values each, of at most 30,000.
const CHUNK: usize = 5_000;

/// Which sessions to end: text over `sessions s`, for instance `s.user_id = ?`.
pub(crate) type Which = Sql;

/// Ends the live ones among `which`, within the caller's transaction; the ids of those it ended.
pub(crate) async fn end(
    db: &impl ConnectionTrait,
    which: Which,
    reason: EndReason,
    by: Option<&str>,
    now: Time,
) -> Result<Vec<SessionId>, DbErr> {
    let mut sql = Sql::new(
        "UPDATE sessions SET ended_at = ?, ended_reason = ?, ended_by = ?, connected = ? \
         WHERE id IN (SELECT s.id FROM sessions s WHERE (",
        values![now.0, reason.as_str(), by, false],
    );
    sql.append(which).push(&format!(") AND {LIVE}) RETURNING id"), values![now.0]);
    let ids: Vec<SessionId> =
        sql.rows(db).await?.iter().map(|r| r.try_get_by_index::<Uuid>(0)).collect::<Result<_, _>>()?;
    record(db, &ids, reason, now).await?;
    Ok(ids)
}

/// Numbers these endings, so that every process learns of them. An account that is deleted is one, by its own id.
pub(crate) async fn record(
    db: &impl ConnectionTrait,
    ids: &[SessionId],
    reason: EndReason,
    now: Time,
) -> Result<(), DbErr> {
    if ids.is_empty() {
        return Ok(());
    }
    let raise = "UPDATE counters SET value = value + 1 WHERE name = 'endings' RETURNING value";
    let seq = Sql::new(raise, vec![]).number(db).await?;
    for chunk in ids.chunks(CHUNK) {
        let rows = vec!["(?, ?, ?, ?)"; chunk.len()].join(", ");
        let values = chunk
            .iter()
            .flat_map(|id| [Value::from(seq), Value::from(*id), Value::from(reason.as_str()), Value::from(now.0)])
            .collect();
        Sql::new(format!("INSERT INTO endings (seq, session_id, reason, at) VALUES {rows}"), values).run(db).await?;
    }
    Ok(())
}

/// The number of the last ending.
pub(crate) async fn last(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    Sql::new("SELECT value FROM counters WHERE name = 'endings'", vec![]).number(db).await
}

#[derive(FromQueryResult)]
struct Row {
    seq: i64,
    id: Uuid,
    reason: Option<String>,
}

/// What happened to sessions and cards after a number.
pub(crate) struct News {
    pub(crate) ended: Vec<(SessionId, EndReason)>,
    /// Whose name, teams or the like are others now.
    pub(crate) changed: Vec<UserId>,
    /// The number of the last of them.
    pub(crate) last: i64,
}

/// Everything after number `seq`, in one statement: numbers of both kinds come from one counter.
pub(crate) async fn since(db: &impl ConnectionTrait, seq: i64) -> Result<News, DbErr> {
    let text = "SELECT seq, session_id AS id, reason FROM endings WHERE seq > ? \
                UNION ALL SELECT seq, user_id AS id, NULL AS reason FROM card_changes WHERE seq > ? ORDER BY seq";
    let rows: Vec<Row> = Sql::new(text, values![seq, seq]).all(db).await?;
    let mut news = News { ended: vec![], changed: vec![], last: rows.last().map_or(seq, |r| r.seq) };
    for r in rows {
        match r.reason {
            Some(reason) => news.ended.push((r.id, EndReason::parse(&reason).unwrap_or(EndReason::Revoked))),
            None => news.changed.push(r.id),
        }
    }
    Ok(news)
}
