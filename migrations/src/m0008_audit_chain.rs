//! The audit log becomes a chain.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, QueryResult, Statement, TryGetable, Value},
};
use sha2::{Digest, Sha256};

use crate::run;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        // SQLite would otherwise keep the first half of a migration that fails.
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DDL).await?;
        chain_old_rows(manager).await?;
        run(manager, "DROP TABLE audit_unchained").await?;
        run(manager, if is_postgres(manager) { POSTGRES } else { SQLITE }).await
    }
}

fn is_postgres(manager: &SchemaManager) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}

/// `salts` holds 16 bytes and `seals` 32 for each of actor, subject, details and ip, in this order; see
/// `services::audit::chain`. `audit_head` is one row: the number and the hash of the newest entry.
const DDL: &str = "
ALTER TABLE audit RENAME TO audit_unchained;
DROP INDEX audit_at;
CREATE TABLE audit (
    seq bigint NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    action text NOT NULL,
    subject_kind text NOT NULL,
    actor text NOT NULL,
    subject text,
    details text,
    ip text,
    salts {bytes} NOT NULL,
    seals {bytes} NOT NULL,
    hash {bytes} NOT NULL
);
-- Filters of the list, whose order is that of the numbers.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_subject ON audit (subject, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE TABLE audit_head (
    seq bigint NOT NULL,
    hash {bytes} NOT NULL
);
";

/// A slip of ours must not rewrite what happened; only an erasure may replace what it says of people. Whoever may drop
/// a trigger may drop these: against them there is the chain.
const SQLITE: &str = "
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
CREATE TRIGGER audit_fixed BEFORE UPDATE OF seq, at, action, subject_kind, seals, hash ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
";
const POSTGRES: &str = "
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END $$;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_fixed BEFORE UPDATE OF seq, at, action, subject_kind, seals, hash ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
";

/// Rows fetched at a time.
const BATCH: i64 = 10_000;

/// Entries from before are numbered and sealed in the order in which they were written. The encoding is that of
/// `services::audit::chain` as it was when this shipped; a test verifies the one with the other.
async fn chain_old_rows(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (db, backend) = (manager.get_connection(), manager.get_database_backend());
    let (mut seq, mut hash) = (0_i64, [0_u8; 32]);
    loop {
        let text = "SELECT at, action, subject_kind, actor, subject, details, ip FROM audit_unchained ORDER BY at, id LIMIT $1 OFFSET $2";
        let page = Statement::from_sql_and_values(backend, text, [BATCH.into(), seq.into()]);
        let rows = db.query_all_raw(page).await?;
        for row in &rows {
            seq += 1;
            hash = chain(row, seq, &hash, db, backend).await?;
        }
        if rows.len() < BATCH as usize {
            break;
        }
    }
    let head = "INSERT INTO audit_head (seq, hash) VALUES ($1, $2)";
    db.execute_raw(Statement::from_sql_and_values(backend, head, [seq.into(), hash.to_vec().into()])).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "services, which everybody else asks, are built upon this")]
async fn chain(
    row: &QueryResult,
    seq: i64,
    previous: &[u8; 32],
    db: &SchemaManagerConnection<'_>,
    backend: DbBackend,
) -> Result<[u8; 32], DbErr> {
    fn get<T: TryGetable>(row: &QueryResult, i: usize) -> Result<T, DbErr> {
        row.try_get_by_index(i)
    }
    let (at, action, kind): (i64, String, String) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
    let texts: [Option<String>; 4] = [Some(get(row, 3)?), get(row, 4)?, get(row, 5)?, get(row, 6)?];
    let mut salts = [0; 64];
    getrandom::fill(&mut salts).map_err(|e| DbErr::Custom(e.to_string()))?;
    let mut seals = vec![];
    for (field, (salt, text)) in salts.chunks(16).zip(&texts).enumerate() {
        let seal = Sha256::new().chain_update(salt).chain_update([field as u8, u8::from(text.is_some())]);
        seals.extend(seal.chain_update(text.as_deref().unwrap_or_default()).finalize());
    }
    let mut link = Sha256::new().chain_update("rollcall audit 1").chain_update(previous);
    link.update(seq.to_be_bytes());
    link.update(at.to_be_bytes());
    for text in [&action, &kind] {
        link.update((text.len() as u64).to_be_bytes());
        link.update(text);
    }
    let hash: [u8; 32] = link.chain_update(&seals).finalize().into();
    let [actor, subject, details, ip] = texts;
    let values: [Value; 11] = [
        seq.into(),
        at.into(),
        action.into(),
        kind.into(),
        actor.into(),
        subject.into(),
        details.into(),
        ip.into(),
        salts.to_vec().into(),
        seals.into(),
        hash.to_vec().into(),
    ];
    let insert = "INSERT INTO audit (seq, at, action, subject_kind, actor, subject, details, ip, salts, seals, hash) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    db.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await?;
    Ok(hash)
}
