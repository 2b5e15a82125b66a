//! What is not to be kept goes: files without a row, and outputs that are old.

use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use domain::ApiError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Files, Inner};
use crate::store::{files as rows, reports};

/// Looked for this often without being told: what another process deleted.
const EVERY: Duration = Duration::from_secs(5);
/// Outputs whose time is over are looked for this often.
const OLD_EVERY: Duration = Duration::from_hours(1);
const BATCH: u32 = 200;

/// A file of this process between its place and its row; when dropped, it has a row or is not to be kept.
pub(super) struct Expected {
    inner: Arc<Inner>,
    id: Uuid,
}

impl Inner {
    fn expected(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.inner.expected().remove(&self.id);
    }
}

/// What does not agree between rows and storage, and never should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// Files nobody knows of.
    pub files: usize,
    /// Rows whose file is gone.
    pub rows: usize,
}

impl Files {
    /// Writes down that a file has no row yet.
    pub(super) async fn expect(&self, id: Uuid) -> Result<Expected, ApiError> {
        self.inner.expected().insert(id);
        let expected = Expected { inner: Arc::clone(&self.inner), id };
        self.store().within(rows::expect(self.store().write(), id, self.clock().now())).await?;
        Ok(expected)
    }

    /// Removes from the storage what is not to be kept; what fails is tried again later.
    pub async fn remove_unkept(&self) {
        if let Err(e) = self.try_remove_unkept().await {
            tracing::warn!(error = %e, "files that are not to be kept could not be removed; trying again");
        }
    }

    async fn try_remove_unkept(&self) -> Result<(), ApiError> {
        let store = self.store();
        loop {
            let all = store.within(rows::unkept(store.read(), BATCH)).await?;
            let ids: Vec<Uuid> = all.iter().copied().filter(|id| !self.inner.expected().contains(id)).collect();
            for id in &ids {
                // A file of this process may have got its row since the list was read. What is not expected any more has
                // one by now, or never will.
                if !store.within(rows::is_unkept(store.read(), *id)).await? {
                    continue;
                }
                self.storage().remove(*id).await.map_err(|e| super::lost(&e))?;
                store.within(rows::settled(store.write(), *id)).await?;
            }
            if ids.is_empty() || all.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// At the start of a server, before anybody is served: nothing is on its way, so whatever is not to be kept goes.
    /// What the database says nothing about is left alone and told: it may be another's, or a disk that is not mounted.
    pub(crate) async fn reconcile(&self) -> Result<(), ApiError> {
        match self.storage().clear_partial().await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "removed files that had not come whole"),
            Err(e) => tracing::warn!(error = %e, "partial files could not be removed"),
        }
        self.try_remove_unkept().await
    }

    /// What does not agree.
    pub async fn strays(&self) -> Result<Strays, ApiError> {
        let there: HashSet<Uuid> = self.storage().ids().await.map_err(|e| super::lost(&e))?.into_iter().collect();
        let store = self.store();
        let rows: HashSet<Uuid> = store.within(rows::have_rows(store.read())).await?.into_iter().collect();
        Ok(Strays { files: there.difference(&rows).count(), rows: rows.difference(&there).count() })
    }

    /// Removes what is not to be kept, when told and every now and then, and outputs whose time is over.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut old = tokio::time::interval(OLD_EVERY);
        loop {
            self.remove_unkept().await;
            tokio::select! {
                () = stop.cancelled() => return,
                _ = old.tick() => if let Err(e) = self.delete_old_outputs().await {
                    tracing::warn!(error = %e, "old outputs could not be deleted");
                },
                () = self.inner.unkept.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn delete_old_outputs(&self) -> Result<(), ApiError> {
        let before = self.clock().now().plus(-self.settings().retention_outputs);
        let store = self.store();
        while store.within(rows::delete_old_outputs(store.write(), before, BATCH)).await? == u64::from(BATCH) {}
        while store.within(reports::delete_old(store.write(), before, BATCH)).await? == u64::from(BATCH) {}
        Ok(())
    }

    /// A row was deleted.
    pub(super) fn wake(&self) {
        self.inner.unkept.notify_one();
    }
}
