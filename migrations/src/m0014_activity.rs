//! Events with a number, the pages they are about, and what is counted of them as they are written.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

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
        // SQLite keeps rows in the order of an integer key, and those of other keys twice unless told otherwise.
        let (key, clustered, nobody) = match manager.get_database_backend() {
            DbBackend::Postgres => ("bigint", "", "'00000000-0000-0000-0000-000000000000'"),
            _ => ("integer", "WITHOUT ROWID", "zeroblob(16)"),
        };
        let ddl = DDL.replace("{key}", key).replace("{clustered}", clustered).replace("{nobody}", nobody);
        run(manager, &ddl).await
    }
}

/// `seq` is given out from a row of `counters`, so that it grows with the time of writing on whatever process, and an
/// event that is written twice is known by it. `org_id` is the organisation of then; rows of `event_15m` hold the nil id
/// where there was none. `day` counts from 1970-01-01 in the zone of `activity_days`; rows from before this migration
/// are counted by days of UTC, until the server's zone is another and the days are counted anew. No foreign keys but
/// those by which a person's rows go with the person: the rest is never deleted before the events.
const DDL: &str = "
CREATE TABLE new_events (
    seq {key} NOT NULL PRIMARY KEY,
    id {uuid} NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
    session_id {uuid},
    route_id bigint,
    org_id {uuid},
    dur_ms bigint,
    ip text,
    details text
);
INSERT INTO new_events (seq, id, at, kind, user_id, session_id, org_id, ip, details)
    SELECT row_number() OVER (ORDER BY e.at, e.id), e.id, e.at, e.kind, e.user_id, e.session_id, u.organisation_id, e.ip, e.details
    FROM events e LEFT JOIN users u ON u.id = e.user_id;
DROP TABLE events;
ALTER TABLE new_events RENAME TO events;
INSERT INTO counters (name, value) SELECT 'events', count(*) FROM events;
CREATE INDEX events_at ON events (at);
CREATE INDEX events_user ON events (user_id, at);
CREATE INDEX events_kind ON events (kind, at);
CREATE INDEX events_session ON events (session_id, at);
CREATE INDEX events_route ON events (route_id, at) WHERE route_id IS NOT NULL;
CREATE INDEX events_org ON events (org_id, at) WHERE org_id IS NOT NULL;
-- Addresses that are to be blanked.
CREATE INDEX events_ip ON events (at) WHERE ip IS NOT NULL;
CREATE TABLE routes (
    id bigint NOT NULL PRIMARY KEY,
    path text NOT NULL UNIQUE
);
CREATE TABLE event_15m (
    slot bigint NOT NULL,
    org_id {uuid} NOT NULL,
    kind text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (slot, org_id, kind)
) {clustered};
CREATE INDEX event_15m_org ON event_15m (org_id, slot, n);
CREATE TABLE route_day (
    day bigint NOT NULL,
    route_id bigint NOT NULL,
    kind text NOT NULL,
    views bigint NOT NULL,
    PRIMARY KEY (day, route_id, kind)
) {clustered};
CREATE TABLE user_day (
    day bigint NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    first_seq bigint NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (day, user_id)
) {clustered};
CREATE INDEX user_day_user ON user_day (user_id, day);
CREATE TABLE user_route_day (
    day bigint NOT NULL,
    route_id bigint NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (day, route_id, user_id)
) {clustered};
CREATE INDEX user_route_day_user ON user_route_day (user_id);
CREATE TABLE user_first (
    user_id {uuid} NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    first_at bigint NOT NULL
) {clustered};
-- By which zone days are counted. While they are counted anew, from_day is the first day that is not yet.
CREATE TABLE activity_days (
    id bigint NOT NULL PRIMARY KEY,
    zone text NOT NULL,
    from_day bigint
);
INSERT INTO activity_days (id, zone) VALUES (1, 'UTC');
INSERT INTO event_15m (slot, org_id, kind, n)
    SELECT at / 900000, coalesce(org_id, {nobody}), kind, count(*) FROM events GROUP BY 1, 2, 3;
INSERT INTO user_day (day, user_id, first_seq, n)
    SELECT at / 86400000, user_id, min(seq), count(*) FROM events
    WHERE user_id IS NOT NULL AND kind IN ('login', 'page_view', 'action', 'upload', 'download') GROUP BY 1, 2;
INSERT INTO user_first (user_id, first_at)
    SELECT user_id, min(at) FROM events
    WHERE user_id IS NOT NULL AND kind IN ('login', 'page_view', 'action', 'upload', 'download') GROUP BY 1;
";
