//! Lists of people: one filter for pages, counts, exports and bulk acts, so that they agree.

use domain::{
    Reach, Time, UserId,
    account::{UserCard, UserView},
    people::{AccountRow, UserFilter, UserSort},
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::{
    card,
    list::Plan,
    sql::{Sql, contains, values},
};

/// When somebody signed in last, as it is compared and sorted: 0 for never.
const SIGN_IN: &str = "coalesce(u.last_sign_in_at, 0)";

/// Whom a filter by state is about: presence is in memory, not here.
#[derive(Clone, Debug)]
pub(crate) enum Here {
    Among(Vec<UserId>),
    NotAmong(Vec<UserId>),
}

/// The filter within a reach, as a condition on `users u`. Its state is `here`.
pub(crate) fn condition(backend: DbBackend, reach: Reach, f: &UserFilter, here: Option<Here>) -> Sql {
    let mut sql = Sql::new("1 = 1", vec![]);
    let mut and = |text: &str, values: Vec<Value>| {
        sql.push(" AND ", vec![]).push(text, values);
    };
    match reach {
        Reach::Everything => {}
        Reach::Organisation(id) => and("u.organisation_id = ?", values![id]),
        Reach::Nothing => and("1 = 0", vec![]),
    }
    if let Some(role) = &f.role {
        and("u.role = ?", values![role.as_str()]);
    }
    if let Some(org) = &f.org {
        let (column, value) = id_or_name(org);
        and(&format!("u.organisation_id IN (SELECT id FROM organisations WHERE {column} = ?)"), vec![value]);
    }
    if let Some(team) = &f.team {
        let (column, value) = id_or_name(team);
        let text = format!(
            "u.id IN (SELECT user_id FROM team_members WHERE team_id IN (SELECT id FROM teams WHERE {column} = ?))"
        );
        and(&text, vec![value]);
    }
    match f.disabled {
        Some(true) => and("u.disabled_at IS NOT NULL", vec![]),
        Some(false) => and("u.disabled_at IS NULL", vec![]),
        None => {}
    }
    if let Some(after) = f.signed_in_after {
        and(&format!("{SIGN_IN} >= ?"), values![after.0]);
    }
    if let Some(before) = f.signed_in_before {
        and(&format!("{SIGN_IN} < ?"), values![before.0]);
    }
    if let Some(q) = f.q.as_deref().filter(|q| !q.trim().is_empty()) {
        and(r"u.search LIKE ? ESCAPE '\'", values![contains(q)]);
    }
    match here {
        Some(Here::Among(ids)) => and(&format!("u.id IN {}", listed(backend)), vec![as_list(&ids)]),
        Some(Here::NotAmong(ids)) => and(&format!("u.id NOT IN {}", listed(backend)), vec![as_list(&ids)]),
        None => {}
    }
    sql
}

fn id_or_name(text: &str) -> (&'static str, Value) {
    match Uuid::parse_str(text.trim()) {
        Ok(id) => ("id", Value::from(id)),
        Err(_) => ("name_lower", Value::from(text.trim().to_lowercase())),
    }
}

/// Any number of ids as one value: a statement takes no more than some ten thousand.
fn listed(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "(SELECT CAST(i.value AS uuid) FROM json_array_elements_text(CAST(? AS json)) i)",
        _ => "(SELECT unhex(i.value) FROM json_each(?) i)",
    }
}

fn as_list(ids: &[UserId]) -> Value {
    let quoted: Vec<String> = ids.iter().map(|id| format!("\"{}\"", id.simple())).collect();
    Value::from(format!("[{}]", quoted.join(",")))
}

/// These people, as a condition on `users u`.
pub(crate) fn among(backend: DbBackend, ids: &[UserId]) -> Sql {
    Sql::new(format!("u.id IN {}", listed(backend)), vec![as_list(ids)])
}

/// The value a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Text(String),
    Number(i64),
}

/// Where a page begins: after this row in the order of the list.
#[derive(Clone, Debug)]
pub(crate) struct After {
    pub(crate) key: Key,
    pub(crate) id: Uuid,
}

/// Column and direction.
fn order(sort: UserSort) -> (&'static str, &'static str) {
    match sort {
        UserSort::Name => ("u.search", "ASC"),
        UserSort::Username => ("u.username", "ASC"),
        UserSort::Created => ("u.created_at", "DESC"),
        UserSort::SignIn => (SIGN_IN, "DESC"),
        UserSort::Dormant => (SIGN_IN, "ASC"),
    }
}

#[derive(FromQueryResult)]
struct Rest {
    search: String,
    created_at: i64,
    disabled_at: Option<i64>,
    last_sign_in_at: Option<i64>,
    has_password: bool,
}

/// One page, and the key of its last row.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    condition: Sql,
    sort: UserSort,
    after: Option<After>,
    limit: u32,
    plan: Plan,
) -> Result<Vec<(AccountRow, Key)>, DbErr> {
    let (column, direction) = order(sort);
    // SQLite keeps no statistics: a plus before a column keeps it from using that index.
    let (by, condition) = match (db.get_database_backend(), plan) {
        (DbBackend::Sqlite, Plan::Gather) => (format!("+{column}"), condition),
        (DbBackend::Sqlite, Plan::Walk) => (
            column.to_owned(),
            condition
                .replace("u.role = ", "+u.role = ")
                .replace("u.organisation_id ", "+u.organisation_id ")
                .replace("u.id IN ", "+u.id IN "),
        ),
        _ => (column.to_owned(), condition),
    };
    let mut sql = Sql::new(
        format!(
            "SELECT {}, u.search, u.created_at, u.disabled_at, u.last_sign_in_at, \
             u.password_hash IS NOT NULL AS has_password FROM (SELECT u.* FROM users u WHERE ",
            card::COLUMNS
        ),
        vec![],
    );
    sql.append(condition);
    if let Some(After { key, id }) = after {
        let beyond = if direction == "ASC" { ">" } else { "<" };
        let key = match key {
            Key::Text(text) => Value::from(text),
            Key::Number(n) => Value::from(n),
        };
        sql.push(&format!(" AND ({column}, u.id) {beyond} (?, ?)"), vec![key, Value::from(id)]);
    }
    sql.push(
        &format!(
            " ORDER BY {by} {direction}, u.id {direction} LIMIT ?) u {} ORDER BY {column} {direction}, u.id {direction}",
            card::JOINS
        ),
        values![i64::from(limit)],
    );
    let rows = sql.rows(db).await?;
    let cards = rows.iter().map(|r| card::Row::from_query_result(r, "")).collect::<Result<_, _>>()?;
    let cards = card::complete_all(db, cards).await?;
    rows.iter().zip(&cards).map(|(r, c)| Ok(row(c, Rest::from_query_result(r, "")?, sort))).collect()
}

fn row(card: &UserCard, r: Rest, sort: UserSort) -> (AccountRow, Key) {
    let key = match sort {
        UserSort::Name => Key::Text(r.search),
        UserSort::Username => Key::Text(card.username.clone()),
        UserSort::Created => Key::Number(r.created_at),
        UserSort::SignIn | UserSort::Dormant => Key::Number(r.last_sign_in_at.unwrap_or_default()),
    };
    let row = AccountRow {
        user: UserView::from(card),
        created_at: Time(r.created_at),
        disabled_at: r.disabled_at.map(Time),
        last_sign_in_at: r.last_sign_in_at.map(Time),
        has_password: r.has_password,
        state: None,
    };
    (row, key)
}

/// How many match.
pub(crate) async fn count(db: &impl ConnectionTrait, condition: Sql) -> Result<u64, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM users u WHERE ", vec![]);
    sql.append(condition);
    Ok(sql.number(db).await? as u64)
}

/// The ids of all that match.
pub(crate) async fn ids(db: &impl ConnectionTrait, condition: Sql) -> Result<Vec<UserId>, DbErr> {
    let mut sql = Sql::new("SELECT u.id FROM users u WHERE ", vec![]);
    sql.append(condition);
    sql.rows(db).await?.iter().map(|r| r.try_get_by_index::<Uuid>(0)).collect()
}

/// Tables whose rows go with an account, by what people call them. A table that refers to people without a line here
/// fails a test.
pub(crate) const GOES: &[(&str, &str)] = &[
    ("sessions", "SELECT count(*) FROM sessions WHERE user_id = ?"),
    (
        "session_data",
        "SELECT count(*) FROM session_data WHERE session_id IN (SELECT id FROM sessions WHERE user_id = ?)",
    ),
    ("presence_intervals", "SELECT count(*) FROM presence_intervals WHERE user_id = ?"),
    ("presence_choices", "SELECT count(*) FROM presence_choices WHERE user_id = ?"),
    ("events", "SELECT count(*) FROM events WHERE user_id = ?"),
    ("user_day", "SELECT count(*) FROM user_day WHERE user_id = ?"),
    ("visits", "SELECT count(*) FROM visits WHERE user_id = ?"),
    ("user_route_day", "SELECT count(*) FROM user_route_day WHERE user_id = ?"),
    ("user_first", "SELECT count(*) FROM user_first WHERE user_id = ?"),
    ("preferences", "SELECT count(*) FROM preferences WHERE user_id = ?"),
    ("team_members", "SELECT count(*) FROM team_members WHERE user_id = ?"),
    ("one_time_tokens", "SELECT count(*) FROM one_time_tokens WHERE user_id = ?"),
    ("mails", "SELECT count(*) FROM mails WHERE user_id = ?"),
    ("second_factors", "SELECT count(*) FROM second_factors WHERE user_id = ?"),
    ("backup_codes", "SELECT count(*) FROM backup_codes WHERE user_id = ?"),
    ("uploads", "SELECT count(*) FROM uploads WHERE user_id = ?"),
    ("outputs", "SELECT count(*) FROM outputs WHERE user_id = ?"),
    ("upload_subscriptions", "SELECT count(*) FROM upload_subscriptions WHERE user_id = ?"),
    ("report_schedules", "SELECT count(*) FROM report_schedules WHERE user_id = ?"),
    ("reports", "SELECT count(*) FROM reports WHERE user_id = ?"),
    ("notices", "SELECT count(*) FROM notices WHERE user_id = ?"),
];
