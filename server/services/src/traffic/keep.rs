//! Quarters of an hour, written behind: a server that dies loses the last seconds, and one that stops nothing.

use std::time::Duration;

use domain::{
    ApiError, Time,
    activity::Zone,
    traffic::{SLOT, slot_of},
};
use tokio_util::sync::CancellationToken;

use super::{Counted, Today, Traffic};
use crate::store::{Store, traffic as rows};

const EVERY: Duration = Duration::from_secs(5);

/// What was written of the running slot and of today.
pub(super) async fn load(store: &Store, zone: Zone, now: Time) -> Result<Counted, ApiError> {
    let running = slot_of(now);
    let mut counted = Counted { today: before(store, zone, now).await?, ..Counted::default() };
    for row in store.within(rows::between(store.read(), running, running.plus(SLOT))).await? {
        counted.slots.load(row);
    }
    counted.today.add_rows(&counted.slots.rows(), running);
    Ok(counted)
}

/// Today without the running slot, from what is written.
async fn before(store: &Store, zone: Zone, now: Time) -> Result<Today, ApiError> {
    let today = Today::of(zone, now);
    let [requests, refused, errors] = store.within(rows::count(store.read(), today.begins, slot_of(now))).await?;
    Ok(Today { requests, errors, refused, ..today })
}

impl Traffic {
    /// Writes what was counted since the last time.
    pub async fn flush(&self) -> Result<(), ApiError> {
        let store = &self.inner.store;
        let _gate = self.inner.gate.lock().await;
        let now = self.inner.clock.now();
        let changed = self.counted().slots.changed();
        if !changed.is_empty() {
            store.within(rows::replace(store, &changed)).await?;
        }
        self.counted().slots.wrote(&changed, now);
        let zone = self.inner.activity.zone();
        if self.counted().today.zone != zone {
            // Today is another time now; all but the running slot is written.
            let mut today = before(store, zone, now).await?;
            let mut counted = self.counted();
            today.add_rows(&counted.slots.rows(), slot_of(now));
            counted.today = today;
        }
        Ok(())
    }

    /// Writes until `stop`; what waits then is for `flush`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Err(e) = self.flush().await {
                tracing::warn!(error = %e, "traffic could not be written; it is kept");
            }
        }
    }
}
