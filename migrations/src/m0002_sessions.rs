//! Sessions, the values kept with them, and the record of endings that other processes follow.

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

/// `expires_at` is the earlier of last activity + idle and the absolute end, kept by every writer, so that "live" is a
/// comparison with one indexed column.
///
/// `endings` holds one row for each session that somebody ended within the last hour, numbered in the order of commits
/// (`counters` is raised inside the transaction, and writers queue), so that a process that remembers the last number
/// it read can miss none.
const DDL: &str = "
CREATE TABLE sessions (
    id {uuid} NOT NULL PRIMARY KEY,
    token_hash {bytes} NOT NULL UNIQUE,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at bigint NOT NULL,
    last_activity_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    idle_ms bigint NOT NULL,
    absolute_expires_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    fresh_until bigint NOT NULL,
    remembered boolean NOT NULL,
    connected boolean NOT NULL,
    ip text,
    browser text NOT NULL,
    os text NOT NULL,
    device text NOT NULL,
    ended_at bigint,
    ended_reason text,
    ended_by text
);
-- Counts of live sessions and the clean-up read this one alone.
CREATE INDEX sessions_live ON sessions (expires_at, user_id, created_at) WHERE ended_at IS NULL;
-- First pages, newest or most recently active first.
CREATE INDEX sessions_started ON sessions (created_at, id);
CREATE INDEX sessions_active ON sessions (last_activity_at, id);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_ip ON sessions (ip, created_at);
-- Those who were connected at the last proof of life.
CREATE INDEX sessions_connected ON sessions (id) WHERE connected AND ended_at IS NULL;
-- Retention, and the average length.
CREATE INDEX sessions_ended ON sessions (ended_at, created_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_ended_ip ON sessions (ended_at) WHERE ended_at IS NOT NULL AND ip IS NOT NULL;
-- The median length.
CREATE INDEX sessions_length ON sessions ((ended_at - created_at)) WHERE ended_at IS NOT NULL;
CREATE TABLE session_data (
    session_id {uuid} NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    key text NOT NULL,
    value text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (session_id, key)
);
CREATE TABLE counters (
    name text NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO counters (name, value) VALUES ('endings', 0);
CREATE TABLE endings (
    seq bigint NOT NULL,
    session_id {uuid} NOT NULL,
    reason text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (seq, session_id)
);
CREATE INDEX endings_at ON endings (at);
";
