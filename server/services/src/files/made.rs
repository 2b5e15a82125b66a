//! A file that we make ourselves: an output, written as it is made. It is there once its maker's transaction is committed.

use bytes::Bytes;
use domain::{Actor, ApiError, account::UserCard, files::Room};
use sea_orm::DatabaseTransaction;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Files, Kind, lost, settle::Expected, storage::Writer};
use crate::store::{
    db,
    files::{self as rows, New, Table},
};

/// One output on its way. Dropping it leaves nothing behind.
pub(crate) struct Making {
    files: Files,
    id: Uuid,
    room: Room,
    writer: Writer,
    hash: Sha256,
    size: u64,
    /// From the beginning, so that nobody takes it for what was left over.
    expected: Expected,
}

impl Files {
    /// Begins to make an output for the actor, within the quota of theirs.
    pub(crate) async fn make(&self, actor: &Actor) -> Result<Making, ApiError> {
        // The setting's limit of one file is for what comes from outside.
        let room = Room { limit: self.storage().largest(), ..self.room(actor, Kind::Output.table()).await? };
        let id = self.clock().new_id();
        let (expected, writer) = (self.expected(id), self.storage().write(id));
        Ok(Making { files: self.clone(), id, room, writer, hash: Sha256::new(), size: 0, expected })
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
    pub(crate) async fn place(self) -> Result<Made, ApiError> {
        let Self { files, id, room, writer, hash, size, expected } = self;
        files.write_down(&expected).await?;
        if let Err(e) = writer.place().await {
            files.give_up(vec![expected]).await;
            return Err(lost(&e));
        }
        Ok(Made { id, room, hash: hash.finalize().into(), size, _expected: expected })
    }
}

/// One that is in its place and has no row yet. Once it is dropped, a file that has none goes (`remove_unkept`).
pub(crate) struct Made {
    id: Uuid,
    room: Room,
    hash: [u8; 32],
    size: u64,
    _expected: Expected,
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
}
