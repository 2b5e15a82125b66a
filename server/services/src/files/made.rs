//! A file that we make ourselves: an output, written as it is made. It is there once its maker's transaction is committed.

use bytes::Bytes;
use domain::{Actor, ApiError, account::UserCard, files::Room};
use object_store::buffered::BufWriter;
use sea_orm::DatabaseTransaction;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::{Files, Kind, lost, settle::Expected};
use crate::store::{
    db,
    files::{self as rows, New, Table},
};

/// One output on its way. Dropping it leaves nothing behind.
pub(crate) struct Making {
    files: Files,
    id: Uuid,
    room: Room,
    writer: BufWriter,
    hash: Sha256,
    size: u64,
}

impl Files {
    /// Begins to make an output for the actor, within the quota of theirs.
    pub(crate) async fn make(&self, actor: &Actor) -> Result<Making, ApiError> {
        // A limit of one file is for what comes from outside.
        let room = Room { limit: u64::MAX, ..self.room(actor, Kind::Output.table()).await? };
        let id = self.clock().new_id();
        let writer = self.storage().write(id);
        Ok(Making { files: self.clone(), id, room, writer, hash: Sha256::new(), size: 0 })
    }
}

impl Making {
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), ApiError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        self.room.check(self.size)?;
        self.hash.update(&bytes);
        self.writer.put(bytes).await.map_err(|e| lost(&e))
    }

    /// All of it is written. From here on a file that gets no row is removed.
    pub(crate) async fn place(mut self) -> Result<Made, ApiError> {
        self.writer.shutdown().await.map_err(|e| {
            tracing::error!(error = %e, "a file could not be written to the storage");
            ApiError::unavailable()
        })?;
        let expected = self.files.expect(self.id).await?;
        let made = Made { id: self.id, room: self.room, hash: self.hash.finalize().into(), size: self.size, expected };
        if let Err(e) = self.files.storage().place(self.id).await {
            made.settle(&self.files).await;
            return Err(lost(&e));
        }
        Ok(made)
    }
}

/// One that is in its place and has no row yet; to be settled in any case.
pub(crate) struct Made {
    id: Uuid,
    room: Room,
    hash: [u8; 32],
    size: u64,
    expected: Expected,
}

impl Made {
    /// Writes its row within the caller's transaction; its id.
    pub(crate) async fn keep(
        &self,
        files: &Files,
        txn: &DatabaseTransaction,
        card: &UserCard,
        name: &str,
        source: &str,
        content_type: &str,
    ) -> Result<Uuid, ApiError> {
        let used = rows::used(txn, Table::Outputs, card.id).await.map_err(db)?;
        Room { used, ..self.room }.check(self.size)?;
        let new = New {
            id: self.id,
            user: card.id,
            name,
            label: Some(source),
            content_type,
            size: self.size,
            sha256: self.hash,
            at: files.clock().now(),
        };
        rows::insert(txn, Table::Outputs, new).await.map_err(db)?;
        rows::settled(txn, self.id).await.map_err(db)?;
        Ok(self.id)
    }

    /// After the commit, or when there was none: then the file goes.
    pub(crate) async fn settle(self, files: &Files) {
        drop(self.expected);
        files.remove_unkept().await;
    }
}
