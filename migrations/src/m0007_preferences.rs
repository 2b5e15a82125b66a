//! What people prefer.

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

/// `presence` stands in `value` too; a start looks for those who keep theirs private.
const DDL: &str = "
CREATE TABLE preferences (
    user_id {uuid} NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    value text NOT NULL,
    presence text NOT NULL,
    updated_at bigint NOT NULL
);
";
