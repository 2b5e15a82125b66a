//! Files: uploads and outputs are two tables of one shape. What is not to be kept is in a third.

use domain::{
    Reach, Time, UserId,
    files::{File, FileFilter, OfDay, OfUser, OfWorkflow, Summary},
    time::DAY,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::sql::{Sql, contains, values};

/// Rows of a sum by person or workflow, and days.
const GROUPS_MAX: i64 = 50;
const DAYS_MAX: i64 = 366;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Uploads,
    Outputs,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Outputs => "outputs",
        }
    }

    /// The column of what a file is filed under.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Uploads => "workflow",
            Self::Outputs => "source",
        }
    }
}

/// A row about to be written.
pub(crate) struct New<'a> {
    pub(crate) id: Uuid,
    pub(crate) user: UserId,
    pub(crate) name: &'a str,
    pub(crate) label: Option<&'a str>,
    pub(crate) content_type: &'a str,
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) at: Time,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, table: Table, new: New<'_>) -> Result<(), DbErr> {
    let text = format!(
        "INSERT INTO {} (id, user_id, name, search, {}, content_type, size, sha256, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        table.name(),
        table.label()
    );
    let (search, hash) = (new.name.to_lowercase(), new.sha256.to_vec());
    let size = new.size as i64;
    let values = values![new.id, new.user, new.name, search, new.label, new.content_type, size, hash, new.at.0];
    Sql::new(text, values).run(db).await.map(|_| ())
}

#[derive(FromQueryResult)]
pub(super) struct Row {
    id: Uuid,
    user_id: Uuid,
    username: String,
    user_name: String,
    organisation_id: Option<Uuid>,
    name: String,
    label: Option<String>,
    content_type: String,
    size: i64,
    sha256: Vec<u8>,
    created_at: i64,
}

impl From<Row> for File {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            user_id: r.user_id,
            username: r.username,
            user_name: r.user_name,
            organisation: r.organisation_id,
            name: r.name,
            label: r.label,
            content_type: r.content_type,
            size: r.size as u64,
            sha256: data_encoding::HEXLOWER.encode(&r.sha256),
            created_at: Time(r.created_at),
        }
    }
}

/// The columns of a row, of a table `f` joined with `users u`.
pub(super) fn columns(table: Table) -> String {
    format!(
        "f.id, f.user_id, u.username, u.name AS user_name, u.organisation_id, f.name, f.{} AS label, f.content_type, \
         f.size, f.sha256, f.created_at",
        table.label()
    )
}

fn select(table: Table) -> Sql {
    let text = format!("SELECT {} FROM {} f JOIN users u ON u.id = f.user_id WHERE ", columns(table), table.name());
    Sql::new(text, vec![])
}

/// The filter within a reach, as a condition on a table `f` joined with `users u`.
pub(crate) fn condition(table: Table, reach: Reach, own: Option<UserId>, f: &FileFilter) -> Sql {
    let mut sql = Sql::new("1 = 1", vec![]);
    let mut and = |text: &str, value: Value| {
        sql.push(" AND ", vec![]).push(text, vec![value]);
    };
    match (own, reach) {
        (Some(id), _) => and("f.user_id = ?", id.into()),
        (None, Reach::Everything) => {}
        (None, Reach::Organisation(id)) => {
            and("u.organisation_id = ?", id.into());
            if table == Table::Outputs {
                // A report of more than they may see is not theirs, whoever of their people asked for it.
                let beyond =
                    "SELECT r.output_id FROM reports r WHERE r.output_id = f.id AND r.reach_id IS DISTINCT FROM ?";
                and(&format!("NOT EXISTS ({beyond})"), id.into());
            }
        }
        (None, Reach::Nothing) => and("1 = ?", 0.into()),
    }
    if let Some(id) = f.organisation {
        and("u.organisation_id = ?", id.into());
    }
    if let Some(user) = &f.user {
        and("f.user_id IN (SELECT id FROM users WHERE username = ?)", user.trim().to_lowercase().into());
    }
    if let Some(label) = &f.label {
        and(&format!("f.{} = ?", table.label()), label.as_str().into());
    }
    if let Some(kind) = &f.kind {
        if kind.contains('/') {
            and("f.content_type = ?", kind.as_str().into());
        } else {
            let pattern = contains(kind);
            and(r"f.content_type LIKE ? ESCAPE '\'", format!("{}/%", pattern.trim_matches('%')).into());
        }
    }
    if let Some(n) = f.min_size {
        and("f.size >= ?", i64::try_from(n).unwrap_or(i64::MAX).into());
    }
    if let Some(n) = f.max_size {
        and("f.size <= ?", i64::try_from(n).unwrap_or(i64::MAX).into());
    }
    if let Some(from) = f.from {
        and("f.created_at >= ?", from.0.into());
    }
    if let Some(to) = f.to {
        and("f.created_at < ?", to.0.into());
    }
    if let Some(q) = f.q.as_deref().filter(|q| !q.trim().is_empty()) {
        and(r"f.search LIKE ? ESCAPE '\'", contains(q).into());
    }
    sql
}

/// The newest first, those before `after`.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    table: Table,
    condition: Sql,
    after: Option<(Time, Uuid)>,
    limit: u32,
) -> Result<Vec<File>, DbErr> {
    let mut sql = select(table);
    sql.append(condition);
    if let Some((at, id)) = after {
        sql.push(" AND (f.created_at, f.id) < (?, ?)", values![at.0, id]);
    }
    sql.push(" ORDER BY f.created_at DESC, f.id DESC LIMIT ?", values![i64::from(limit)]);
    Ok(sql.all::<Row>(db).await?.into_iter().map(File::from).collect())
}

pub(crate) async fn one(db: &impl ConnectionTrait, table: Table, id: Uuid) -> Result<Option<File>, DbErr> {
    let mut sql = select(table);
    sql.push("f.id = ?", values![id]);
    Ok(sql.one::<Row>(db).await?.map(File::from))
}

#[derive(FromQueryResult)]
struct Group {
    word: Option<String>,
    n: i64,
    bytes: i64,
}

/// Exact sums over what matches.
pub(crate) async fn summary(db: &impl ConnectionTrait, table: Table, condition: &Sql) -> Result<Summary, DbErr> {
    let of = |word: &str, rest: &str| {
        let mut sql = Sql::new(
            format!(
                "SELECT {word} AS word, count(*) AS n, CAST(coalesce(sum(f.size), 0) AS bigint) AS bytes FROM {} f \
                 JOIN users u ON u.id = f.user_id WHERE ",
                table.name()
            ),
            vec![],
        );
        sql.append(condition.clone()).push(rest, vec![]);
        sql
    };
    let most = format!(" ORDER BY n DESC, word LIMIT {GROUPS_MAX}");
    let label = format!("f.{}", table.label());
    let total: Option<Group> = of("CAST(NULL AS text)", "").one(db).await?;
    let users: Vec<Group> = of("u.username", &format!(" GROUP BY u.username{most}")).all(db).await?;
    let labels: Vec<Group> = of(&label, &format!(" GROUP BY {label}{most}")).all(db).await?;
    let day = format!("CAST(f.created_at / {DAY} AS text)");
    let days = format!(" GROUP BY f.created_at / {DAY} ORDER BY f.created_at / {DAY} DESC LIMIT {DAYS_MAX}");
    let mut days: Vec<Group> = of(&day, &days).all(db).await?;
    days.reverse();
    let day = |g: &Group| g.word.as_deref().and_then(|d| d.parse().ok()).map(|d: i64| Time(d * DAY).exact());
    Ok(Summary {
        total: total.as_ref().map_or(0, |t| t.n as u64),
        bytes: total.as_ref().map_or(0, |t| t.bytes as u64),
        by_user: users
            .into_iter()
            .map(|g| OfUser { username: g.word.unwrap_or_default(), count: g.n as u64, bytes: g.bytes as u64 })
            .collect(),
        by_workflow: labels
            .into_iter()
            .map(|g| OfWorkflow { workflow: g.word, count: g.n as u64, bytes: g.bytes as u64 })
            .collect(),
        by_day: days
            .iter()
            .map(|g| OfDay {
                day: day(g).unwrap_or_default().chars().take(10).collect(),
                count: g.n as u64,
                bytes: g.bytes as u64,
            })
            .collect(),
    })
}

pub(crate) async fn count(db: &impl ConnectionTrait, table: Table, condition: Sql) -> Result<u64, DbErr> {
    let text = format!("SELECT count(*) FROM {} f JOIN users u ON u.id = f.user_id WHERE ", table.name());
    let mut sql = Sql::new(text, vec![]);
    sql.append(condition);
    Ok(sql.number(db).await? as u64)
}

/// Bytes of all uploads, or of all outputs, of a person.
pub(crate) async fn used(db: &impl ConnectionTrait, table: Table, user: UserId) -> Result<u64, DbErr> {
    let text = format!("SELECT CAST(coalesce(sum(size), 0) AS bigint) FROM {} WHERE user_id = ?", table.name());
    Ok(Sql::new(text, values![user]).number(db).await? as u64)
}

/// Labels in use, those of the newest files first.
pub(crate) async fn labels(
    db: &impl ConnectionTrait,
    table: Table,
    condition: Sql,
    limit: u32,
) -> Result<Vec<String>, DbErr> {
    let (name, label) = (table.name(), table.label());
    let mut sql = Sql::new(
        format!("SELECT f.{label} FROM {name} f JOIN users u ON u.id = f.user_id WHERE f.{label} IS NOT NULL AND "),
        vec![],
    );
    sql.append(condition);
    sql.push(&format!(" GROUP BY f.{label} ORDER BY max(f.created_at) DESC LIMIT ?"), values![i64::from(limit)]);
    sql.rows(db).await?.iter().map(|r| r.try_get_by_index(0)).collect()
}

/// The names of the last `n` uploads of everybody, or of one person, newest first.
pub(crate) async fn recent(
    db: &impl ConnectionTrait,
    of: Option<UserId>,
    n: u32,
) -> Result<Vec<(UserId, String)>, DbErr> {
    let which = if of.is_some() { "WHERE user_id = ?" } else { "" };
    let text = format!(
        "SELECT user_id, name FROM (SELECT user_id, name, created_at, id, row_number() OVER \
         (PARTITION BY user_id ORDER BY created_at DESC, id DESC) AS n FROM uploads {which}) r WHERE n <= ? \
         ORDER BY created_at DESC, id DESC"
    );
    let mut values = of.map(|id| values![id]).unwrap_or_default();
    values.push(i64::from(n).into());
    let rows = Sql::new(text, values).rows(db).await?;
    rows.iter().map(|r| Ok((r.try_get_by_index(0)?, r.try_get_by_index(1)?))).collect()
}

/// Deletes a row; a trigger says that its file is not to be kept.
pub(crate) async fn delete(db: &impl ConnectionTrait, table: Table, id: Uuid) -> Result<bool, DbErr> {
    let text = format!("DELETE FROM {} WHERE id = ?", table.name());
    Ok(Sql::new(text, values![id]).run(db).await? == 1)
}

/// Deletes outputs made before; how many.
pub(crate) async fn delete_old_outputs(db: &impl ConnectionTrait, before: Time, limit: u32) -> Result<u64, DbErr> {
    let text = "DELETE FROM outputs WHERE id IN (SELECT id FROM outputs WHERE created_at <= ? LIMIT ?)";
    Sql::new(text, values![before.0, i64::from(limit)]).run(db).await
}

/// A file is about to be put in its place, and not to be kept until there is a row for it.
pub(crate) async fn expect(db: &impl ConnectionTrait, id: Uuid, at: Time) -> Result<(), DbErr> {
    Sql::new("INSERT INTO unkept_files (id, at) VALUES (?, ?)", values![id, at.0]).run(db).await.map(|_| ())
}

/// A file has its row now, or is gone.
pub(crate) async fn settled(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Sql::new("DELETE FROM unkept_files WHERE id = ?", values![id]).run(db).await.map(|_| ())
}

pub(crate) async fn unkept(db: &impl ConnectionTrait, limit: u32) -> Result<Vec<Uuid>, DbErr> {
    let rows = Sql::new("SELECT id FROM unkept_files ORDER BY id LIMIT ?", values![i64::from(limit)]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}

/// Whether a file is one of those still.
pub(crate) async fn is_unkept(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Sql::new("SELECT count(*) FROM unkept_files WHERE id = ?", values![id]).number(db).await? > 0)
}

/// The ids of all files that have a row.
pub(crate) async fn have_rows(db: &impl ConnectionTrait) -> Result<Vec<Uuid>, DbErr> {
    let rows = Sql::new("SELECT id FROM uploads UNION ALL SELECT id FROM outputs", vec![]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}
