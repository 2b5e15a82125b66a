//! Lists of sessions: one filter for pages, counts and bulk acts, so that they agree.

use domain::{
    Reach, SessionId, Time, UserId,
    session::{EndReason, SessionFilter, SessionSort, SessionState, SessionView},
    useragent::Kind,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::{
    card::marks,
    session::LIVE,
    sql::{Sql, contains, values},
};

/// The filter within a reach, as a condition on `sessions s`.
pub(crate) fn condition(reach: Reach, f: &SessionFilter, now: Time) -> Sql {
    let mut sql = all_but_reason(reach, f, now);
    let mut parts = reasons(f.reason, now).into_iter();
    if let Some(first) = parts.next() {
        sql.push(" AND (", vec![]).append(first);
        for other in parts {
            sql.push(" OR ", vec![]).append(other);
        }
        sql.push(")", vec![]);
    }
    sql
}

fn all_but_reason(reach: Reach, f: &SessionFilter, now: Time) -> Sql {
    let mut sql = Sql::new("1 = 1", vec![]);
    let mut and = |text: &str, values: Vec<Value>| {
        sql.push(" AND ", vec![]).push(text, values);
    };
    match reach {
        Reach::Everything => {}
        Reach::Organisation(id) => and("s.user_id IN (SELECT id FROM users WHERE organisation_id = ?)", values![id]),
        Reach::Nothing => and("1 = 0", vec![]),
    }
    if let Some(user) = &f.user {
        and("s.user_id IN (SELECT id FROM users WHERE username = ?)", values![user.trim().to_lowercase()]);
    }
    if let Some(role) = &f.role {
        and("s.user_id IN (SELECT id FROM users WHERE role = ?)", values![role.as_str()]);
    }
    if let Some(org) = &f.org {
        let (column, value) = match Uuid::parse_str(org) {
            Ok(id) => ("id", Value::from(id)),
            Err(_) => ("name_lower", Value::from(org.trim().to_lowercase())),
        };
        let text = format!(
            "s.user_id IN (SELECT id FROM users WHERE organisation_id IN \
             (SELECT id FROM organisations WHERE {column} = ?))"
        );
        and(&text, vec![value]);
    }
    if let Some(ip) = &f.ip {
        and("s.ip = ?", values![ip.trim()]);
    }
    if let Some(kind) = f.device {
        and("s.device = ?", values![kind.as_str()]);
    }
    match (f.state, f.reason) {
        // Said outright: a database would look at everything that ended for this reason.
        (Some(SessionState::Live), Some(_)) => and("1 = 0", vec![]),
        (Some(SessionState::Live), None) => and(LIVE, values![now.0]),
        (Some(SessionState::Ended), _) => and(&format!("NOT ({LIVE})"), values![now.0]),
        (None, _) => {}
    }
    if let Some(from) = f.from {
        and("s.created_at >= ?", values![from.0]);
    }
    if let Some(to) = f.to {
        and("s.created_at < ?", values![to.0]);
    }
    if let Some(q) = f.q.as_deref().filter(|q| !q.trim().is_empty()) {
        let pattern = contains(q);
        let people = r"s.user_id IN (SELECT id FROM users WHERE search LIKE ? ESCAPE '\')";
        // Most names can be part of no address: those need not be looked through.
        if q.trim().chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':')) {
            let text = format!(r"({people} OR s.ip LIKE ? ESCAPE '\')");
            and(&text, values![pattern.as_str(), pattern.as_str()]);
        } else {
            and(people, values![pattern.as_str()]);
        }
    }
    sql
}

/// Conditions that have no session in common; one of them holds for each that ended for this reason. A session whose
/// time is over has its reason before the clean-up writes it down.
fn reasons(reason: Option<EndReason>, now: Time) -> Vec<Sql> {
    let Some(reason) = reason else { return vec![] };
    let over = match reason {
        EndReason::IdleTimeout => Some("s.expires_at < s.absolute_expires_at"),
        EndReason::AbsoluteTimeout => Some("s.expires_at = s.absolute_expires_at"),
        _ => None,
    };
    let over = over.map(|over| format!("(s.ended_at IS NULL AND s.expires_at <= ? AND {over})"));
    let written = Sql::new("s.ended_reason = ?", values![reason.as_str()]);
    [written].into_iter().chain(over.map(|over| Sql::new(over, values![now.0]))).collect()
}

/// Where a page begins: after this row in the order of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct After {
    pub(crate) at: Time,
    pub(crate) id: Uuid,
}

/// How to find a page among a million rows. SQLite cannot know how many match, so it is told; PostgreSQL keeps
/// statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Few match: gather them, then sort.
    Gather,
    /// Many match: walk in the order of the list until the page is full.
    Walk,
}

impl Plan {
    /// Gathering costs a look at each match; walking costs `rows / matches` looks for each row of the page.
    pub(crate) fn for_total(total: u64) -> Self {
        if total <= 5_000 { Self::Gather } else { Self::Walk }
    }

    /// A plus before a column keeps SQLite from using its index.
    fn tune(self, column: &str, condition: Sql) -> (String, Sql) {
        match self {
            Self::Gather => (format!("+{column}"), condition),
            Self::Walk => {
                let tuned = ["s.user_id IN ", "s.ip = ", "s.ended_reason = "]
                    .into_iter()
                    .fold(condition, |sql, word| sql.replace(word, &format!("+{word}")));
                (column.to_owned(), tuned)
            }
        }
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    username: String,
    name: String,
    role: String,
    organisation: Option<String>,
    live: i32,
    created_at: i64,
    last_activity_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    absolute_expires_at: i64,
    ended_at: Option<i64>,
    ended_reason: Option<String>,
    ended_by: Option<String>,
    remembered: bool,
    browser: String,
    os: String,
    device: String,
    ip: Option<String>,
}

impl From<Row> for SessionView {
    fn from(r: Row) -> Self {
        // Over by its times, and not yet written down as ended.
        let timed_out = r.live == 0 && r.ended_at.is_none() && r.ended_reason.is_none();
        let timeout =
            if r.expires_at == r.absolute_expires_at { EndReason::AbsoluteTimeout } else { EndReason::IdleTimeout };
        Self {
            id: r.id,
            user_id: r.user_id,
            username: r.username,
            name: r.name,
            role: r.role,
            organisation: r.organisation,
            state: if r.live == 1 { SessionState::Live } else { SessionState::Ended },
            created_at: Time(r.created_at),
            last_activity_at: Time(r.last_activity_at),
            last_seen_at: Time(r.last_seen_at),
            expires_at: Time(r.expires_at),
            absolute_expires_at: Time(r.absolute_expires_at),
            ended_at: if timed_out { Some(Time(r.expires_at)) } else { r.ended_at.map(Time) },
            ended_reason: if timed_out { Some(timeout) } else { r.ended_reason.as_deref().and_then(EndReason::parse) },
            ended_by: r.ended_by,
            remembered: r.remembered,
            current: false,
            browser: r.browser,
            os: r.os,
            device: Kind::parse(&r.device).unwrap_or_default(),
            ip: r.ip.unwrap_or_default(),
            place: None,
        }
    }
}

fn column(sort: SessionSort) -> &'static str {
    match sort {
        SessionSort::Started => "s.created_at",
        SessionSort::Activity => "s.last_activity_at",
    }
}

/// The value a session is sorted by.
pub(crate) fn key(sort: SessionSort, view: &SessionView) -> Time {
    match sort {
        SessionSort::Started => view.created_at,
        SessionSort::Activity => view.last_activity_at,
    }
}

pub(crate) async fn page(
    db: &impl ConnectionTrait,
    condition: Sql,
    sort: SessionSort,
    after: Option<After>,
    limit: u32,
    plan: Plan,
    now: Time,
) -> Result<Vec<SessionView>, DbErr> {
    let column = column(sort);
    let (order, condition) = match db.get_database_backend() {
        DbBackend::Sqlite => plan.tune(column, condition),
        _ => (column.to_owned(), condition),
    };
    let mut sql = Sql::new(
        format!(
            "SELECT s.id, s.user_id, u.username, u.name, u.role, o.name AS organisation, \
             CASE WHEN {LIVE} THEN 1 ELSE 0 END AS live, s.created_at, s.last_activity_at, s.last_seen_at, \
             s.expires_at, s.absolute_expires_at, s.ended_at, s.ended_reason, s.ended_by, s.remembered, \
             s.browser, s.os, s.device, s.ip \
             FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN organisations o ON o.id = u.organisation_id \
             WHERE "
        ),
        values![now.0],
    );
    sql.append(condition);
    if let Some(after) = after {
        sql.push(&format!(" AND ({column}, s.id) < (?, ?)"), values![after.at.0, after.id]);
    }
    sql.push(&format!(" ORDER BY {order} DESC, s.id DESC LIMIT ?"), values![i64::from(limit)]);
    let rows: Vec<Row> = sql.all(db).await?;
    Ok(rows.into_iter().map(SessionView::from).collect())
}

/// How many match. Those that ended are all but the live ones, which two indexes know without a look at the rows; those
/// of a reason are counted part by part, each by its own index.
pub(crate) async fn count(
    db: &impl ConnectionTrait,
    reach: Reach,
    filter: &SessionFilter,
    now: Time,
) -> Result<u64, DbErr> {
    let counted = |state| {
        let filter = SessionFilter { state, ..filter.clone() };
        let mut parts = reasons(filter.reason, now);
        if parts.is_empty() {
            parts.push(Sql::new("1 = 1", vec![]));
        }
        let mut sql = Sql::new("(0", vec![]);
        for part in parts {
            sql.push(" + (SELECT count(*) FROM sessions s WHERE ", vec![]);
            sql.append(all_but_reason(reach, &filter, now)).push(" AND ", vec![]).append(part).push(")", vec![]);
        }
        sql.push(")", vec![]);
        sql
    };
    let mut sql = Sql::new("SELECT ", vec![]);
    if filter.state == Some(SessionState::Ended) {
        sql.append(counted(None)).push(" - ", vec![]).append(counted(Some(SessionState::Live)));
    } else {
        sql.append(counted(filter.state));
    }
    Ok(sql.number(db).await? as u64)
}

/// How many match a condition.
pub(crate) async fn count_of(db: &impl ConnectionTrait, condition: Sql) -> Result<u64, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM sessions s WHERE ", vec![]);
    sql.append(condition);
    Ok(sql.number(db).await? as u64)
}

/// The live sessions of one person, as a condition.
pub(crate) fn live_of(user: UserId, now: Time) -> Sql {
    Sql::new(format!("s.user_id = ? AND {LIVE}"), values![user, now.0])
}

/// These sessions, as a condition.
pub(crate) fn among(ids: &[SessionId]) -> Sql {
    if ids.is_empty() {
        return Sql::new("1 = 0", vec![]);
    }
    Sql::new(format!("s.id IN ({})", marks(ids.len())), ids.iter().map(|id| Value::from(*id)).collect())
}

/// The live ones of these, a condition on `sessions s`.
pub(crate) fn live_among(which: Sql, now: Time) -> Sql {
    let mut live = Sql::new(format!("{LIVE} AND ("), values![now.0]);
    live.append(which).push(")", vec![]);
    live
}

/// The ids of all that match a condition.
pub(crate) async fn ids(db: &impl ConnectionTrait, condition: Sql) -> Result<Vec<SessionId>, DbErr> {
    let mut sql = Sql::new("SELECT s.id FROM sessions s WHERE ", vec![]);
    sql.append(condition);
    sql.rows(db).await?.iter().map(|r| r.try_get_by_index(0)).collect()
}

/// How many of these, a condition on `sessions s`, are live.
pub(crate) async fn count_live(db: &impl ConnectionTrait, which: Sql, now: Time) -> Result<u64, DbErr> {
    count_of(db, live_among(which, now)).await
}
