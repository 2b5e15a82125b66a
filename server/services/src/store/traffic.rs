//! Requests by route in quarters of an hour.

use domain::{
    Time,
    traffic::{Durations, Row, Series},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::{
    Store,
    sql::{Sql, values},
};

/// Rows of one statement: SQLite takes 32,766 values at most.
const BATCH: usize = 500;

#[derive(FromQueryResult)]
struct Found {
    slot: i64,
    route: String,
    status_class: i64,
    n: i64,
    dur_sum: i64,
    dur_max: i64,
    hist: Vec<u8>,
}

/// Writes these rows in place of what is there of them, all or nothing.
pub(crate) async fn replace(store: &Store, rows: &[Row]) -> Result<(), DbErr> {
    let txn = store.begin().await?;
    for rows in rows.chunks(BATCH) {
        let mut sql =
            Sql::new("INSERT INTO traffic_15m (slot, route, status_class, n, dur_sum, dur_max, hist) VALUES ", vec![]);
        for (i, r) in rows.iter().enumerate() {
            let d = &r.durations;
            let (n, sum, max) = (d.n() as i64, d.sum_us() as i64, d.max_us() as i64);
            sql.push(
                if i == 0 { "(?, ?, ?, ?, ?, ?, ?)" } else { ", (?, ?, ?, ?, ?, ?, ?)" },
                values![r.slot.0, r.route.as_str(), i64::from(r.class), n, sum, max, d.to_bytes()],
            );
        }
        sql.push(
            " ON CONFLICT (slot, route, status_class) DO UPDATE SET n = excluded.n, dur_sum = excluded.dur_sum, \
             dur_max = excluded.dur_max, hist = excluded.hist",
            vec![],
        );
        sql.run(&txn).await?;
    }
    txn.commit().await
}

/// The rows of the slots from one to before another.
pub(crate) async fn between(db: &impl ConnectionTrait, from: Time, to: Time) -> Result<Vec<Row>, DbErr> {
    let sql = Sql::new("SELECT * FROM traffic_15m WHERE slot >= ? AND slot < ?", values![from.0, to.0]);
    let found: Vec<Found> = sql.all(db).await?;
    let row = |f: Found| {
        let (n, sum, max) = (f.n.unsigned_abs(), f.dur_sum.unsigned_abs(), f.dur_max.unsigned_abs());
        let durations = Durations::stored(n, sum, max, &f.hist);
        Row { slot: Time(f.slot), route: f.route, class: f.status_class.clamp(1, 5) as u8, durations }
    };
    Ok(found.into_iter().map(row).collect())
}

/// Requests, and those answered with 4xx or with 5xx, in the slots from one to before another.
pub(crate) async fn count(db: &impl ConnectionTrait, from: Time, to: Time) -> Result<[u64; 3], DbErr> {
    let sql = Sql::new(
        "SELECT route, status_class, CAST(sum(n) AS bigint) FROM traffic_15m WHERE slot >= ? AND slot < ? \
         GROUP BY route, status_class",
        values![from.0, to.0],
    );
    let mut counted = [0; 3];
    for row in sql.rows(db).await? {
        let (route, class): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if Series::of(&route) != Series::Requests {
            continue;
        }
        let n = row.try_get_by_index::<i64>(2)?.unsigned_abs();
        counted[0] += n;
        match class {
            4 => counted[1] += n,
            5 => counted[2] += n,
            _ => {}
        }
    }
    Ok(counted)
}
