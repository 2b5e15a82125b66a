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
    /// When the oldest of them began.
    oldest: i64,
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
    // As many at once as there are readers: each of these looks at most of the table.
    let (total, standing, groups, average) = tokio::try_join!(
        with("count(*)", all(), "").number(db),
        with("count(*)", all(), " AND s.ended_at IS NULL").number(db),
        groups(db, live()),
        with(
            "CAST(avg((s.ended_at - s.created_at) / 1000.0) AS double precision)",
            all(),
            " AND s.ended_at IS NOT NULL",
        )
        .row(db),
    )?;
    let ended = total - standing;
    let alive: i64 = groups.iter().map(|g| g.n).sum();
    let oldest = groups.iter().map(|g| g.oldest).min();

    let mut by_role: BTreeMap<String, u64> = directory::roles(db).await?.into_iter().map(|r| (r.name, 0)).collect();
    let mut by_org: BTreeMap<String, u64> = BTreeMap::new();
    for group in groups {
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
        oldest_at: oldest.map(Time),
    })
}

/// Live sessions by role and organisation. Counted by person first, in the order of their index, so that each person is
/// looked up once.
async fn groups(db: &impl ConnectionTrait, live: Sql) -> Result<Vec<Group>, DbErr> {
    let mut sql = Sql::new(
        "SELECT g.role, o.name AS organisation, g.n, g.oldest FROM \
         (SELECT u.role, u.organisation_id, CAST(sum(l.n) AS bigint) AS n, min(l.oldest) AS oldest FROM \
         (SELECT s.user_id, count(*) AS n, min(s.created_at) AS oldest FROM sessions s WHERE ",
        vec![],
    );
    sql.append(live).push(
        " GROUP BY s.user_id) l JOIN users u ON u.id = l.user_id GROUP BY u.role, u.organisation_id) g \
         LEFT JOIN organisations o ON o.id = g.organisation_id",
        vec![],
    );
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
