//! Failed sign-ins, counted by the throttle, and one-time tokens for set-up and password resets.

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

/// `account` is a hash of the name that was tried: people type passwords into the wrong box.
const DDL: &str = "
CREATE TABLE sign_in_failures (
    id {uuid} NOT NULL PRIMARY KEY,
    account {bytes} NOT NULL,
    ip text NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX sign_in_failures_account ON sign_in_failures (account, at);
CREATE INDEX sign_in_failures_ip ON sign_in_failures (ip, at);
CREATE INDEX sign_in_failures_at ON sign_in_failures (at);
CREATE TABLE one_time_tokens (
    hash {bytes} NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
    created_at bigint NOT NULL,
    expires_at bigint
);
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id);
";
