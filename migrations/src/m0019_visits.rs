//! Visits as rows, and how long people were active on a day.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::run;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let clustered = match manager.get_database_backend() {
            DbBackend::Postgres => "",
            _ => "WITHOUT ROWID",
        };
        run(manager, &DDL.replace("{clustered}", clustered)).await
    }
}

/// A visit is found by its end: that of somebody who is here is their last. `first_seq` is the number of its first event
/// and `session_id` the session of that. Visits there were are made of the events there are; how long people were active
/// on their days is counted by the server, in its zone, as after a change of zone.
const DDL: &str = "
CREATE TABLE visits (
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    to_at bigint NOT NULL,
    from_at bigint NOT NULL,
    first_seq bigint NOT NULL,
    session_id {uuid} NOT NULL,
    events bigint NOT NULL,
    views bigint NOT NULL,
    actions bigint NOT NULL,
    PRIMARY KEY (user_id, to_at)
) {clustered};
INSERT INTO visits (user_id, from_at, to_at, first_seq, session_id, events, views, actions)
    SELECT user_id, min(at), max(at), first_seq, first_session, count(*),
        sum(CASE WHEN kind = 'page_view' THEN 1 ELSE 0 END), sum(CASE WHEN kind = 'action' THEN 1 ELSE 0 END)
    FROM (
        SELECT user_id, at, kind, visit,
            first_value(seq) OVER (PARTITION BY user_id, visit ORDER BY at, seq) AS first_seq,
            first_value(session_id) OVER (PARTITION BY user_id, visit ORDER BY at, seq) AS first_session
        FROM (
            SELECT user_id, at, seq, kind, session_id, sum(begins) OVER (PARTITION BY user_id ORDER BY at, seq) AS visit
            FROM (
                SELECT user_id, at, seq, kind, session_id,
                    CASE WHEN at - lag(at) OVER (PARTITION BY user_id ORDER BY at, seq) <= 1800000 THEN 0 ELSE 1 END AS begins
                FROM events WHERE user_id IS NOT NULL AND session_id IS NOT NULL AND kind <> 'new_device'
            ) marked
        ) numbered
    ) told
    GROUP BY user_id, visit, first_seq, first_session;
CREATE INDEX visits_from ON visits (from_at, views, actions);
ALTER TABLE user_day ADD COLUMN active_s bigint NOT NULL DEFAULT 0;
UPDATE activity_days SET zone = '', from_day = NULL WHERE EXISTS (SELECT 1 FROM events);
";
