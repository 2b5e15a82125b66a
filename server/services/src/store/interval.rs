//! Intervals of presence: writing them behind, closing what a dead server left open, and reading them.

use domain::{
    OrganisationId, Reach, Time, UserId,
    presence::{
        Cause, State,
        history::{Interval, WasHere},
        ledger::Stretch,
    },
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::{
    Store,
    sql::{Sql, values},
};

/// Rows of one transaction: a few milliseconds of the writer.
pub(crate) const BATCH: usize = 256;
/// Rows of one statement, in powers of four; see `live::CHUNKS`.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];
/// The row of `counters` that holds the server's last proof of life.
const PROVED: &str = "UPDATE counters SET value = ? WHERE name = 'presence_proved_at'";

/// Writes stretches as they are now, in order, whether or not they were written before: doing it again does no harm.
/// Those of people who are gone are left out. With it goes the proof that the server lived at `now`.
pub(crate) async fn write(store: &Store, stretches: &[Stretch], now: Time) -> Result<u64, DbErr> {
    batch(store, stretches, now, upsert).await
}

/// Writes the pages of stretches that are written: of each row nothing else moves, and no index.
pub(crate) async fn write_pages(store: &Store, stretches: &[Stretch], now: Time) -> Result<u64, DbErr> {
    batch(store, stretches, now, set_pages).await
}

async fn batch(
    store: &Store,
    stretches: &[Stretch],
    now: Time,
    statement: fn(&[Stretch]) -> Sql,
) -> Result<u64, DbErr> {
    let txn = store.begin().await?;
    let mut rest = stretches;
    let mut written = 0;
    while !rest.is_empty() {
        let size = CHUNKS.into_iter().find(|n| *n <= rest.len()).unwrap_or(1);
        let (chunk, tail) = rest.split_at(size);
        written += statement(chunk).run(&txn).await?;
        rest = tail;
    }
    Sql::new(PROVED, values![now.0]).run(&txn).await?;
    txn.commit().await?;
    Ok(written)
}

/// The proof alone.
pub(crate) async fn prove(store: &Store, now: Time) -> Result<(), DbErr> {
    batch(store, &[], now, upsert).await.map(drop)
}

fn set_pages(chunk: &[Stretch]) -> Sql {
    let rows = vec!["(?, ?)"; chunk.len()].join(", ");
    let text = format!(
        "UPDATE presence_intervals SET pages = v.column2 FROM (VALUES {rows}) AS v \
         WHERE presence_intervals.id = v.column1"
    );
    Sql::new(text, chunk.iter().flat_map(|s| values![s.id, pages(s)]).collect())
}

fn pages(s: &Stretch) -> String {
    serde_json::to_string(&s.pages).unwrap_or_default()
}

fn upsert(chunk: &[Stretch]) -> Sql {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ");
    let text = format!(
        "INSERT INTO presence_intervals \
         (id, user_id, state, invisible, from_at, to_at, cause, end_cause, session_id, pages) \
         SELECT * FROM (VALUES {rows}) AS v WHERE v.column2 IN (SELECT id FROM users) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, invisible = excluded.invisible, \
         from_at = excluded.from_at, to_at = excluded.to_at, end_cause = excluded.end_cause, pages = excluded.pages"
    );
    let row = |s: &Stretch| {
        values![
            s.id,
            s.user,
            s.state.as_str(),
            s.invisible,
            s.from.0,
            s.to.map(|t| t.0),
            s.cause.as_str(),
            s.end_cause.map(Cause::as_str),
            s.session,
            pages(s),
        ]
    };
    Sql::new(text, chunk.iter().flat_map(row).collect())
}

/// Closes what was open when the last server died, at its last proof of life.
pub(crate) async fn close_open(store: &Store) -> Result<u64, DbErr> {
    let greatest = if store.is_postgres() { "GREATEST" } else { "MAX" };
    let proved = "(SELECT value FROM counters WHERE name = 'presence_proved_at')";
    let text = format!(
        "UPDATE presence_intervals SET to_at = {greatest}(from_at, {proved}), end_cause = ? WHERE to_at IS NULL"
    );
    let txn = store.begin().await?;
    let n = Sql::new(text, values![Cause::ServerRestart.as_str()]).run(&txn).await?;
    txn.commit().await?;
    Ok(n)
}

#[derive(FromQueryResult)]
struct AtRow {
    id: Uuid,
    username: String,
    name: String,
    state: String,
    invisible: bool,
    from_at: i64,
    to_at: Option<i64>,
    cause: String,
}

/// Who was here at `time`, within `reach`, in the order of usernames.
pub(crate) async fn at(db: &impl ConnectionTrait, reach: Reach, time: Time) -> Result<Vec<WasHere>, DbErr> {
    let mut sql = Sql::new(
        "SELECT u.id, u.username, u.name, i.state, i.invisible, i.from_at, i.to_at, i.cause \
         FROM users u JOIN presence_intervals i ON i.id = (SELECT p.id FROM presence_intervals p \
         WHERE p.user_id = u.id AND p.from_at <= ? ORDER BY p.from_at DESC, p.id DESC LIMIT 1) \
         WHERE (i.to_at IS NULL OR i.to_at > ?)",
        values![time.0, time.0],
    );
    match reach {
        Reach::Nothing => return Ok(vec![]),
        Reach::Organisation(id) => sql.push(" AND NOT i.invisible AND u.organisation_id = ?", values![id]),
        Reach::Everything => &mut sql,
    };
    sql.push(" ORDER BY u.username", vec![]);
    let rows: Vec<AtRow> = sql.all(db).await?;
    let view = |r: AtRow| {
        let (state, cause) = words(&r.state, &r.cause)?;
        let (since, until) = (Time(r.from_at), r.to_at.map(Time));
        Ok(WasHere { id: r.id, username: r.username, name: r.name, state, since, until, cause, invisible: r.invisible })
    };
    rows.into_iter().map(view).collect()
}

/// Where a page begins: after this interval in the order of people and time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct After {
    user: UserId,
    from: Time,
    id: Uuid,
}

/// Whose intervals: of people within a reach, of one organisation or all, that touch a period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Which {
    pub(crate) reach: Reach,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) from: Time,
    pub(crate) to: Time,
}

impl Which {
    fn condition(&self) -> Sql {
        let mut sql = Sql::new(
            "i.from_at < ? AND (i.to_at IS NULL OR i.to_at > ?) AND i.to_at IS DISTINCT FROM i.from_at",
            values![self.to.0, self.from.0],
        );
        match self.reach {
            Reach::Nothing => sql.push(" AND 1 = 0", vec![]),
            Reach::Organisation(id) => sql.push(" AND NOT i.invisible AND u.organisation_id = ?", values![id]),
            Reach::Everything => &mut sql,
        };
        if let Some(id) = self.organisation {
            sql.push(" AND u.organisation_id = ?", values![id]);
        }
        sql
    }
}

#[derive(FromQueryResult)]
struct PageRow {
    interval_id: Uuid,
    id: Uuid,
    username: String,
    name: String,
    state: String,
    invisible: bool,
    from_at: i64,
    to_at: Option<i64>,
    cause: String,
}

/// Intervals person by person, each person's oldest first, and where the next page begins.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    which: Which,
    after: Option<After>,
    limit: i64,
) -> Result<(Vec<WasHere>, Option<After>), DbErr> {
    let mut sql = Sql::new(
        "SELECT i.id AS interval_id, u.id, u.username, u.name, i.state, i.invisible, i.from_at, i.to_at, i.cause \
         FROM users u CROSS JOIN presence_intervals i WHERE i.user_id = u.id AND ",
        vec![],
    );
    // SQLite takes the tables in this order, person by person, and sorts no more than one person's at once.
    sql.append(which.condition());
    if let Some(After { user, from, id }) = after {
        let beyond = " AND u.id >= ? AND (u.id > ? OR (i.from_at, i.id) > (?, ?))";
        sql.push(beyond, values![user, user, from.0, id]);
    }
    sql.push(" ORDER BY u.id, i.from_at, i.id LIMIT ?", values![limit]);
    let rows: Vec<PageRow> = sql.all(db).await?;
    let last = rows.last().map(|r| After { user: r.id, from: Time(r.from_at), id: r.interval_id });
    let view = |r: PageRow| {
        let (state, cause) = words(&r.state, &r.cause)?;
        let (since, until) = (Time(r.from_at), r.to_at.map(Time));
        Ok(WasHere { id: r.id, username: r.username, name: r.name, state, since, until, cause, invisible: r.invisible })
    };
    let rows = rows.into_iter().map(view).collect::<Result<_, DbErr>>()?;
    Ok((rows, last))
}

pub(crate) async fn count(db: &impl ConnectionTrait, which: Which) -> Result<u64, DbErr> {
    let text = "SELECT count(*) FROM presence_intervals i JOIN users u ON u.id = i.user_id WHERE ";
    let mut sql = Sql::new(text, vec![]);
    sql.append(which.condition());
    Ok(sql.number(db).await? as u64)
}

#[derive(FromQueryResult)]
struct Row {
    state: String,
    invisible: bool,
    from_at: i64,
    to_at: Option<i64>,
    cause: String,
    pages: String,
}

/// One person's intervals that touch `from..to`, oldest first.
pub(crate) async fn of(db: &impl ConnectionTrait, user: UserId, from: Time, to: Time) -> Result<Vec<Interval>, DbErr> {
    let text = "SELECT state, invisible, from_at, to_at, cause, pages FROM presence_intervals \
                WHERE user_id = ? AND from_at < ? AND (to_at IS NULL OR to_at > ?) ORDER BY from_at, id";
    let rows: Vec<Row> = Sql::new(text, values![user, to.0, from.0]).all(db).await?;
    let view = |r: Row| {
        let (state, cause) = words(&r.state, &r.cause)?;
        let pages = serde_json::from_str(&r.pages).unwrap_or_default();
        Ok(Interval { state, from: Time(r.from_at), to: r.to_at.map(Time), cause, invisible: r.invisible, pages })
    };
    rows.into_iter().map(view).collect()
}

fn words(state: &str, cause: &str) -> Result<(State, Cause), DbErr> {
    let words = State::parse(state).zip(Cause::ALL.into_iter().find(|c| c.as_str() == cause));
    words.ok_or_else(|| DbErr::Type(format!("an interval of unknown words: {state}, {cause}")))
}
