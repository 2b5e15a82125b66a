//! The index of quarter-hours by organisation, without what changes with every event.

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

/// With `n` in it, each batch of events wrote its entries anew.
const DDL: &str = "
DROP INDEX event_15m_org;
CREATE INDEX event_15m_org ON event_15m (org_id, slot);
";
