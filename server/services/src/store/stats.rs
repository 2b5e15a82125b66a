//! Numbers over all sessions.

use std::collections::BTreeMap;

use domain::{
    Reach, Time,
    session::{LiveStats, SessionFilter, SessionState, SessionStats},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::{
    directory, list,
    sql::{Sql, values},
};

/// How long a session that is over was: until its last activity if it ran out, whenever that was noticed. The words of
/// its index.
const LENGTH: &str = "(CASE WHEN s.ended_reason IN ('idle_timeout', 'absolute_timeout') \
                      THEN s.last_activity_at ELSE s.ended_at END - s.created_at)";

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
    let with = |select: &str, rest: &str| {
        let mut sql = Sql::new(format!("SELECT {select} FROM sessions s WHERE "), vec![]);
        sql.append(all()).push(rest, vec![]);
        sql
    };
    // As many at once as there are readers: each of these looks at most of the table.
    let (total, standing, live, average) = tokio::try_join!(
        with("count(*)", "").number(db),
        with("count(*)", " AND s.ended_at IS NULL").number(db),
        live(db, reach, now),
        with(&format!("CAST(avg({LENGTH} / 1000.0) AS double precision)"), " AND s.ended_at IS NOT NULL").row(db),
    )?;
    let ended = total - standing;
    Ok(SessionStats {
        total: total as u64,
        ended: ended as u64,
        expired_uncleaned: (standing as u64).saturating_sub(live.live),
        average_seconds: average.and_then(|r| r.try_get_by_index::<Option<f64>>(0).ok().flatten()),
        median_seconds: median(db, all(), ended).await?,
        now: live,
    })
}

/// The part of them that is of live sessions alone.
pub(crate) async fn live(db: &impl ConnectionTrait, reach: Reach, now: Time) -> Result<LiveStats, DbErr> {
    let filter = SessionFilter { state: Some(SessionState::Live), ..SessionFilter::default() };
    let groups = groups(db, list::condition(reach, &filter, now)).await?;
    let mut stats = LiveStats {
        live: groups.iter().map(|g| g.n as u64).sum(),
        by_role: directory::roles(db).await?.into_iter().map(|r| (r.name, 0)).collect(),
        by_org: BTreeMap::new(),
        oldest_at: groups.iter().map(|g| g.oldest).min().map(Time),
    };
    for group in groups {
        *stats.by_role.entry(group.role).or_default() += group.n as u64;
        if let Some(name) = group.organisation {
            *stats.by_org.entry(name).or_default() += group.n as u64;
        }
    }
    Ok(stats)
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
    let mut sql = Sql::new(format!("SELECT {LENGTH} FROM sessions s WHERE "), vec![]);
    sql.append(all).push(
        &format!(" AND s.ended_at IS NOT NULL ORDER BY {LENGTH} LIMIT ? OFFSET ?"),
        values![2 - n % 2, (n - 1) / 2],
    );
    let middle: Vec<i64> = sql.rows(db).await?.iter().map(|r| r.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(Some(middle.iter().sum::<i64>() as f64 / middle.len().max(1) as f64 / 1_000.0))
}
