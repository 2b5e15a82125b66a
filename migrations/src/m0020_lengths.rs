//! How long sessions were, as it is defined: of one that ran out, until its last activity.

use sea_orm_migration::prelude::*;

use crate::run;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DDL).await
    }
}

/// The words must be those of `services::store::stats`, by which the index is found.
const DDL: &str = "
DROP INDEX sessions_length;
CREATE INDEX sessions_length ON sessions ((CASE WHEN ended_reason IN ('idle_timeout', 'absolute_timeout') \
    THEN last_activity_at ELSE ended_at END - created_at)) WHERE ended_at IS NOT NULL;
";
