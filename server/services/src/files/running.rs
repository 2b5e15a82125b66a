//! Uploads on their way, as those who watch see them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::{Actor, ApiError, ErrorCode, Time, files::Arriving};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Files;
use crate::store::files::Table;

/// Progress is told this often while anything is on its way.
const EVERY: Duration = Duration::from_millis(250);
/// Files one person may send at the same time; the storage says how many all of them may.
const MINE_MAX: usize = 16;

struct Entry {
    told: Arriving,
    received: AtomicU64,
    is_upload: bool,
}

#[derive(Default)]
pub(super) struct Registry {
    all: Mutex<BTreeMap<Uuid, Arc<Entry>>>,
    changed: Notify,
}

impl Registry {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Uuid, Arc<Entry>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn comes(&self, id: Uuid) -> bool {
        self.lock().contains_key(&id)
    }

    /// Uploads on their way, the oldest first.
    pub(super) fn now(&self) -> Vec<Arriving> {
        let uploads = |e: &&Arc<Entry>| e.is_upload;
        let all = self.lock();
        all.values()
            .filter(uploads)
            .map(|e| Arriving { received: e.received.load(Relaxed), ..e.told.clone() })
            .collect()
    }
}

/// One of them; not any more when it is dropped.
pub(super) struct Running {
    registry: Arc<Registry>,
    entry: Arc<Entry>,
}

impl Running {
    pub(super) fn began(&self) -> Time {
        self.entry.told.started_at
    }

    pub(super) fn received(&self, n: usize) {
        self.entry.received.fetch_add(n as u64, Relaxed);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.entry.told.id);
        self.registry.changed.notify_one();
    }
}

impl Files {
    pub(super) fn running(
        &self,
        actor: &Actor,
        table: Table,
        id: Uuid,
        name: &str,
        label: Option<&str>,
        size: Option<u64>,
    ) -> Result<Running, ApiError> {
        let card = &actor.person()?.card;
        let told = Arriving {
            id,
            user_id: card.id,
            username: card.username.clone(),
            user_name: card.name.clone(),
            organisation: card.organisation.as_ref().map(|o| o.id),
            name: name.to_owned(),
            workflow: label.map(str::to_owned),
            size,
            received: 0,
            started_at: self.clock().now(),
        };
        let entry = Arc::new(Entry { told, received: AtomicU64::new(0), is_upload: table == Table::Uploads });
        let registry = &self.inner.running;
        let mut all = registry.lock();
        if all.len() >= self.storage().at_once()
            || all.values().filter(|e| e.told.user_id == card.id).count() >= MINE_MAX
        {
            let message = "Too many files are on their way at once. Wait until some have come.";
            return Err(ApiError { retry_after: Some(2), ..ApiError::new(ErrorCode::TooManyRequests, message) });
        }
        all.insert(id, Arc::clone(&entry));
        drop(all);
        registry.changed.notify_one();
        Ok(Running { registry: Arc::clone(registry), entry })
    }

    /// Tells those who watch, when something begins or ends and as it goes on.
    pub(crate) async fn run_running(self, stop: CancellationToken) {
        let (registry, mut told) = (&self.inner.running, false);
        loop {
            let pause = async {
                if told {
                    tokio::time::sleep(EVERY).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = registry.changed.notified() => {}
                () = pause => {}
            }
            let now = registry.now();
            told = !now.is_empty();
            self.sessions.inner.presence.arriving(now);
        }
    }
}
