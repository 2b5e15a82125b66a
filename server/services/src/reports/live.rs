//! Those who watch their reports being made, by `reports:me`.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use bytes::Bytes;
use domain::{Actor, ApiError, UserId, presence::ConnectionId, wire};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Reports;
use crate::{
    presence::{Outbox, Socket},
    store::reports as rows,
};

/// How often it is looked for news while anybody watches: whichever server makes it.
const EVERY: Duration = Duration::from_millis(500);

pub(super) struct Watcher {
    user: UserId,
    /// The last change they know of.
    known: i64,
    outbox: Weak<Outbox>,
}

impl Reports {
    /// From now on the socket is told that one of the actor's reports came further.
    pub async fn watch(&self, actor: &Actor, socket: &Socket) -> Result<(), ApiError> {
        let (user, store) = (super::asker(actor)?, self.store());
        let known = store.within(rows::changed(store.read(), &[user])).await?.first().map_or(0, |(_, at)| *at);
        let outbox = Arc::downgrade(&socket.outbox);
        self.watchers().insert(socket.id, Watcher { user, known, outbox });
        Ok(())
    }

    pub fn unwatch(&self, socket: &Socket) {
        self.watchers().remove(&socket.id);
    }

    fn watchers(&self) -> MutexGuard<'_, HashMap<ConnectionId, Watcher>> {
        self.inner.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells them until `stop`.
    pub(crate) async fn run_live(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Err(e) = self.tell().await {
                tracing::debug!(error = %e, "could not look for reports");
            }
        }
    }

    async fn tell(&self) -> Result<(), ApiError> {
        let users: Vec<UserId> = {
            let mut watchers = self.watchers();
            watchers.retain(|_, w| w.outbox.strong_count() > 0);
            watchers.values().map(|w| w.user).collect()
        };
        if users.is_empty() {
            return Ok(());
        }
        let store = self.store();
        let changed: HashMap<UserId, i64> =
            store.within(rows::changed(store.read(), &users)).await?.into_iter().collect();
        let frame = Bytes::from(wire::broadcast("reports:me", "events", &json!({})));
        for w in self.watchers().values_mut() {
            let Some(at) = changed.get(&w.user).filter(|at| **at != w.known) else { continue };
            w.known = *at;
            if let Some(outbox) = w.outbox.upgrade() {
                outbox.push(frame.clone());
            }
        }
        Ok(())
    }
}
