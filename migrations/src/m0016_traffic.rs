//! Requests by route and class of status, in quarters of an hour.

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

/// Everything asked of it is a range of slots, which the key answers. Times are in microseconds; `hist` is a histogram of
/// them in the V2 format of HdrHistogram, so that slots add up to any length and any set of routes.
const DDL: &str = "
CREATE TABLE traffic_15m (
    slot bigint NOT NULL,
    route text NOT NULL,
    status_class bigint NOT NULL,
    n bigint NOT NULL,
    dur_sum bigint NOT NULL,
    dur_max bigint NOT NULL,
    hist {bytes} NOT NULL,
    PRIMARY KEY (slot, route, status_class)
);
";
