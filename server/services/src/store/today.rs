//! One day of people, from what is counted as events are written. Whose day it is within an organisation is told by the
//! organisation they are of now.

use std::collections::BTreeMap;

use domain::{
    Reach,
    activity::{Day, PAGE_VIEW, PopularPage},
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::sql::{Sql, values};

/// Adds which people are counted: those within reach.
fn within(mut sql: Sql, reach: Reach) -> Sql {
    match reach {
        Reach::Everything => {}
        Reach::Organisation(id) => {
            sql.push(" AND user_id IN (SELECT id FROM users WHERE organisation_id = ?)", values![id]);
        }
        Reach::Nothing => {
            sql.push(" AND 1 = 0", vec![]);
        }
    }
    sql
}

/// How many people did something on the day.
pub(crate) async fn active(db: &impl ConnectionTrait, reach: Reach, day: Day) -> Result<u64, DbErr> {
    let sql = Sql::new("SELECT count(*) FROM user_day WHERE day = ?", values![day.0]);
    within(sql, reach).number(db).await.map(i64::unsigned_abs)
}

/// The first day of which people are counted.
pub(crate) async fn first(db: &impl ConnectionTrait) -> Result<Option<Day>, DbErr> {
    let row = Sql::new("SELECT min(day) FROM user_day", vec![]).row(db).await?;
    let first: Option<i64> = row.map_or(Ok(None), |r| r.try_get_by_index(0))?;
    Ok(first.map(Day))
}

/// The same as `active` of each of these days on which anybody did something.
pub(crate) async fn active_by_day(
    db: &impl ConnectionTrait,
    reach: Reach,
    from: Day,
    to: Day,
) -> Result<BTreeMap<Day, u64>, DbErr> {
    let text = "SELECT day, count(*) FROM user_day WHERE day BETWEEN ? AND ?";
    let mut sql = within(Sql::new(text, values![from.0, to.0]), reach);
    sql.push(" GROUP BY day", vec![]);
    let day = |r: sea_orm::QueryResult| {
        let (day, people): (i64, i64) = (r.try_get_by_index(0)?, r.try_get_by_index(1)?);
        Ok((Day(day), people.unsigned_abs()))
    };
    sql.rows(db).await?.into_iter().map(day).collect()
}

/// How many people opened a page on the day.
pub(crate) async fn readers(db: &impl ConnectionTrait, reach: Reach, day: Day) -> Result<u64, DbErr> {
    let sql = Sql::new("SELECT count(DISTINCT user_id) FROM user_route_day WHERE day = ?", values![day.0]);
    within(sql, reach).number(db).await.map(i64::unsigned_abs)
}

#[derive(FromQueryResult)]
struct PageRow {
    path: String,
    people: i64,
    views: i64,
}

/// The pages that most people opened on the day.
pub(crate) async fn pages(
    db: &impl ConnectionTrait,
    reach: Reach,
    day: Day,
    most: i64,
) -> Result<Vec<PopularPage>, DbErr> {
    let by_route = "SELECT route_id, count(*) AS people FROM user_route_day WHERE day = ?";
    let mut sql = Sql::new("SELECT r.path, p.people, coalesce(v.views, 0) AS views FROM (", vec![]);
    sql.append(within(Sql::new(by_route, values![day.0]), reach));
    sql.push(
        " GROUP BY route_id ORDER BY 2 DESC, 1 LIMIT ?) p JOIN routes r ON r.id = p.route_id \
         LEFT JOIN route_day v ON v.route_id = p.route_id AND v.day = ? AND v.kind = ? ORDER BY p.people DESC, r.path",
        values![most, day.0, PAGE_VIEW],
    );
    let rows: Vec<PageRow> = sql.all(db).await?;
    // Views are counted without their people.
    let of = |views: i64| (reach == Reach::Everything).then_some(views.unsigned_abs());
    let page = |r: PageRow| PopularPage { path: r.path, people: r.people.unsigned_abs(), views: of(r.views) };
    Ok(rows.into_iter().map(page).collect())
}
