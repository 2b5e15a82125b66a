//! Who changed a setting, and a number by which other processes notice.

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

const DDL: &str = "
ALTER TABLE settings ADD COLUMN updated_by text;
INSERT INTO counters (name, value) VALUES ('settings', 0);
";
