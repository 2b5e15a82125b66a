//! Values kept with sessions are sealed.

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

/// The id of the key that sealed a value; nothing where it is as it came. A server seals those when it starts.
const DDL: &str = "
ALTER TABLE session_data ADD COLUMN sealed_by text;
CREATE INDEX session_data_sealed ON session_data (sealed_by);
";
