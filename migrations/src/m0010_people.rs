//! Lists of people in any order, roles that can be changed, and the record of changed cards.

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
        let random = match manager.get_database_backend() {
            sea_orm_migration::sea_orm::DbBackend::Postgres => "gen_random_uuid()",
            _ => "randomblob(16)",
        };
        run(manager, &DDL.replace("{random}", random)).await
    }
}

/// `card_changes` holds one row for each person whose name, e-mail address, teams or names of these changed within the
/// last hour, numbered like `endings` by the same counter, so that every process learns of them.
const DDL: &str = "
ALTER TABLE roles ADD COLUMN id {uuid};
UPDATE roles SET id = {random};
CREATE UNIQUE INDEX roles_id ON roles (id);
-- First pages in each order. The first one is also what searches look through, without a look at the rows.
CREATE INDEX users_search ON users (search, id);
CREATE INDEX users_created ON users (created_at, id);
CREATE INDEX users_sign_in ON users ((coalesce(last_sign_in_at, 0)), id);
CREATE INDEX teams_name ON teams (name_lower, id);
CREATE TABLE card_changes (
    seq bigint NOT NULL,
    user_id {uuid} NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (seq, user_id)
);
CREATE INDEX card_changes_at ON card_changes (at);
";
