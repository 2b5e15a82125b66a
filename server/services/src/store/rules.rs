//! Lifetimes and limits that change, applied to the sessions there are.

use std::collections::BTreeMap;

use domain::{
    Level, SessionId, Time,
    session::EndReason,
    settings::{Lifetimes, Settings},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::{
    card::marks,
    ending,
    session::LIVE,
    sql::{Sql, values},
};

/// Ids of one statement.
const CHUNK: usize = 1_000;

/// `CASE` over a person's role, with what roles without a value of their own have.
fn by_role<T: Copy + Into<Value>>(own: &BTreeMap<String, T>, rest: Sql) -> Sql {
    if own.is_empty() {
        return rest;
    }
    let mut sql = Sql::new("CASE u.role", vec![]);
    for (role, value) in own {
        sql.push(" WHEN ? THEN ?", vec![Value::from(role.as_str()), (*value).into()]);
    }
    sql.push(" ELSE ", vec![]).append(rest).push(" END", vec![]);
    sql
}

/// Live sessions with the times that these lifetimes give them: `id`, `user_id`, `idle`, `idle_end`, `max_end`.
fn timed(l: &Lifetimes, now: Time) -> Sql {
    let idle = by_role(
        &l.idle_by_role,
        Sql::new("CASE WHEN s.remembered THEN ? ELSE ? END", values![l.idle(true), l.idle(false)]),
    );
    let mut sql =
        Sql::new("SELECT t.id, t.user_id, t.idle, t.before, t.at + t.idle AS idle_end, t.max_end FROM (", vec![]);
    sql.push("SELECT s.id, s.user_id, s.expires_at AS before, s.last_activity_at AS at, ", vec![]);
    sql.append(idle).push(
        " AS idle, s.created_at + CASE WHEN r.level = 'admin' THEN ? ELSE ? END AS max_end FROM sessions s \
         JOIN users u ON u.id = s.user_id LEFT JOIN roles r ON r.name = u.role WHERE ",
        values![l.absolute(Level::Admin), l.absolute(Level::Member)],
    );
    sql.push(LIVE, values![now.0]).push(") t", vec![]);
    sql
}

/// Ends what is live and over by these lifetimes.
pub(crate) async fn end_overdue(
    db: &impl ConnectionTrait,
    l: &Lifetimes,
    by: Option<&str>,
    now: Time,
) -> Result<Vec<(SessionId, EndReason)>, DbErr> {
    let mut ended = vec![];
    for (reason, over) in [
        (EndReason::AbsoluteTimeout, "v.max_end <= ? AND v.max_end <= v.idle_end"),
        (EndReason::IdleTimeout, "v.idle_end <= ? AND v.idle_end < v.max_end"),
    ] {
        let mut which = Sql::new("s.id IN (SELECT v.id FROM (", vec![]);
        which.append(timed(l, now)).push(&format!(") v WHERE {over})"), values![now.0]);
        ended.extend(ending::end(db, which, reason, by, now).await?.into_iter().map(|id| (id, reason)));
    }
    Ok(ended)
}

/// Gives the live sessions these lifetimes.
pub(crate) async fn retime(db: &impl ConnectionTrait, l: &Lifetimes, now: Time) -> Result<u64, DbErr> {
    let mut sql = Sql::new(
        "UPDATE sessions SET idle_ms = v.idle, absolute_expires_at = v.max_end, \
         expires_at = CASE WHEN v.idle_end < v.max_end THEN v.idle_end ELSE v.max_end END FROM (",
        vec![],
    );
    sql.append(timed(l, now)).push(
        ") AS v WHERE sessions.id = v.id AND (sessions.idle_ms <> v.idle OR sessions.absolute_expires_at <> v.max_end)",
        vec![],
    );
    sql.run(db).await
}

#[derive(FromQueryResult)]
pub(crate) struct Soon {
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) at: i64,
}

/// How many live sessions these lifetimes end sooner, though not at once, and the first of them.
pub(crate) async fn sooner(
    db: &impl ConnectionTrait,
    l: &Lifetimes,
    now: Time,
    limit: usize,
) -> Result<(u64, Vec<Soon>), DbErr> {
    let of = |select: &str| {
        let mut sql = Sql::new(
            format!(
                "SELECT {select} FROM (SELECT w.user_id, w.before, \
                 CASE WHEN w.idle_end < w.max_end THEN w.idle_end ELSE w.max_end END AS at FROM ("
            ),
            vec![],
        );
        sql.append(timed(l, now)).push(") w) v", vec![]);
        sql
    };
    let sooner = " WHERE v.at > ? AND v.at < v.before";
    let mut count = of("count(*)");
    count.push(sooner, values![now.0]);
    let mut first = of("u.username, u.name, v.at");
    first.push(" JOIN users u ON u.id = v.user_id", vec![]).push(sooner, values![now.0]);
    first.push(" ORDER BY v.at LIMIT ?", values![limit as i64]);
    Ok((count.number(db).await? as u64, first.all(db).await?))
}

/// Ends the least recently used sessions of everybody who has more live ones than their limit.
pub(crate) async fn end_excess(
    db: &impl ConnectionTrait,
    s: &Settings,
    by: Option<&str>,
    now: Time,
) -> Result<Vec<(SessionId, EndReason)>, DbErr> {
    // No limit is more than anybody has.
    let most = |n: u32| if n == 0 { i64::MAX } else { i64::from(n) };
    let own: BTreeMap<String, i64> = s.session_limit_by_role.iter().map(|(r, n)| (r.clone(), most(*n))).collect();
    if s.session_limit == 0 && own.is_empty() {
        return Ok(vec![]);
    }
    let mut sql = Sql::new("SELECT k.id FROM (SELECT s.id AS id, ", vec![]);
    sql.append(by_role(&own, Sql::new("?", values![most(s.session_limit)]))).push(
        " AS most, row_number() OVER (PARTITION BY s.user_id ORDER BY s.last_activity_at DESC, s.id DESC) AS nth \
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE ",
        vec![],
    );
    sql.push(LIVE, values![now.0]).push(") k WHERE k.nth > k.most", vec![]);
    let rows = sql.rows(db).await?;
    let ids: Vec<SessionId> = rows.iter().map(|r| r.try_get_by_index::<Uuid>(0)).collect::<Result<_, _>>()?;
    let mut ended = vec![];
    for chunk in ids.chunks(CHUNK) {
        let which =
            Sql::new(format!("s.id IN ({})", marks(chunk.len())), chunk.iter().map(|id| Value::from(*id)).collect());
        let ids = ending::end(db, which, EndReason::Limit, by, now).await?;
        ended.extend(ids.into_iter().map(|id| (id, EndReason::Limit)));
    }
    Ok(ended)
}

/// Ends the sessions of people of these roles who have no second factor.
pub(crate) async fn end_without_second_factor(
    db: &impl ConnectionTrait,
    roles: &[&String],
    by: Option<&str>,
    now: Time,
) -> Result<Vec<(SessionId, EndReason)>, DbErr> {
    if roles.is_empty() {
        return Ok(vec![]);
    }
    let text = format!(
        "s.user_id IN (SELECT u.id FROM users u WHERE u.role IN ({}) AND NOT EXISTS (SELECT 1 FROM second_factors f \
         WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL))",
        marks(roles.len())
    );
    let which = Sql::new(text, roles.iter().map(|r| Value::from(r.as_str())).collect());
    let ids = ending::end(db, which, EndReason::Revoked, by, now).await?;
    Ok(ids.into_iter().map(|id| (id, EndReason::Revoked)).collect())
}

/// Whose sessions these are: username and name, and how many.
pub(crate) async fn owners(
    db: &impl ConnectionTrait,
    ids: &[SessionId],
) -> Result<BTreeMap<(String, String), u64>, DbErr> {
    let mut owners = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let text = format!(
            "SELECT u.username, u.name FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id IN ({})",
            marks(chunk.len())
        );
        for row in Sql::new(text, chunk.iter().map(|id| Value::from(*id)).collect()).rows(db).await? {
            *owners.entry((row.try_get_by_index(0)?, row.try_get_by_index(1)?)).or_default() += 1;
        }
    }
    Ok(owners)
}
