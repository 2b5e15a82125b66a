//! Reports, and the schedules that ask for them.

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

/// `next_at` is when a schedule is due; whoever makes its report moves it in the same transaction, and `due_at` says for
/// which time it was made, so that two servers never make two. A report that runs is its server's (`taken_by`) as long as
/// that renews `taken_until`; when it stops doing so, another takes it. `reach_id` is the organisation beyond which whoever
/// asked could not see when it was made. A report holds no word of its rows: they are in the
/// output, which goes by its own retention.
const DDL: &str = "
CREATE TABLE report_schedules (
    id {uuid} NOT NULL PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    org_id {uuid} REFERENCES organisations (id) ON DELETE CASCADE,
    subject text NOT NULL,
    format text NOT NULL,
    every text NOT NULL,
    at_minute bigint NOT NULL,
    mail boolean NOT NULL,
    next_at bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX report_schedules_user ON report_schedules (user_id);
CREATE INDEX report_schedules_org ON report_schedules (org_id);
CREATE INDEX report_schedules_next ON report_schedules (next_at);
CREATE TABLE reports (
    id {uuid} NOT NULL PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    org_id {uuid} REFERENCES organisations (id) ON DELETE CASCADE,
    reach_id {uuid},
    schedule_id {uuid} REFERENCES report_schedules (id) ON DELETE SET NULL,
    due_at bigint,
    output_id {uuid} REFERENCES outputs (id) ON DELETE SET NULL,
    subject text NOT NULL,
    format text NOT NULL,
    from_at bigint NOT NULL,
    to_at bigint NOT NULL,
    first_day text NOT NULL,
    last_day text NOT NULL,
    state text NOT NULL,
    rows_done bigint NOT NULL,
    rows_total bigint,
    tries bigint NOT NULL,
    taken_by {uuid},
    taken_until bigint NOT NULL,
    problem text,
    mail boolean NOT NULL,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    ended_at bigint
);
CREATE INDEX reports_user ON reports (user_id, id);
CREATE INDEX reports_org ON reports (org_id) WHERE org_id IS NOT NULL;
CREATE UNIQUE INDEX reports_once ON reports (schedule_id, due_at);
CREATE INDEX reports_output ON reports (output_id) WHERE output_id IS NOT NULL;
CREATE INDEX reports_open ON reports (taken_until, id) WHERE state IN ('waiting', 'running');
CREATE INDEX reports_ended ON reports (ended_at) WHERE ended_at IS NOT NULL;
";
