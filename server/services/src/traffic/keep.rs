//! Quarters of an hour, written behind: a server that dies loses the last seconds, and one that stops nothing.

use std::time::Duration;

use domain::{
    ApiError, Time,
    traffic::{SLOT, day_start, slot_of},
};
use tokio_util::sync::CancellationToken;

use super::{Counted, Today, Traffic};
use crate::store::{Store, traffic as rows};

const EVERY: Duration = Duration::from_secs(5);

/// What was written of the running slot and of today.
pub(super) async fn load(store: &Store, now: Time) -> Result<Counted, ApiError> {
    let (begins, end) = (day_start(now), slot_of(now).plus(SLOT));
    let mut counted = Counted::default();
    for row in store.within(rows::between(store.read(), slot_of(now), end)).await? {
        counted.slots.load(row);
    }
    let [requests, refused, errors] = store.within(rows::count(store.read(), begins, end)).await?;
    counted.today = Today { begins, requests, errors, refused };
    Ok(counted)
}

impl Traffic {
    /// Writes what was counted since the last time.
    pub async fn flush(&self) -> Result<(), ApiError> {
        let store = &self.inner.store;
        let _gate = self.inner.gate.lock().await;
        let changed = self.counted().slots.changed();
        if !changed.is_empty() {
            store.within(rows::replace(store, &changed)).await?;
        }
        let now = self.inner.clock.now();
        self.counted().slots.wrote(&changed, now);
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
