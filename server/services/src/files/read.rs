//! Lists, sums and downloads; and deleting.

use std::{io, ops::Range};

use bytes::Bytes;
use domain::{
    Actor, ApiError, ErrorCode, Reach, Time, UserId,
    access::Action,
    files::{Arriving, File, FileFilter, OutputView, Summary, UploadView},
};
use futures_util::stream::BoxStream;
use serde_json::json;
use uuid::Uuid;

use super::{Files, Kind, lost, storage::is_missing};
use crate::{
    activity::About,
    audit::{self, By, Entry},
    cursor,
    sessions::{Page, commit},
    store::{
        db,
        files::{self as rows, Table},
        reports,
    },
};

/// Rows of one page at most, and labels that are suggested.
const LIMIT_MAX: u32 = 200;
const LABELS: u32 = 50;
/// Names of a person's uploads beside them on the live page.
pub(super) const RECENT: u32 = 3;

/// Whose files: one's own, or those of others within reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Own,
    Others,
}

impl Files {
    fn whose(actor: &Actor, of: Of) -> Result<(Reach, Option<UserId>), ApiError> {
        match of {
            Of::Own => Ok((Reach::Nothing, Some(actor.person()?.card.id))),
            Of::Others => Ok((actor.require(Action::Files)?, None)),
        }
    }

    /// Files, newest first; `limit` is held between 1 and 200. The total is exact, and on first pages.
    pub async fn list(
        &self,
        actor: &Actor,
        of: Of,
        kind: Kind,
        filter: &FileFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<File>, ApiError> {
        let (reach, own) = Self::whose(actor, of)?;
        let after = cursor.map(decode).transpose()?;
        let (store, table, limit) = (self.store(), kind.table(), limit.clamp(1, LIMIT_MAX));
        let condition = rows::condition(table, reach, own, filter);
        let total = match after {
            None => Some(store.within(rows::count(store.read(), table, condition.clone())).await?),
            Some(_) => None,
        };
        let mut items = store.within(rows::page(store.read(), table, condition, after, limit + 1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|f| cursor::encode(&[&f.created_at.0.to_string()], f.id));
        Ok(Page { items, next, total })
    }

    /// Exact sums over what the filter matches.
    pub async fn summary(&self, actor: &Actor, of: Of, kind: Kind, filter: &FileFilter) -> Result<Summary, ApiError> {
        let (reach, own) = Self::whose(actor, of)?;
        let condition = rows::condition(kind.table(), reach, own, filter);
        let snapshot = self.store().within(self.store().snapshot()).await?;
        self.store().within(rows::summary(&snapshot, kind.table(), &condition)).await
    }

    /// An output as it is shown.
    pub fn output(&self, file: File) -> OutputView {
        OutputView::new(file, self.settings().retention_outputs)
    }

    /// Workflows (or sources) in use, the newest first.
    pub async fn labels(&self, actor: &Actor, of: Of, kind: Kind) -> Result<Vec<String>, ApiError> {
        let (reach, own) = Self::whose(actor, of)?;
        let (store, table) = (self.store(), kind.table());
        let condition = rows::condition(table, reach, own, &FileFilter::default());
        store.within(rows::labels(store.read(), table, condition, LABELS)).await
    }

    /// How many bytes the actor's uploads have, and may have; 0 is no limit.
    pub async fn quota(&self, actor: &Actor) -> Result<(u64, u64), ApiError> {
        let id = actor.person()?.card.id;
        let used = self.store().within(rows::used(self.store().read(), Table::Uploads, id)).await?;
        Ok((used, self.settings().upload_quota))
    }

    /// Uploads on their way, as far as the actor may see them.
    pub fn arriving(&self, actor: &Actor) -> Result<Vec<Arriving>, ApiError> {
        let reach = actor.require(Action::Files)?;
        Ok(self.inner.running.now().into_iter().filter(|a| reach.covers(a.organisation)).collect())
    }

    /// One's own file, or one within reach; 404 for any other.
    pub async fn one(&self, actor: &Actor, kind: Kind, id: Uuid) -> Result<File, ApiError> {
        let own = actor.person()?.card.id;
        let store = self.store();
        let file = store.within(rows::one(store.read(), kind.table(), id)).await?;
        let reach = actor.reach(Action::Files);
        let mine = |f: &File| f.user_id == own || reach.covers(f.organisation);
        let file = file.filter(mine).ok_or_else(ApiError::not_found)?;
        // A report is only for who may see now what is in it, and be it their own.
        let of = match reach {
            Reach::Everything => return Ok(file),
            Reach::Organisation(of) => Some(of),
            Reach::Nothing => None,
        };
        if kind == Kind::Output && store.within(reports::is_beyond(store.read(), id, of)).await? {
            return Err(ApiError::not_found());
        }
        Ok(file)
    }

    /// The bytes of a file that `one` gave, or a part of them. Fetching another person's is written down.
    pub async fn download(
        &self,
        actor: &Actor,
        kind: Kind,
        file: &File,
        part: Option<Range<u64>>,
        ip: &str,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, ApiError> {
        // What goes on with a download is the same download.
        let begins = part.as_ref().is_none_or(|p| p.start == 0);
        let bytes = self.storage().read(file.id, part).await.map_err(|e| {
            if is_missing(&e) {
                tracing::error!(id = %file.id, "a file is not in the storage");
                return ApiError::new(ErrorCode::NotFound, "The content of this file is gone from the storage.");
            }
            lost(&e)
        })?;
        if begins {
            self.note(actor, kind, file, ip).await?;
        }
        Ok(bytes)
    }

    async fn note(&self, actor: &Actor, kind: Kind, file: &File, ip: &str) -> Result<(), ApiError> {
        let person = actor.person()?;
        let about = About { card: &person.card, session: Some(person.session), ip: Some(ip) };
        let txn = self.sessions.begin().await?;
        self.sessions.inner.events.append(&txn, "download", about).await.map_err(db)?;
        if file.user_id != person.card.id {
            let action = if kind == Kind::Upload { "upload_fetched" } else { "output_fetched" };
            let by = By { name: actor.label(), ip: Some(ip) };
            audit::append(&txn, self.clock(), by, entry(action, file)).await.map_err(db)?;
        }
        commit(txn).await
    }

    /// Deletes a file: its owner, or an administrator, who confirms it. It is gone when this returns, or soon after.
    pub async fn delete(&self, actor: &Actor, kind: Kind, id: Uuid, ip: &str) -> Result<(), ApiError> {
        let file = self.one(actor, kind, id).await?;
        let own = actor.user_id() == Some(file.user_id);
        if !own {
            actor.require(Action::Accounts)?;
            actor.require_fresh(self.clock().now())?;
        }
        let txn = self.sessions.begin().await?;
        if !rows::delete(&txn, kind.table(), id).await.map_err(db)? {
            return Err(ApiError::not_found());
        }
        let action = if kind == Kind::Upload { "upload_deleted" } else { "output_deleted" };
        audit::append(&txn, self.clock(), By { name: actor.label(), ip: Some(ip) }, entry(action, &file))
            .await
            .map_err(db)?;
        commit(txn).await?;
        self.wake();
        if kind.table() == Table::Uploads {
            self.tell_uploads(file.user_id, None).await;
            self.notices.ring_all().await;
        }
        Ok(())
    }

    /// Tells those who watch what a person's last uploads are, and which of them is new.
    pub(super) async fn tell_uploads(&self, user: UserId, new: Option<&File>) {
        let store = self.store();
        match store.within(rows::recent(store.read(), Some(user), RECENT)).await {
            Ok(recent) => {
                let names = recent.into_iter().map(|(_, name)| name).collect();
                let presence = &self.sessions.inner.presence;
                presence.uploads_are(user, names);
                if let Some(file) = new {
                    presence.uploaded(file.organisation, UploadView::from(file.clone()));
                }
            }
            Err(e) => tracing::warn!(error = %e, "a person's last uploads could not be told"),
        }
    }

    /// Everybody's last uploads, for the hub at its start.
    pub(crate) async fn tell_all_uploads(&self) -> Result<(), ApiError> {
        let store = self.store();
        let mut all = std::collections::HashMap::<UserId, Vec<String>>::new();
        for (user, name) in store.within(rows::recent(store.read(), None, RECENT)).await? {
            all.entry(user).or_default().push(name);
        }
        for (user, names) in all {
            self.sessions.inner.presence.uploads_are(user, names);
        }
        Ok(())
    }
}

fn entry<'a>(action: &'a str, file: &'a File) -> Entry<'a> {
    Entry {
        action,
        subject_kind: "user",
        subject: Some(&file.username),
        details: Some(json!({"file": file.id, "size": file.size})),
    }
}

fn decode(text: &str) -> Result<(Time, Uuid), ApiError> {
    let parsed = cursor::decode::<1>(text).and_then(|([at], id)| Some((Time(at.parse().ok()?), id)));
    parsed.ok_or_else(|| ApiError::new(ErrorCode::BadRequest, cursor::STRANGE))
}
