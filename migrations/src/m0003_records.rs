//! What is written down: events, the audit log, settings.

use sea_orm_migration::prelude::*;

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
        run(manager, DDL).await
    }
}

/// Audit rows name people by what they were called, so that they outlive the accounts; events go with their user.
const DDL: &str = "
CREATE TABLE events (
    id {uuid} NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    kind text NOT NULL,
    user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
    session_id {uuid},
    ip text,
    details text
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_user ON events (user_id, at);
CREATE INDEX events_ip ON events (at) WHERE ip IS NOT NULL;
CREATE TABLE audit (
    id {uuid} NOT NULL PRIMARY KEY,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject text,
    details text,
    ip text
);
CREATE INDEX audit_at ON audit (at);
CREATE TABLE settings (
    key text NOT NULL PRIMARY KEY,
    value text NOT NULL,
    updated_at bigint NOT NULL
);
";
