//! Indexes by which a million sessions are counted and listed.

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

/// Each holds all that a count asks for, so that no row is looked up. `ended_at` is nothing in all of
/// `sessions_standing`; without it SQLite does not see that the index is enough.
const DDL: &str = "
DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user_id, created_at, device);
DROP INDEX sessions_ip;
CREATE INDEX sessions_ip ON sessions (ip, created_at, user_id);
-- Those nobody ended, by person: live ones with any filter, and the limit at each sign-in.
CREATE INDEX sessions_standing ON sessions (user_id, expires_at, created_at, device, ip, ended_at)
    WHERE ended_at IS NULL;
CREATE INDEX sessions_reason ON sessions (ended_reason, created_at, user_id) WHERE ended_reason IS NOT NULL;
-- Whose sessions a role's and an organisation's are.
DROP INDEX users_role;
CREATE INDEX users_role ON users (role, organisation_id, id);
DROP INDEX users_organisation;
CREATE INDEX users_organisation ON users (organisation_id, id);
";
