//! Reading events: lists by filter, and what one person did.

use std::collections::BTreeMap;

use domain::{
    Reach, SessionId, Time, UserId,
    activity::{EventFilter, EventRow, PAGE_VIEW, Step, Summary, template},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use super::sql::{Sql, values};

/// More than so many are not counted for a list.
pub(crate) const COUNTED: i64 = 10_000;
/// A filter that matches fewer events than this is gathered by its own index, whatever else is asked.
const FEW: i64 = 5_000;

/// Where a page begins: after this event, in the order of time and number, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) at: i64,
    pub(crate) seq: i64,
}

/// A filter as conditions on `events e`, each with the column whose index finds it.
pub(crate) struct Condition {
    parts: Vec<(&'static str, Sql)>,
    range: Sql,
    role: Option<Sql>,
    /// Nothing can match.
    none: bool,
}

/// The filter within a reach.
pub(crate) async fn condition(db: &impl ConnectionTrait, reach: Reach, f: &EventFilter) -> Result<Condition, DbErr> {
    let mut c = Condition { parts: vec![], range: Sql::default(), role: None, none: false };
    let mut is = |column: &'static str, value: Option<Value>| match value {
        Some(value) => c.parts.push((column, Sql::new(format!("{column} = ?"), vec![value]))),
        None => c.none = true,
    };
    if let Some(user) = &f.user {
        let text = "SELECT id FROM users WHERE username = ?";
        is("e.user_id", uuid(db, text, user.trim().to_lowercase().into()).await?);
    }
    if let Some(page) = &f.page {
        let id = Sql::new("SELECT id FROM routes WHERE path = ?", values![template(page.trim())]).number(db).await?;
        is("e.route_id", (id > 0).then(|| Value::from(id)));
    }
    if let Some(kind) = &f.kind {
        is("e.kind", Some(kind.trim().into()));
    }
    match reach {
        Reach::Everything => {}
        Reach::Organisation(id) => is("e.org_id", Some(id.into())),
        Reach::Nothing => is("e.org_id", None),
    }
    if let Some(org) = &f.org {
        let id = if let Ok(id) = Uuid::parse_str(org.trim()) {
            Some(id.into())
        } else {
            let text = "SELECT id FROM organisations WHERE name_lower = ?";
            uuid(db, text, org.trim().to_lowercase().into()).await?
        };
        is("e.org_id", id);
    }
    if let (Some(page), Some(kind)) = (&f.page, &f.kind) {
        // A page is looked at and not signed in to: else all views of it would be looked through for nothing.
        let text = "SELECT count(*) FROM (SELECT 1 FROM route_day d JOIN routes r ON r.id = d.route_id \
                    WHERE r.path = ? AND d.kind = ? LIMIT 1) any_day";
        if Sql::new(text, values![template(page.trim()), kind.trim()]).number(db).await? == 0 {
            c.none = true;
        }
    }
    if let Some(role) = &f.role {
        let text = "e.user_id IN (SELECT id FROM users WHERE role = ?)";
        c.role = Some(Sql::new(text, values![role.trim()]));
    }
    for (sign, at) in [(">=", f.from), ("<", f.to)] {
        if let Some(at) = at {
            c.range.push(&format!(" AND e.at {sign} ?"), values![at.0]);
        }
    }
    Ok(c)
}

async fn uuid(db: &impl ConnectionTrait, text: &str, value: Value) -> Result<Option<Value>, DbErr> {
    let row = Sql::new(text, vec![value]).row(db).await?;
    row.map(|r| r.try_get_by_index::<Uuid>(0).map(Value::from)).transpose()
}

impl Condition {
    /// Whether an index alone says how many match.
    pub(crate) fn is_countable(&self) -> bool {
        self.parts.len() <= 1 && self.role.is_none()
    }

    pub(crate) fn is_none(&self) -> bool {
        self.none
    }

    /// As text, with one index left to SQLite, which keeps no statistics: the one that finds the fewest where any finds
    /// few, else the first. A plus before a column keeps it from using that index. The rest is walked by time.
    pub(crate) async fn settle(self, db: &impl ConnectionTrait) -> Result<Sql, DbErr> {
        let mut best: Option<(i64, &str)> = None;
        for (column, part) in &self.parts {
            let mut few = Sql::new("SELECT count(*) FROM (SELECT 1 FROM events e WHERE ", vec![]);
            few.append(part.clone()).push(" LIMIT ?) few", values![FEW]);
            let n = few.number(db).await?;
            if best.is_none_or(|(least, _)| n < least) {
                best = Some((n, column));
            }
        }
        let gather_role = match &self.role {
            Some(role) if best.is_none_or(|(n, _)| n == FEW) => {
                // Days on which any of them was here: a few events each.
                let role = role.clone().replace("e.user_id", "d.user_id");
                let mut days = Sql::new("SELECT count(*) FROM (SELECT 1 FROM user_day d WHERE ", vec![]);
                days.append(role).push(" LIMIT ?) few", values![FEW / 4]);
                days.number(db).await? < FEW / 4
            }
            _ => false,
        };
        let mut sql = Sql::new(if self.none { "1 = 0" } else { "1 = 1" }, vec![]);
        let chosen = best.map(|(_, column)| column).filter(|_| !gather_role);
        for (column, part) in self.parts {
            let plus = if Some(column) == chosen { "" } else { "+" };
            // Two of one column contradict each other or are the same.
            sql.push(&format!(" AND {plus}"), vec![]).append(part);
        }
        if let Some(role) = self.role {
            sql.push(if gather_role { " AND " } else { " AND +" }, vec![]).append(role);
        }
        sql.append(self.range);
        // PostgreSQL keeps statistics, and of bytes it knows no plus.
        Ok(if db.get_database_backend() == sea_orm::DbBackend::Postgres { sql.replace(" +e.", " e.") } else { sql })
    }
}

#[derive(FromQueryResult)]
struct Row {
    seq: i64,
    id: Uuid,
    at: i64,
    kind: String,
    username: Option<String>,
    name: Option<String>,
    role: Option<String>,
    organisation: Option<String>,
    org_id: Option<Uuid>,
    session_id: Option<Uuid>,
    route: Option<String>,
    ip: Option<String>,
    browser: Option<String>,
    os: Option<String>,
    dur_ms: Option<i64>,
    details: Option<String>,
}

/// Events that match, newest first. Those after `up_to` are not of the list.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    condition: &Sql,
    after: Option<After>,
    up_to: Option<i64>,
    limit: i64,
) -> Result<Vec<EventRow>, DbErr> {
    let mut sql = Sql::new(
        "SELECT e.seq, e.id, e.at, e.kind, u.username, u.name, u.role, o.name AS organisation, e.org_id, \
         e.session_id, r.path AS route, e.ip, s.browser, s.os, e.dur_ms, e.details \
         FROM (SELECT e.* FROM events e WHERE ",
        vec![],
    );
    sql.append(condition.clone());
    if let Some(After { at, seq }) = after {
        sql.push(" AND e.at <= ? AND (e.at < ? OR e.seq < ?)", values![at, at, seq]);
    }
    if let Some(seq) = up_to {
        sql.push(" AND e.seq <= ?", values![seq]);
        if db.get_database_backend() == sea_orm::DbBackend::Sqlite {
            sql = sql.replace(" AND e.seq <= ?", " AND +e.seq <= ?");
        }
    }
    sql.push(
        " ORDER BY e.at DESC, e.seq DESC LIMIT ?) e LEFT JOIN users u ON u.id = e.user_id \
         LEFT JOIN organisations o ON o.id = e.org_id LEFT JOIN routes r ON r.id = e.route_id \
         LEFT JOIN sessions s ON s.id = e.session_id ORDER BY e.at DESC, e.seq DESC",
        values![limit],
    );
    let rows: Vec<Row> = sql.all(db).await?;
    Ok(rows.into_iter().map(view).collect())
}

/// How many match, or that it is more than `COUNTED`.
pub(crate) async fn count(db: &impl ConnectionTrait, condition: Sql) -> Result<Option<u64>, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM events e WHERE ", vec![]);
    sql.append(condition).push(" LIMIT ?) few", values![COUNTED + 1]);
    let n = sql.number(db).await?;
    Ok((n <= COUNTED).then_some(n as u64))
}

/// How many match, however many there are; of those up to `up_to`.
pub(crate) async fn count_all(db: &impl ConnectionTrait, condition: Sql, up_to: i64) -> Result<u64, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM events e WHERE ", vec![]);
    // Any sum of a number is no column of an index.
    sql.append(condition).push(" AND e.seq + 0 <= ?", values![up_to]);
    Ok(sql.number(db).await? as u64)
}

/// The number of the newest event.
pub(crate) async fn last(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    Sql::new("SELECT coalesce(max(seq), 0) FROM events", vec![]).number(db).await
}

/// Kinds there are, by the alphabet.
pub(crate) async fn kinds(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    // One step in the index for each; there are thousands of rows of each kind.
    let text = "WITH RECURSIVE k(kind) AS (SELECT min(kind) FROM events UNION ALL \
                SELECT (SELECT min(e.kind) FROM events e WHERE e.kind > k.kind) FROM k WHERE k.kind IS NOT NULL) \
                SELECT kind FROM k WHERE kind IS NOT NULL";
    Sql::new(text, vec![]).rows(db).await?.iter().map(|r| r.try_get_by_index(0)).collect()
}

fn view(r: Row) -> EventRow {
    let mut told = told(r.details.as_deref());
    let device = [r.browser, r.os].into_iter().flatten().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" on ");
    let page = told.text("page").or_else(|| r.route.clone().filter(|_| r.kind == PAGE_VIEW));
    EventRow {
        seq: r.seq,
        id: r.id,
        at: Time(r.at),
        kind: r.kind,
        username: r.username,
        name: r.name,
        role: r.role,
        organisation: r.organisation,
        organisation_id: r.org_id,
        session_id: r.session_id,
        page,
        route: r.route,
        action: told.text("action"),
        ip: r.ip,
        device: Some(device).filter(|d| !d.is_empty()),
        dur_ms: r.dur_ms,
        details: Some(told.0).filter(|rest| !rest.is_empty()).map(Json::Object),
    }
}

/// What is kept as JSON with an event.
struct Told(serde_json::Map<String, Json>);

fn told(text: Option<&str>) -> Told {
    match text.and_then(|t| serde_json::from_str(t).ok()) {
        Some(Json::Object(all)) => Told(all),
        _ => Told(serde_json::Map::new()),
    }
}

impl Told {
    fn text(&mut self, key: &str) -> Option<String> {
        match self.0.remove(key) {
            Some(Json::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// What a person did, in numbers.
pub(crate) async fn summary(db: &impl ConnectionTrait, user: UserId) -> Result<Summary, DbErr> {
    let text = "SELECT kind, count(*), max(at) FROM events WHERE user_id = ? GROUP BY kind";
    let rows = Sql::new(text, values![user]).rows(db).await?;
    let mut of = Summary { event_breakdown: BTreeMap::new(), ..Summary::default() };
    for r in &rows {
        let (kind, n, at): (String, i64, i64) =
            (r.try_get_by_index(0)?, r.try_get_by_index(1)?, r.try_get_by_index(2)?);
        of.total_activities += n as u64;
        of.last_activity = of.last_activity.max(Some(Time(at)));
        of.event_breakdown.insert(kind, n as u64);
    }
    let sessions = Sql::new("SELECT count(*) FROM sessions WHERE user_id = ?", values![user]);
    of.total_sessions = sessions.number(db).await? as u64;
    Ok(of)
}

#[derive(FromQueryResult)]
struct StepRow {
    at: i64,
    kind: String,
    route: Option<String>,
    details: Option<String>,
}

/// The newest things a person did, in one session or in all, oldest first; one more than `limit` where there are more.
pub(crate) async fn journey(
    db: &impl ConnectionTrait,
    user: UserId,
    session: Option<SessionId>,
    limit: i64,
) -> Result<Vec<Step>, DbErr> {
    let mut sql = Sql::new(
        "SELECT e.at, e.kind, r.path AS route, e.details FROM events e LEFT JOIN routes r ON r.id = e.route_id \
         WHERE e.user_id = ?",
        values![user],
    );
    if let Some(session) = session {
        sql.push(" AND e.session_id = ?", values![session]);
    }
    sql.push(" ORDER BY e.at DESC, e.seq DESC LIMIT ?", values![limit + 1]);
    let rows: Vec<StepRow> = sql.all(db).await?;
    let step = |r: StepRow| {
        let mut told = told(r.details.as_deref());
        let page = told.text("page").or_else(|| r.route.filter(|_| r.kind == PAGE_VIEW));
        Step { action: told.text("action"), page, kind: r.kind, at: Time(r.at) }
    };
    Ok(rows.into_iter().rev().map(step).collect())
}

/// Events with numbers after `last` and up to `seq`, oldest first.
pub(crate) async fn between(db: &impl ConnectionTrait, last: i64, seq: i64) -> Result<Vec<EventRow>, DbErr> {
    let numbered = Sql::new("e.seq > ? AND e.seq <= ?", values![last, seq]);
    let mut rows = page(db, &numbered, None, None, seq - last).await?;
    rows.sort_by_key(|r| r.seq);
    Ok(rows)
}
