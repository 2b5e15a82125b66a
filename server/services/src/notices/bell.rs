//! The number of unread notices, pushed to whoever is here when it has changed.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{ApiError, UserId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Notices;
use crate::store::{card, notices as rows};

/// Between two looks, for those that come together.
const PAUSE: Duration = Duration::from_millis(100);
/// Everybody who is here is looked at this often: what another process did, and what became too old.
const EVERY: Duration = Duration::from_mins(1);

/// Whose number may have changed.
#[derive(Default)]
pub(super) struct Bell {
    whose: Mutex<BTreeSet<UserId>>,
    rung: Notify,
}

impl Bell {
    fn take(&self) -> BTreeSet<UserId> {
        std::mem::take(&mut *self.whose.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Notices {
    /// The number of these people may have changed, and is told them.
    pub fn ring(&self, whose: impl IntoIterator<Item = UserId>) {
        self.bell.whose.lock().unwrap_or_else(PoisonError::into_inner).extend(whose);
        self.bell.rung.notify_one();
    }

    /// So may that of anybody who is here.
    pub(crate) async fn ring_all(&self) {
        let here = self.sessions.inner.presence.watchers_of_notices().await;
        self.ring(here);
    }

    /// Tells until `stop`.
    pub(crate) async fn run_bell(self, stop: CancellationToken) {
        let mut everybody = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = everybody.tick() => self.ring_all().await,
                () = self.bell.rung.notified() => {}
            }
            if let Err(e) = self.tell_numbers().await {
                tracing::warn!(error = %e, "the number of unread notices could not be told");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn tell_numbers(&self) -> Result<(), ApiError> {
        let (store, presence) = (self.store(), &self.sessions.inner.presence);
        let here: BTreeSet<UserId> = presence.watchers_of_notices().await.into_iter().collect();
        let whose: Vec<UserId> = self.bell.take().intersection(&here).copied().collect();
        for card in store.within(card::by_ids(store.read(), &whose)).await? {
            let unread = store.within(rows::unread(store.read(), &card)).await?;
            presence.unread(card.id, unread);
        }
        Ok(())
    }
}
