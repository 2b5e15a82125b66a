//! Mails on their way out, and second factors.

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

/// A mail's `body` and a second factor's `secret` are sealed (the key's id stands beside them): the one may hold a link,
/// and is gone once the mail is sent. A mail without `next_try_at` is sent or given up; after `good_until` it says nothing
/// of use any more. `last_step` is the newest step whose code was used.
const DDL: &str = "
CREATE TABLE mails (
    id {uuid} NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
    recipient text NOT NULL,
    subject text NOT NULL,
    body text,
    body_key text,
    created_at bigint NOT NULL,
    good_until bigint,
    next_try_at bigint,
    tries bigint NOT NULL,
    last_error text,
    sent_at bigint
);
CREATE INDEX mails_due ON mails (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX mails_done ON mails (created_at) WHERE next_try_at IS NULL;
CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_sealed ON mails (body_key);
CREATE TABLE second_factors (
    user_id {uuid} NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret text NOT NULL,
    secret_key text NOT NULL,
    created_at bigint NOT NULL,
    confirmed_at bigint,
    last_step bigint NOT NULL
);
CREATE INDEX second_factors_sealed ON second_factors (secret_key);
CREATE TABLE backup_codes (
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash {bytes} NOT NULL,
    PRIMARY KEY (user_id, hash)
);
";
