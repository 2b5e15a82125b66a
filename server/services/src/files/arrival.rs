//! A file as it comes: written while it is hashed, never held. It is there once its row is committed, and not before.

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    Actor, ApiError, ErrorCode,
    files::{self, File, HEAD, Room, Sniffed},
};
use sha2::{Digest, Sha256};
use tracing::Instrument;
use uuid::Uuid;

use super::{Files, lost, running::Running, storage::Writer};
use crate::{
    LiveSession,
    activity::About,
    sessions::commit,
    store::{
        db,
        files::{self as rows, New, Table},
    },
};

/// One file on its way in. Dropping it leaves nothing behind.
pub struct Arrival {
    files: Files,
    session: Arc<LiveSession>,
    table: Table,
    id: Uuid,
    name: String,
    label: Option<String>,
    room: Room,
    /// Until all of it has come.
    writer: Option<Writer>,
    hash: Sha256,
    size: u64,
    /// The first bytes, until it is known what they are.
    head: Vec<Bytes>,
    kind: Option<String>,
    /// Shown to those who watch.
    running: Running,
}

impl Files {
    /// Whether a request of this length may hold a file of this person at all; to be asked before anything is read.
    pub async fn check_length(&self, actor: &Actor, kind: Kind, length: Option<u64>) -> Result<(), ApiError> {
        let room = self.room(actor, kind.table()).await?;
        length.map_or(Ok(()), |length| room.check_length(length))
    }

    pub(super) async fn room(&self, actor: &Actor, table: Table) -> Result<Room, ApiError> {
        let (id, settings) = (actor.person()?.card.id, self.settings());
        // Anybody signed in may hand in outputs: without a quota of their own they would be the way around it.
        let used = self.store().within(rows::used(self.store().read(), table, id)).await?;
        let limit = settings.upload_limit.min(self.storage().largest());
        Ok(Room { limit, quota: settings.upload_quota, used })
    }

    /// Begins to take in a file of the session's person, which they call `name`; `length` is that of the whole request.
    pub async fn begin(
        &self,
        session: &Arc<LiveSession>,
        kind: Kind,
        name: &str,
        label: &str,
        length: Option<u64>,
    ) -> Result<Arrival, ApiError> {
        let (actor, table) = (session.actor(), kind.table());
        let room = self.room(&actor, table).await?;
        let (id, name, label) = (self.clock().new_id(), files::name(name), files::label(table.label(), label)?);
        let running = self.running(&actor, table, id, &name, label.as_deref(), length)?;
        Ok(Arrival {
            files: self.clone(),
            session: Arc::clone(session),
            table,
            id,
            writer: Some(self.storage().write(id)),
            name,
            label,
            room,
            hash: Sha256::new(),
            size: 0,
            head: vec![],
            kind: None,
            running,
        })
    }
}

/// Whether a file is somebody's upload, or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Upload,
    Output,
}

impl Kind {
    pub(super) fn table(self) -> Table {
        match self {
            Self::Upload => Table::Uploads,
            Self::Output => Table::Outputs,
        }
    }
}

impl Arrival {
    /// Takes in the next bytes, or tells why no more of them may come.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), ApiError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        self.room.check(self.size)?;
        if !self.session.is_live(self.files.clock().now()) {
            return Err(ApiError::unauthenticated());
        }
        self.running.received(bytes.len());
        self.hash.update(&bytes);
        if self.kind.is_some() {
            return self.put(bytes).await;
        }
        self.head.push(bytes);
        if self.size >= HEAD as u64 { self.look().await } else { Ok(()) }
    }

    /// Looks at the first bytes, and lets them through.
    async fn look(&mut self) -> Result<(), ApiError> {
        let head = std::mem::take(&mut self.head);
        let first: Vec<u8> = head.iter().flatten().copied().take(HEAD).collect();
        self.kind = Some(files::content_type(&self.name, sniff(&first))?);
        for bytes in head {
            self.put(bytes).await?;
        }
        Ok(())
    }

    async fn put(&mut self, bytes: Bytes) -> Result<(), ApiError> {
        match &mut self.writer {
            Some(writer) => writer.put(bytes).await.map_err(|e| lost(&e)),
            None => Ok(()),
        }
    }

    /// Nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// All of it has come. `label` in place of the one given before, where there is one.
    pub async fn finish(mut self, label: Option<&str>, ip: &str) -> Result<File, ApiError> {
        if let Some(label) = label {
            self.label = files::label(self.table.label(), label)?;
        }
        if self.kind.is_none() {
            self.look().await?;
        }
        let ip = ip.to_owned();
        // To its end even when whoever sent it goes away, and however long the storage takes.
        let settled = tokio::spawn(async move { self.settle(ip).await }.instrument(tracing::Span::current()));
        settled.await.map_err(|e| {
            tracing::error!(error = %e, "a file could not be settled");
            ApiError::internal()
        })?
    }

    /// From here on a file that has no row is known to be one: whatever stops us, it is removed.
    async fn settle(mut self, ip: String) -> Result<File, ApiError> {
        let (files, id) = (self.files.clone(), self.id);
        let expected = files.expected(id);
        files.write_down(&expected).await?;
        let placed = match self.writer.take() {
            Some(writer) => writer.place().await.map_err(|e| lost(&e)),
            None => Err(ApiError::internal()),
        };
        let kept = match placed {
            Ok(()) => files.sessions.act(async move { self.keep(&ip).await }).await,
            Err(e) => Err(e),
        };
        if kept.is_err() {
            files.give_up(vec![expected]).await;
        }
        kept
    }

    async fn keep(self, ip: &str) -> Result<File, ApiError> {
        let (files, store) = (&self.files, self.files.store());
        let person = self.session.actor();
        let card = &person.person()?.card;
        let new = New {
            id: self.id,
            user: card.id,
            name: &self.name,
            label: self.label.as_deref(),
            content_type: self.kind.as_deref().unwrap_or("application/octet-stream"),
            size: self.size,
            sha256: self.hash.finalize().into(),
            at: files.clock().now(),
        };
        let txn = files.sessions.begin().await?;
        let used = rows::used(&txn, self.table, card.id).await.map_err(db)?;
        Room { used, ..self.room }.check(self.size)?;
        // Whoever was signed out meanwhile sends nothing any more; ending a session waits for this transaction.
        if !self.session.is_live(files.clock().now()) {
            return Err(ApiError::unauthenticated());
        }
        rows::insert(&txn, self.table, new).await.map_err(db)?;
        rows::settled(&txn, self.id).await.map_err(db)?;
        let about = About { card, session: Some(self.session.id), ip: Some(ip) };
        let kind = if self.table == Table::Uploads { "upload" } else { "output" };
        let began = self.running.began();
        files.sessions.inner.events.append_since(&txn, kind, about, Some(began)).await.map_err(db)?;
        let told = match self.table {
            Table::Uploads => files.notices.tell(&txn, card, self.id, self.label.as_deref()).await?,
            Table::Outputs => vec![],
        };
        commit(txn).await?;
        if !told.is_empty() {
            files.notices.ring(told);
            files.sessions.inner.mail.wake();
        }
        let file = store.within(rows::one(store.read(), self.table, self.id)).await?;
        let file = file.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "It was deleted as soon as it came."))?;
        if self.table == Table::Uploads {
            files.tell_uploads(card.id, Some(&file)).await;
        }
        Ok(file)
    }
}

/// What the first bytes say.
fn sniff(head: &[u8]) -> Sniffed<'_> {
    let pixels = imagesize::blob_size(head).ok().map(|s| (s.width as u64).saturating_mul(s.height as u64));
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // Cut in the middle of a character.
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&head[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    let is_text = text.is_some_and(|t| !t.chars().any(|c| c.is_control() && !"\t\n\r\u{c}\u{1b}".contains(c)));
    Sniffed { kind: infer::get(head).map(|k| k.mime_type()), pixels, is_text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        let png = [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            &30_000_u32.to_be_bytes(),
            &30_000_u32.to_be_bytes(),
            &[8, 2, 0, 0, 0],
        ];
        let png = png.concat();
        let big = sniff(&png);
        assert_eq!((big.kind, big.pixels, big.is_text), (Some("image/png"), Some(900_000_000), false));
        assert!(sniff("é".repeat(HEAD).as_bytes().get(..HEAD - 1).unwrap()).is_text);
        assert!(!sniff(b"a\0b").is_text && sniff(b"").is_text);
        assert_eq!(sniff(b"<!DOCTYPE html><script>1</script>").kind, Some("text/html"));
        assert!(files::content_type("x.png", sniff(b"<svg xmlns='http://www.w3.org/2000/svg'/>")).is_err());
    }
}
