//! The rows of the audit log and its head. What is in them, and why, is in `crate::audit`.

use domain::Time;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};

use super::sql::{Sql, contains, run_all, values};

/// A row as it is stored.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) action: String,
    pub(crate) subject_kind: String,
    pub(crate) actor: String,
    pub(crate) subject: Option<String>,
    /// JSON text.
    pub(crate) details: Option<String>,
    pub(crate) ip: Option<String>,
    pub(crate) salts: Vec<u8>,
    pub(crate) seals: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

impl Row {
    /// What it says of people, in the order of the salts and seals.
    pub(crate) fn texts(&self) -> [Option<&str>; 4] {
        [Some(&self.actor), self.subject.as_deref(), self.details.as_deref(), self.ip.as_deref()]
    }
}

const COLUMNS: &str = "seq, at, action, subject_kind, actor, subject, details, ip, salts, seals, hash";

/// The newest entry's number and hash.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Vec<u8>,
}

pub(crate) async fn head(db: &impl ConnectionTrait) -> Result<Head, DbErr> {
    let head = Sql::new("SELECT seq, hash FROM audit_head", vec![]).one(db).await?;
    head.ok_or_else(|| DbErr::RecordNotFound("the head of the audit log".to_owned()))
}

/// The number of the entry about to be written, and the hash of the one before it. From here to the end of the
/// transaction nobody else adds an entry.
pub(crate) async fn advance(txn: &DatabaseTransaction) -> Result<Head, DbErr> {
    let head = Sql::new("UPDATE audit_head SET seq = seq + 1 RETURNING seq, hash", vec![]).one(txn).await?;
    head.ok_or_else(|| DbErr::RecordNotFound("the head of the audit log".to_owned()))
}

/// Writes an entry and makes it the head.
pub(crate) async fn insert(txn: &DatabaseTransaction, row: Row) -> Result<(), DbErr> {
    let text = format!("INSERT INTO audit ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let Row { seq, at, action, subject_kind, actor, subject, details, ip, salts, seals, hash } = row;
    let values = values![seq, at, action, subject_kind, actor, subject, details, ip, salts, seals, hash.clone()];
    run_all(txn, [Sql::new(text, values), Sql::new("UPDATE audit_head SET hash = ?", values![hash])]).await.map(drop)
}

/// Puts other texts and salts into a row: for an erasure, and for nothing else.
pub(crate) async fn replace(txn: &DatabaseTransaction, row: &Row) -> Result<(), DbErr> {
    let text = "UPDATE audit SET actor = ?, subject = ?, details = ?, ip = ?, salts = ? WHERE seq = ?";
    let (actor, subject, details, ip) = (&*row.actor, row.subject.clone(), row.details.clone(), row.ip.clone());
    Sql::new(text, values![actor, subject, details, ip, row.salts.clone(), row.seq]).run(txn).await.map(|_| ())
}

/// Entries with numbers after `seq`, oldest first.
pub(crate) async fn after(db: &impl ConnectionTrait, seq: i64, limit: i64) -> Result<Vec<Row>, DbErr> {
    let text = format!("SELECT {COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?");
    Sql::new(text, values![seq, limit]).all(db).await
}

/// Which entries are asked for; what is not said is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// A username, `operator`, `system` or `anonymous`.
    pub actor: Option<String>,
    pub action: Option<String>,
    /// A username or an id.
    pub subject: Option<String>,
    pub from: Option<Time>,
    /// Up to, and without.
    pub to: Option<Time>,
    /// Part of anything an entry says.
    pub q: Option<String>,
}

fn condition(f: &AuditFilter) -> Sql {
    let mut sql = Sql::new("1 = 1", vec![]);
    for (column, wanted) in [("actor", &f.actor), ("subject", &f.subject)] {
        if let Some(wanted) = wanted {
            sql.push(&format!(" AND {column} = ?"), values![wanted.trim().to_lowercase()]);
        }
    }
    if let Some(action) = &f.action {
        sql.push(" AND action = ?", values![action.as_str()]);
    }
    if let Some(from) = f.from {
        sql.push(" AND at >= ?", values![from.0]);
    }
    if let Some(to) = f.to {
        sql.push(" AND at < ?", values![to.0]);
    }
    if let Some(q) = f.q.as_deref().filter(|q| !q.trim().is_empty()) {
        let columns = ["actor", "action", "coalesce(subject, '')", "coalesce(details, '')", "coalesce(ip, '')"];
        let any: Vec<String> = columns.iter().map(|c| format!(r"lower({c}) LIKE ? ESCAPE '\'")).collect();
        sql.push(&format!(" AND ({})", any.join(" OR ")), vec![contains(q).into(); columns.len()]);
    }
    sql
}

/// A page of the list, newest first, of entries with numbers before `before`.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Row>, DbErr> {
    let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM audit WHERE "), vec![]);
    sql.append(condition(filter));
    if let Some(before) = before {
        sql.push(" AND seq < ?", values![before]);
    }
    sql.push(" ORDER BY seq DESC LIMIT ?", values![i64::from(limit)]);
    sql.all(db).await
}

/// Matching entries after `seq`, oldest first: for an export.
pub(crate) async fn matching(
    db: &impl ConnectionTrait,
    filter: &AuditFilter,
    seq: i64,
    limit: u32,
) -> Result<Vec<Row>, DbErr> {
    let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM audit WHERE "), vec![]);
    sql.append(condition(filter));
    sql.push(" AND seq > ? ORDER BY seq LIMIT ?", values![seq, i64::from(limit)]);
    sql.all(db).await
}

pub(crate) async fn count(db: &impl ConnectionTrait, filter: &AuditFilter) -> Result<u64, DbErr> {
    let mut sql = Sql::new("SELECT count(*) FROM audit WHERE ", vec![]);
    sql.append(condition(filter));
    Ok(sql.number(db).await? as u64)
}

/// Every action there is, for a list to choose from.
pub(crate) async fn actions(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    // One step in the index for each, however many rows there are.
    let text = "WITH RECURSIVE a (action) AS (SELECT min(action) FROM audit UNION ALL \
                SELECT (SELECT min(audit.action) FROM audit WHERE audit.action > a.action) FROM a WHERE a.action IS NOT NULL) \
                SELECT action FROM a WHERE action IS NOT NULL";
    let rows = Sql::new(text, vec![]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}
