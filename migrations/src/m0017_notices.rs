//! Who asked to be told of uploads, and what they were told of.

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

/// A subscription without organisation and workflow is for all that its person may see; `at_minute` is the minute of the
/// day of a daily mail. A notice says only which upload: what may be said of it is decided when it is read. One with
/// `digest_at` waits for the mail that is written then; `mail_id` is the mail that tells of it. The index of mails finds the
/// last one of a kind to a person.
const DDL: &str = "
CREATE TABLE upload_subscriptions (
    id {uuid} NOT NULL PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    org_id {uuid} REFERENCES organisations (id) ON DELETE CASCADE,
    workflow text,
    mail text NOT NULL,
    at_minute bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX upload_subscriptions_user ON upload_subscriptions (user_id);
CREATE INDEX upload_subscriptions_org ON upload_subscriptions (org_id);
CREATE TABLE notices (
    id {uuid} NOT NULL PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    upload_id {uuid} NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    subscription_id {uuid} REFERENCES upload_subscriptions (id) ON DELETE SET NULL,
    mail_id {uuid} REFERENCES mails (id) ON DELETE SET NULL,
    created_at bigint NOT NULL,
    digest_at bigint,
    read_at bigint
);
CREATE UNIQUE INDEX notices_once ON notices (upload_id, user_id);
CREATE INDEX notices_user ON notices (user_id, id);
CREATE INDEX notices_unread ON notices (user_id, upload_id) WHERE read_at IS NULL;
CREATE INDEX notices_read ON notices (read_at) WHERE read_at IS NOT NULL;
CREATE INDEX notices_at ON notices (created_at);
CREATE INDEX notices_digest ON notices (digest_at, user_id) WHERE digest_at IS NOT NULL;
CREATE INDEX notices_subscription ON notices (subscription_id) WHERE subscription_id IS NOT NULL;
CREATE INDEX notices_mail ON notices (mail_id) WHERE mail_id IS NOT NULL;
DROP INDEX mails_user;
CREATE INDEX mails_user ON mails (user_id, kind, created_at);
";
