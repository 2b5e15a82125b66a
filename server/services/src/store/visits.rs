//! Visits, kept as events are written: those that new events touch are taken out, and what they have become is put in.
//! With them the seconds that people were active on a day, which are always what the visits there are say.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Time, UserId,
    activity::{Day, GAP, Visit, Zone, visits},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::{
    card::marks,
    events::{NewEvent, insert, lists},
    sql::{Sql, values},
};

const COLUMNS: &str = "user_id, from_at, to_at, first_seq, session_id, events, views, actions";
/// Of one row of `user_day`, between two times.
const ACTIVE_S: &str = "UPDATE user_day SET active_s = (SELECT CAST(coalesce(sum(\
                        CASE WHEN v.to_at < ? THEN v.to_at ELSE ? END - CASE WHEN v.from_at > ? THEN v.from_at ELSE ? END\
                        ), 0) AS bigint) / 1000 FROM visits v \
                        WHERE v.user_id = user_day.user_id AND v.to_at > ? AND v.from_at < ?) WHERE day = ?";

/// What is to be run for these events once they are counted, which are not among those the visits know. The visits they
/// touch are taken out at once. `txn` holds the counter of events, so nobody else is about the same visits.
pub(super) async fn take_in(
    txn: &impl ConnectionTrait,
    zone: Zone,
    events: &[&mut NewEvent],
) -> Result<Vec<Sql>, DbErr> {
    // What we do by ourselves for somebody has no session, and is no visit of theirs.
    let of = |e: &&mut NewEvent| Visit::of(e.user?, e.at, e.seq, e.session?, &e.kind);
    let fresh = visits(events.iter().filter_map(of).collect());
    let (Some(from), Some(to)) = (fresh.iter().map(|v| v.from).min(), fresh.iter().map(|v| v.to).max()) else {
        return Ok(vec![]);
    };
    let people: BTreeSet<UserId> = fresh.iter().map(|v| v.user).collect();
    let people: Vec<UserId> = people.into_iter().collect();
    let mut all = fresh.clone();
    for mut values in lists(&people) {
        let text = format!(
            "DELETE FROM visits WHERE user_id IN ({}) AND to_at >= ? AND from_at <= ? RETURNING {COLUMNS}",
            marks(values.len())
        );
        values.extend(values![from.plus(-GAP).0, to.plus(GAP).0]);
        for r in Sql::new(text, values).rows(txn).await? {
            all.push(visit(&r)?);
        }
    }
    let all = visits(all);
    let rows: Vec<_> = all.iter().map(row).collect();
    let mut statements = insert(&format!("INSERT INTO visits ({COLUMNS}) VALUES "), &rows, "");
    for (day, people) in changed(zone, &fresh, &all) {
        let people: Vec<UserId> = people.into_iter().collect();
        statements.extend(lists(&people).map(|ids| active(zone, day, Some(ids))));
    }
    Ok(statements)
}

/// Days on which somebody was active for longer than before: a visit may have grown by a gap on either side of what is
/// new, and by no more.
fn changed(zone: Zone, fresh: &[Visit], all: &[Visit]) -> BTreeMap<Day, BTreeSet<UserId>> {
    let mut days: BTreeMap<Day, BTreeSet<UserId>> = BTreeMap::new();
    for v in fresh {
        let after = all.partition_point(|whole| (whole.user, whole.from) <= (v.user, v.from));
        let Some(whole) = after.checked_sub(1).and_then(|i| all.get(i)) else { continue };
        let (first, last) = (whole.from.max(v.from.plus(-GAP)), whole.to.min(v.to.plus(GAP)));
        for day in zone.day(first).0..=zone.day(last).0 {
            days.entry(Day(day)).or_default().insert(v.user);
        }
    }
    days
}

/// Counts again how long these people, or all, were active on the day.
pub(super) fn active(zone: Zone, day: Day, people: Option<Vec<Value>>) -> Sql {
    let (begin, end) = zone.span(day);
    let mut sql = Sql::new(ACTIVE_S, values![end.0, end.0, begin.0, begin.0, begin.0, end.0, day.0]);
    if let Some(people) = people {
        sql.push(&format!(" AND user_id IN ({})", marks(people.len())), people);
    }
    sql
}

/// A person's visits that began since then, oldest first.
pub(crate) async fn of(db: &impl ConnectionTrait, user: UserId, since: Time) -> Result<Vec<Visit>, DbErr> {
    let text = format!("SELECT {COLUMNS} FROM visits WHERE user_id = ? AND to_at >= ? AND from_at >= ? ORDER BY to_at");
    Sql::new(text, values![user, since.0, since.0]).rows(db).await?.iter().map(visit).collect()
}

fn row(v: &Visit) -> Vec<Value> {
    let counts = [v.events, v.views, v.actions].map(i64::from);
    values![v.user, v.from.0, v.to.0, v.first_seq, v.session, counts[0], counts[1], counts[2]]
}

fn visit(r: &QueryResult) -> Result<Visit, DbErr> {
    let count = |i| Ok::<_, DbErr>(u32::try_from(r.try_get_by_index::<i64>(i)?).unwrap_or_default());
    Ok(Visit {
        user: r.try_get_by_index(0)?,
        from: Time(r.try_get_by_index(1)?),
        to: Time(r.try_get_by_index(2)?),
        first_seq: r.try_get_by_index(3)?,
        session: r.try_get_by_index(4)?,
        events: count(5)?,
        views: count(6)?,
        actions: count(7)?,
    })
}
