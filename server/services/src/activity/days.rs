//! Counting days anew when another zone is in force: each day of which the events are still there, newest first, in a
//! transaction of its own. Older ones stay as they were counted.

use std::time::Duration;

use domain::{
    ApiError,
    activity::{Day, Zone},
};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use super::Activity;
use crate::store::days;

/// How often it is looked whether the zone is another; and the pause between two days, for others who write.
const EVERY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

impl Activity {
    /// Looks, and counts, until `stop`.
    pub(super) async fn run_days(self, stop: CancellationToken) {
        let work = async {
            let mut counted = None;
            loop {
                let zone = self.zone();
                if counted != Some(zone) {
                    match self.recount(zone).await {
                        Ok(()) => counted = Some(zone),
                        Err(e) => tracing::warn!(error = %e, "days could not be counted in {}", zone.name()),
                    }
                }
                tokio::time::sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Brings the days into `zone`, or goes on with it where a server was stopped on the way.
    async fn recount(&self, zone: Zone) -> Result<(), ApiError> {
        let (store, today) = (&self.inner.store, zone.day(self.inner.clock.now()));
        let (counted_in, from) = store.within(days::state(store.read())).await?;
        let next = match (counted_in == zone.name(), from) {
            (true, None) => return Ok(()),
            (true, Some(day)) => Day(day),
            (false, _) => Day(today.0 + 1),
        };
        let Some(oldest) = store.within(days::oldest(store.read(), zone)).await? else {
            return store.within(self.state_is(zone, None)).await;
        };
        tracing::info!(zone = zone.name(), "counting days anew");
        let mut day = next;
        while day >= oldest {
            store.within(self.recount_day(zone, day)).await?;
            day = Day(day.0 - 1);
            tokio::time::sleep(PAUSE).await;
        }
        store.within(self.state_is(zone, None)).await
    }

    async fn recount_day(&self, zone: Zone, day: Day) -> Result<(), DbErr> {
        let txn = self.inner.store.begin().await?;
        days::recount(&txn, zone, day).await?;
        days::set_state(&txn, zone, Some(day.0 - 1)).await?;
        txn.commit().await
    }

    async fn state_is(&self, zone: Zone, from: Option<i64>) -> Result<(), DbErr> {
        let txn = self.inner.store.begin().await?;
        days::set_state(&txn, zone, from).await?;
        txn.commit().await
    }
}
