//! Files: what people send (uploads), and what is made for them (outputs).
//!
//! - `storage`: where the bytes are; `bucket`: of them, an S3-compatible service. `arrival`: one file as it comes.
//!   `made`: one that we make. `running`: all that are on their way.
//! - `settle`: files that have no row, and rows that go. `read`: lists, sums and downloads.
//!
//! A file is there only when its row is, and the other way round. Before a file is put in its place its id is written
//! down as not to be kept (`unkept_files`); the transaction that writes the row takes it out again. Deleting a row, in
//! whatever way, writes it down again by a trigger, and the file is removed after the commit. So whatever a crash leaves
//! behind is in that table, and is removed when a server starts.

mod arrival;
mod bucket;
mod made;
mod read;
mod running;
mod settle;
mod storage;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use domain::{ApiError, settings::Settings};
use tokio::sync::Notify;
use uuid::Uuid;

use self::running::Registry;
pub use self::{
    arrival::{Arrival, Kind},
    read::Of,
    settle::Strays,
    storage::StorageError,
};
pub(crate) use self::{
    made::{Made, Making},
    settle::strays,
    storage::Storage,
};
use crate::{clock::Clock, notices::Notices, sessions::Sessions, store::Store};

struct Inner {
    storage: Storage,
    running: Arc<Registry>,
    /// Files of this process that are to have a row.
    expected: Mutex<HashSet<Uuid>>,
    /// Something is not to be kept.
    unkept: Notify,
}

/// The handle on files; a cheap clone.
#[derive(Clone)]
pub struct Files {
    pub(crate) sessions: Sessions,
    notices: Notices,
    inner: Arc<Inner>,
}

impl Files {
    pub(crate) fn open(sessions: Sessions, notices: Notices, url: &str) -> Result<Self, StorageError> {
        let inner = Inner {
            storage: Storage::open(url)?,
            running: Arc::default(),
            expected: Mutex::default(),
            unkept: Notify::new(),
        };
        Ok(Self { sessions, notices, inner: Arc::new(inner) })
    }

    fn store(&self) -> &Store {
        &self.sessions.inner.store
    }

    fn clock(&self) -> &Clock {
        &self.sessions.inner.clock
    }

    fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    /// A folder on the disk that files are on, where it is one of this machine.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.storage().folder()
    }

    fn settings(&self) -> Arc<Settings> {
        self.sessions.inner.settings.now()
    }
}

/// Whether the storage at this URL answers. Nothing is changed.
pub async fn reach(url: &str) -> Result<(), StorageError> {
    Ok(Storage::at_url(url)?.reach().await?)
}

/// The storage failed: logged, and told as something that may work later.
fn lost(error: &dyn std::error::Error) -> ApiError {
    tracing::error!(error = storage::said(error), "the storage of files failed");
    let message = "The storage of files does not answer right now. Nothing was changed; try again in a moment.";
    ApiError { message: message.into(), ..ApiError::unavailable() }
}
