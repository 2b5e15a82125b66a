//! Numbers over all sessions.

use std::collections::BTreeMap;

use domain::{
    Reach, Time,
    session::{SessionFilter, SessionState, SessionStats},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::{
    directory, list,
    sql::{Sql, values},
};

#[derive(FromQueryResult)]
struct Group {
    role: String,
    organisation: Option<String>,
    n: i64,
}

/// The answers of `rollcall sessions stats`, within a reach.
pub(crate) async fn stats(db: &impl ConnectionTrait, reach: Reach, now: Time) -> Result<SessionStats, DbErr> {
    let all = || list::condition(reach, &SessionFilter::default(), now);
    let live = || {
        let filter = SessionFilter { state: Some(SessionState::Live), ..SessionFilter::default() };
        list::condition(reach, &filter, now)
    };
    let with = |select: &str, condition: Sql, rest: &str| {
        let mut sql = Sql::new(format!("SELECT {select} FROM sessions s WHERE "), vec![]);
        sql.append(condition).push(rest, vec![]);
        sql
    };
    let total = with("count(*)", all(), "").number(db).await?;
    let alive = with("count(*)", live(), "").number(db).await?;
    let ended = with("count(*)", all(), " AND s.ended_at IS NOT NULL").number(db).await?;
    // The sum keeps SQLite from walking all sessions from the oldest on.
    let oldest = with("min(s.created_at + 0)", live(), "").row(db).await?;
    let average = with(
        "CAST(avg((s.ended_at - s.created_at) / 1000.0) AS double precision)",
        all(),
        " AND s.ended_at IS NOT NULL",
    )
    .row(db)
    .await?;

    let mut by_role: BTreeMap<String, u64> = directory::roles(db).await?.into_iter().map(|r| (r.name, 0)).collect();
    let mut by_org: BTreeMap<String, u64> = BTreeMap::new();
    for group in groups(db, live()).await? {
        *by_role.entry(group.role).or_default() += group.n as u64;
        if let Some(name) = group.organisation {
            *by_org.entry(name).or_default() += group.n as u64;
        }
    }

    Ok(SessionStats {
        total: total as u64,
        live: alive as u64,
        ended: ended as u64,
        expired_uncleaned: (total - alive - ended).max(0) as u64,
        by_role,
        by_org,
        average_seconds: average.and_then(|r| r.try_get_by_index::<Option<f64>>(0).ok().flatten()),
        median_seconds: median(db, all(), ended).await?,
        oldest_at: oldest.and_then(|r| r.try_get_by_index::<Option<i64>>(0).ok().flatten()).map(Time),
    })
}

/// Live sessions by role and organisation, in one pass.
async fn groups(db: &impl ConnectionTrait, live: Sql) -> Result<Vec<Group>, DbErr> {
    let mut sql = Sql::new(
        "SELECT u.role, o.name AS organisation, count(*) AS n FROM sessions s JOIN users u ON u.id = s.user_id \
         LEFT JOIN organisations o ON o.id = u.organisation_id WHERE ",
        vec![],
    );
    sql.append(live).push(" GROUP BY u.role, o.name", vec![]);
    sql.all(db).await
}

/// The middle length; the mean of the two middle ones when their number is even.
async fn median(db: &impl ConnectionTrait, all: Sql, n: i64) -> Result<Option<f64>, DbErr> {
    if n == 0 {
        return Ok(None);
    }
    let mut sql = Sql::new("SELECT (s.ended_at - s.created_at) FROM sessions s WHERE ", vec![]);
    sql.append(all).push(
        " AND s.ended_at IS NOT NULL ORDER BY (s.ended_at - s.created_at) LIMIT ? OFFSET ?",
        values![2 - n % 2, (n - 1) / 2],
    );
    let middle: Vec<i64> = sql.rows(db).await?.iter().map(|r| r.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(Some(middle.iter().sum::<i64>() as f64 / middle.len().max(1) as f64 / 1_000.0))
}
