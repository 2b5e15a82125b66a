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
    name: String,
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
    let oldest = with("min(s.created_at)", live(), "").row(db).await?;
    let average = with(
        "CAST(avg((s.ended_at - s.created_at) / 1000.0) AS double precision)",
        all(),
        " AND s.ended_at IS NOT NULL",
    )
    .row(db)
    .await?;

    let mut by_role: BTreeMap<String, u64> = directory::roles(db).await?.into_iter().map(|r| (r.name, 0)).collect();
    by_role.extend(groups(db, "u.role", "", live()).await?);
    let organisations = "JOIN organisations o ON o.id = u.organisation_id";
    let by_org = groups(db, "o.name", organisations, live()).await?.into_iter().collect();

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

async fn groups(db: &impl ConnectionTrait, by: &str, join: &str, live: Sql) -> Result<Vec<(String, u64)>, DbErr> {
    let mut sql = Sql::new(
        format!("SELECT {by} AS name, count(*) AS n FROM sessions s JOIN users u ON u.id = s.user_id {join} WHERE "),
        vec![],
    );
    sql.append(live).push(&format!(" GROUP BY {by}"), vec![]);
    let rows: Vec<Group> = sql.all(db).await?;
    Ok(rows.into_iter().map(|g| (g.name, g.n as u64)).collect())
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
