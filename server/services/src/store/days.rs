//! By which zone days are counted, and counting one again from its events.

use domain::{
    Time,
    activity::{Day, Zone},
};
use sea_orm::{ConnectionTrait, DbErr};

use super::{
    events::Days,
    sql::{Sql, values},
    visits,
};

/// Events read at a time.
const BATCH: i64 = 5_000;

/// The zone, and the next day to be counted in it, if that is not done.
pub(crate) async fn state(db: &impl ConnectionTrait) -> Result<(String, Option<i64>), DbErr> {
    let row = Sql::new("SELECT zone, from_day FROM activity_days WHERE id = 1", vec![]).row(db).await?;
    row.map_or(Ok((String::new(), None)), |r| Ok((r.try_get_by_index(0)?, r.try_get_by_index(1)?)))
}

pub(crate) async fn set_state(db: &impl ConnectionTrait, zone: Zone, from: Option<i64>) -> Result<(), DbErr> {
    let text = "UPDATE activity_days SET zone = ?, from_day = ? WHERE id = 1";
    Sql::new(text, values![zone.name(), from]).run(db).await.map(drop)
}

/// The oldest day whose events are all still there; nothing when there are none.
pub(crate) async fn oldest(db: &impl ConnectionTrait, zone: Zone) -> Result<Option<Day>, DbErr> {
    let first = Sql::new("SELECT min(at) FROM events", vec![]).row(db).await?;
    let first: Option<i64> = first.map_or(Ok(None), |r| r.try_get_by_index(0))?;
    let Some(day) = first.map(|at| zone.day(Time(at))) else { return Ok(None) };
    // Of a zone's day no part is more than a day away from the same in any other zone.
    let before = Sql::new("SELECT count(*) FROM user_day WHERE day < ?", values![day.0 - 1]).number(db).await?;
    Ok(Some(if before > 0 { Day(day.0 + 1) } else { day }))
}

/// Counts `day` of the zone anew.
pub(crate) async fn recount(txn: &impl ConnectionTrait, zone: Zone, day: Day) -> Result<(), DbErr> {
    let (from, to) = zone.span(day);
    for table in ["route_day", "user_day", "user_route_day"] {
        Sql::new(format!("DELETE FROM {table} WHERE day = ?"), values![day.0]).run(txn).await?;
    }
    let mut days = Days::default();
    let (mut at, mut seq) = (from.0, 0);
    loop {
        let text = "SELECT seq, at, kind, user_id, route_id FROM events WHERE at >= ? AND at < ? \
                    AND (at > ? OR seq > ?) ORDER BY at, seq LIMIT ?";
        let rows = Sql::new(text, values![at, to.0, at, seq, BATCH]).rows(txn).await?;
        for r in &rows {
            (seq, at) = (r.try_get_by_index(0)?, r.try_get_by_index(1)?);
            let (kind, user, route): (String, _, _) =
                (r.try_get_by_index(2)?, r.try_get_by_index(3)?, r.try_get_by_index(4)?);
            days.add(day.0, seq, Time(at), &kind, user, route);
        }
        if rows.len() < BATCH as usize {
            days.write(txn).await?;
            return visits::active(zone, day, None).run(txn).await.map(drop);
        }
    }
}
