//! What is not to be kept goes: files without a row, and outputs that are old.

use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use domain::ApiError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Files, Inner, StorageError,
    storage::{Storage, said},
};
use crate::store::{Store, files as rows, reports};

/// Looked for this often without being told: what another process deleted.
const EVERY: Duration = Duration::from_secs(5);
/// Outputs whose time is over are looked for this often.
const OLD_EVERY: Duration = Duration::from_hours(1);
const BATCH: u32 = 200;
/// What was asked of another machine may happen this long after nobody waits for it any more.
const LATE: Duration = Duration::from_mins(1);

/// A file of this process that is to have a row; when dropped, it has one or is not to be kept.
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
    pub(super) async fn write_down(&self, expected: &Expected) -> Result<(), ApiError> {
        self.store().within(rows::expect(self.store().write(), expected.id, self.clock().now())).await
    }

    pub(super) fn expected(&self, id: Uuid) -> Expected {
        self.inner.expected().insert(id);
        Expected { inner: Arc::clone(&self.inner), id }
    }

    /// These have no row and get none. A storage that is another machine may yet put them in their place, or begin what
    /// was asked of it: they are removed at once, and once more later, before they are forgotten.
    pub(super) async fn give_up(&self, expected: Vec<Expected>) {
        if !self.storage().is_remote() {
            drop(expected);
            return self.remove_unkept().await;
        }
        let files = self.clone();
        tokio::spawn(async move {
            for one in &expected {
                if files.remove_one(one.id).await.is_err() {
                    break;
                }
            }
            tokio::time::sleep(LATE).await;
            drop(expected);
            files.clear_partial().await;
        });
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
                if self.remove_one(*id).await? {
                    store.within(rows::settled(store.write(), *id)).await?;
                }
            }
            if ids.is_empty() || all.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// Removes a file unless it is to be kept; whether it did. It may have got its row since a list was read: what is not
    /// expected any more has one by now, or never will.
    async fn remove_one(&self, id: Uuid) -> Result<bool, ApiError> {
        let store = self.store();
        let unkept = store.within(rows::is_unkept(store.read(), id)).await?;
        if unkept {
            self.storage().remove(id).await.map_err(|e| super::lost(&e))?;
        }
        Ok(unkept)
    }

    /// At the start of a server, before anybody is served: nothing is on its way, so whatever is not to be kept goes.
    /// What the database says nothing about is left alone and told: it may be another's, or a disk that is not mounted.
    /// Nobody waits for a storage that is another machine, which may be away: `run` begins with the rest of it.
    pub(crate) async fn reconcile(&self) -> Result<(), ApiError> {
        if !self.storage().is_remote() {
            self.clear_partial().await;
        }
        let store = self.store();
        let unkept = store.within(rows::unkept(store.read(), u32::MAX)).await?;
        let expected = unkept.into_iter().map(|id| self.expected(id)).collect();
        self.give_up(expected).await;
        Ok(())
    }

    /// Removes what did not come whole.
    async fn clear_partial(&self) {
        let comes = |id| self.inner.running.comes(id) || self.inner.expected().contains(&id);
        match self.storage().clear_partial(comes).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "removed files that had not come whole"),
            Err(e) => tracing::warn!(error = said(&e), "partial files could not be removed"),
        }
    }

    /// What does not agree. What comes or goes meanwhile does: a file may be between its place and its row, or its row
    /// gone and itself not yet.
    pub async fn strays(&self) -> Result<Strays, ApiError> {
        strays(self.store(), self.storage()).await?.map_err(|e| super::lost(&e))
    }

    /// Removes what is not to be kept, when told and every now and then, and outputs whose time is over.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut old = tokio::time::interval(OLD_EVERY);
        loop {
            self.remove_unkept().await;
            tokio::select! {
                () = stop.cancelled() => return,
                _ = old.tick() => {
                    if let Err(e) = self.delete_old_outputs().await {
                        tracing::warn!(error = %e, "old outputs could not be deleted");
                    }
                    // In a folder whoever was writing removes it, whatever happens.
                    if self.storage().is_remote() {
                        self.clear_partial().await;
                    }
                }
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

/// The inner error is the storage's.
pub(crate) async fn strays(store: &Store, storage: &Storage) -> Result<Result<Strays, StorageError>, ApiError> {
    let set = |ids: Vec<Uuid>| ids.into_iter().collect::<HashSet<Uuid>>();
    let before = set(store.within(rows::have_rows(store.read())).await?);
    let there = match storage.ids().await {
        Ok(ids) => set(ids),
        Err(e) => return Ok(Err(e.into())),
    };
    let unkept = set(store.within(rows::unkept(store.read(), u32::MAX)).await?);
    let after = set(store.within(rows::have_rows(store.read())).await?);
    Ok(Ok(Strays {
        files: there.iter().filter(|id| !unkept.contains(id) && !after.contains(id)).count(),
        rows: before.iter().filter(|id| !there.contains(id) && after.contains(id)).count(),
    }))
}
