//! Who was here, in which state, from when to when, and why.

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

/// A person's intervals follow each other and never overlap, so whoever was here at a time is found in the last that
/// began before it: one step in an index per person, however long the history is.
///
/// What lasts when a server dies ends at its last proof of life, which is the value of a counter: one row for everybody.
/// A session may be forgotten before what was done in it.
const DDL: &str = "
CREATE TABLE presence_intervals (
    id {uuid} NOT NULL PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    state text NOT NULL,
    invisible boolean NOT NULL,
    from_at bigint NOT NULL,
    to_at bigint,
    cause text NOT NULL,
    end_cause text,
    session_id {uuid},
    pages text NOT NULL
);
-- Who was here at a time, and one person's day.
CREATE INDEX presence_intervals_user ON presence_intervals (user_id, from_at, id);
-- Retention, and those that last, which the next start closes after a crash.
CREATE INDEX presence_intervals_end ON presence_intervals (to_at);
INSERT INTO counters (name, value) VALUES ('presence_proved_at', 0);
";
