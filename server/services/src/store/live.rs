//! What the server keeps in memory of sessions: loading it, and writing behind what changed.

use std::sync::Arc;

use domain::{
    SessionId, Time,
    account::UserCard,
    session::Span,
    useragent::{Device, Kind},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use super::{
    Store, card,
    session::LIVE,
    sql::{Sql, values},
};

/// A live session as it was in the database a moment ago.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) id: SessionId,
    pub(crate) token_hash: [u8; 32],
    pub(crate) card: UserCard,
    pub(crate) span: Span,
    pub(crate) last_seen: Time,
    pub(crate) fresh_until: Time,
    pub(crate) remembered: bool,
    pub(crate) ip: String,
    pub(crate) device: Device,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    token_hash: Vec<u8>,
    created_at: i64,
    last_activity_at: i64,
    last_seen_at: i64,
    idle_ms: i64,
    absolute_expires_at: i64,
    fresh_until: i64,
    remembered: bool,
    ip: Option<String>,
    browser: String,
    os: String,
    device: String,
}

const COLUMNS: &str = "s.id, s.token_hash, s.created_at, s.last_activity_at, s.last_seen_at, s.idle_ms, \
                       s.absolute_expires_at, s.fresh_until, s.remembered, s.ip, s.browser, s.os, s.device";

pub(super) fn select(condition: &str) -> String {
    format!(
        "SELECT {COLUMNS}, {} FROM sessions s JOIN users u ON u.id = s.user_id {} WHERE {condition} AND {LIVE}",
        card::COLUMNS,
        card::JOINS
    )
}

fn loaded(row: &QueryResult, card: UserCard) -> Result<Loaded, DbErr> {
    let r = Row::from_query_result(row, "")?;
    let hash = r.token_hash.try_into().map_err(|_| DbErr::Type("a token's hash has 32 bytes".to_owned()))?;
    Ok(Loaded {
        id: r.id,
        token_hash: hash,
        card,
        span: Span {
            created_at: Time(r.created_at),
            last_activity_at: Time(r.last_activity_at),
            idle: r.idle_ms,
            absolute_expires_at: Time(r.absolute_expires_at),
            ended: false,
        },
        last_seen: Time(r.last_seen_at),
        fresh_until: Time(r.fresh_until),
        remembered: r.remembered,
        ip: r.ip.unwrap_or_default(),
        device: Device { browser: r.browser, os: r.os, kind: Kind::parse(&r.device).unwrap_or_default() },
    })
}

/// The live session with this token, if there is one.
pub(crate) async fn by_hash(store: &Store, hash: &[u8; 32], now: Time) -> Result<Option<Loaded>, DbErr> {
    let row = match &store.kept {
        Some(kept) => kept.by_hash(hash, now).await?,
        None => {
            Sql::new(select("s.token_hash = ?"), values![hash.to_vec(), now.0]).row(&store.read).await?.map(Arc::new)
        }
    };
    let Some(row) = row else { return Ok(None) };
    let card = card::Row::from_query_result(&row, "")?.complete(&store.read).await?;
    loaded(&row, card).map(Some)
}

/// Live sessions that were connected when the server last wrote.
pub(crate) async fn connected(db: &impl ConnectionTrait, now: Time) -> Result<Vec<Loaded>, DbErr> {
    let rows = Sql::new(select("s.connected"), values![now.0]).rows(db).await?;
    let cards = rows.iter().map(|r| card::Row::from_query_result(r, "")).collect::<Result<_, _>>()?;
    let cards = card::complete_all(db, cards).await?;
    rows.iter().zip(cards).map(|(r, c)| loaded(r, c)).collect()
}

/// What changed of one session since it was last written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activity {
    pub(crate) id: SessionId,
    /// The last input or request.
    pub(crate) last_input: Time,
    pub(crate) last_seen: Time,
    pub(crate) connected: bool,
    /// Whether `last_input` is news. Most of what is written is signs of life alone, and a row whose end stays where it
    /// is stays in its place in the indexes by activity and by end.
    pub(crate) moved: bool,
}

/// Rows of one statement: powers of four, so that there are only five texts of each kind to prepare and keep.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// Writes activity: the newest time wins, the end moves with it, and sessions that are over or gone are left alone.
/// Sorted, in transactions of at most 256 rows, so that nobody waits long for the writer.
pub(crate) async fn write(store: &Store, mut changes: Vec<Activity>) -> Result<u64, DbErr> {
    changes.sort_unstable_by_key(|a| (a.moved, a.id));
    let mut written = 0;
    for alike in changes.chunk_by(|a, b| a.moved == b.moved) {
        let mut rest = alike;
        while !rest.is_empty() {
            let size = CHUNKS.into_iter().find(|n| *n <= rest.len()).unwrap_or(1);
            let (chunk, tail) = rest.split_at(size);
            let txn = store.begin().await?;
            written += update(store, chunk, chunk[0].moved).run(&txn).await?;
            txn.commit().await?;
            rest = tail;
        }
    }
    Ok(written)
}

/// The same within a transaction, for a few.
pub(crate) async fn write_within(
    store: &Store,
    txn: &impl ConnectionTrait,
    changes: &[Activity],
) -> Result<u64, DbErr> {
    if changes.is_empty() { Ok(0) } else { update(store, changes, true).run(txn).await }
}

/// `moved`: with the last input and the end. The `+` keeps SQLite off the index of live sessions: it would go through
/// all of them for each statement, whatever its rows, instead of looking each of these up.
fn update(store: &Store, chunk: &[Activity], moved: bool) -> Sql {
    let (least, greatest) = if store.is_postgres() { ("LEAST", "GREATEST") } else { ("MIN", "MAX") };
    let input = if moved {
        format!(
            "last_activity_at = {greatest}(sessions.last_activity_at, v.column4), \
             expires_at = {least}(sessions.absolute_expires_at, \
                                  {greatest}(sessions.last_activity_at, v.column4) + sessions.idle_ms), "
        )
    } else {
        String::new()
    };
    let row = if moved { "(?, ?, ?, ?)" } else { "(?, ?, ?)" };
    let rows = vec![row; chunk.len()].join(", ");
    let text = format!(
        "UPDATE sessions SET {input}\
         last_seen_at = {greatest}(sessions.last_seen_at, v.column3), \
         connected = v.column2 \
         FROM (VALUES {rows}) AS v WHERE sessions.id = v.column1 AND +sessions.ended_at IS NULL"
    );
    let values = chunk.iter().flat_map(|a| {
        let input = moved.then_some(a.last_input.0);
        let row = [Value::from(a.id), Value::from(a.connected), Value::from(a.last_seen.0)];
        row.into_iter().chain(input.map(Value::from))
    });
    Sql::new(text, values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a hundred thousand sessions, and statements that go through them all, writing ten thousand signs of life
    /// took the server a second.
    #[tokio::test]
    async fn rows_are_looked_up_however_many() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("plans.db").display())).await.unwrap();
        let (id, at) = (Uuid::nil(), Time(0));
        let activity = Activity { id, last_input: at, last_seen: at, connected: true, moved: true };
        for (n, moved) in CHUNKS.into_iter().flat_map(|n| [(n, true), (n, false)]) {
            let mut explain = Sql::new("EXPLAIN QUERY PLAN ", vec![]);
            explain.append(update(&store, &vec![activity; n], moved));
            let plan = explain.rows(store.read()).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|r| r.try_get_by_index(3).unwrap()).collect();
            assert!(plan.iter().any(|step| step.starts_with("SEARCH sessions USING INDEX")), "{n}: {plan:?}");
        }
    }
}
