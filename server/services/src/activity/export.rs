//! Taking events out: exactly what the filter shows, row by row, and how far that is.

use std::sync::{Arc, Mutex};

use domain::{
    Actor, ApiError, ErrorCode, UserId,
    access::Action,
    activity::{EventFilter, EventRow, Exported, Exporting},
};
use serde_json::json;

use super::{Activity, lock};
use crate::{
    audit::{self, Entry},
    store::{
        db,
        feed::{self, After},
    },
};

/// Rows fetched at a time, a few hundred KB.
const ROWS: i64 = 1_000;
/// Exports of which it is known how far they are, and how far those were that are over.
const KNOWN: usize = 64;
/// A word to ask by.
const KEY_MAX: usize = 40;

/// An export on its way.
#[derive(Debug)]
pub struct Export {
    actor: Actor,
    filter: EventFilter,
    /// What is written after it began is not of it.
    up_to: i64,
    after: Option<After>,
    done: bool,
    followed: Option<Arc<Followed>>,
}

/// One that somebody asks about.
#[derive(Debug)]
pub(super) struct Followed {
    user: UserId,
    key: String,
    progress: Mutex<Exporting>,
}

impl Followed {
    fn state(&self) -> Exported {
        lock(&self.progress).state
    }

    /// What is over stays as it ended.
    fn end(&self, how: Exported) {
        let mut progress = lock(&self.progress);
        if progress.state == Exported::Running {
            progress.state = how;
        }
    }
}

impl Export {
    /// Nothing more of it may go out once somebody has cancelled it.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.followed.as_ref().is_some_and(|f| f.state() == Exported::Cancelled) {
            return Err(ApiError::new(ErrorCode::Conflict, "This export was cancelled."));
        }
        Ok(())
    }

    /// All of it was handed on.
    pub fn complete(&self) {
        if let Some(followed) = &self.followed {
            followed.end(Exported::Complete);
        }
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Some(followed) = &self.followed {
            followed.end(Exported::Broken);
        }
    }
}

impl Activity {
    /// Whether the actor may take events out right now: 403 for others, and when the password was not given lately.
    pub fn may_export(&self, actor: &Actor) -> Result<(), ApiError> {
        actor.require(Action::Activity)?;
        actor.require_fresh(self.inner.clock.now())
    }

    /// Begins an export of what the filter shows now, which is recorded. Asks for sudo mode. By `key` its actor may ask
    /// how far it is.
    pub async fn begin_export(
        &self,
        actor: &Actor,
        filter: &EventFilter,
        format: &str,
        key: Option<&str>,
    ) -> Result<Export, ApiError> {
        self.may_export(actor)?;
        if key.is_some_and(|key| key.len() > KEY_MAX) {
            return Err(ApiError::new(ErrorCode::BadRequest, format!("A key has at most {KEY_MAX} characters.")));
        }
        let mut export = self.export(actor, filter).await?;
        let store = &self.inner.store;
        let entry = Entry {
            action: "activity_exported",
            subject_kind: "events",
            details: Some(json!({"format": format, "filter": filter})),
            ..Entry::default()
        };
        let txn = store.within(store.begin()).await?;
        audit::append(&txn, &self.inner.clock, actor, entry).await.map_err(db)?;
        txn.commit().await.map_err(db)?;
        export.followed = key.and_then(|key| self.follow(actor.person().ok()?.card.id, key));
        if let Some(followed) = export.followed.clone() {
            // Counted beside it: the first rows do not wait for that.
            let (this, actor, filter, up_to) = (self.clone(), actor.clone(), filter.clone(), export.up_to);
            tokio::spawn(async move {
                let counted = this.count_all(&actor, &filter, up_to).await.ok();
                lock(&followed.progress).expected = counted;
            });
        }
        Ok(export)
    }

    /// The same within an act that asked and recorded already.
    pub(crate) async fn export(&self, actor: &Actor, filter: &EventFilter) -> Result<Export, ApiError> {
        self.flush().await?;
        let store = &self.inner.store;
        let up_to = store.within(feed::last(store.read())).await?;
        let (actor, filter) = (actor.clone(), filter.clone());
        Ok(Export { actor, filter, up_to, after: None, done: false, followed: None })
    }

    /// How many rows an export that has just begun will have.
    pub(crate) async fn export_count(&self, export: &Export) -> Result<u64, ApiError> {
        self.count_all(&export.actor, &export.filter, export.up_to).await
    }

    async fn count_all(&self, actor: &Actor, filter: &EventFilter, up_to: i64) -> Result<u64, ApiError> {
        let reach = actor.require(Action::Activity)?;
        let (store, read) = (&self.inner.store, self.inner.store.read());
        let condition = store.within(feed::condition(read, reach, filter)).await?;
        let condition = store.within(condition.settle(read)).await?;
        store.within(feed::count_all(read, condition, up_to)).await
    }

    /// Nothing where too many go on: then it is not known how far this one is.
    fn follow(&self, user: UserId, key: &str) -> Option<Arc<Followed>> {
        let mut all = lock(&self.inner.exports);
        if all.len() >= KNOWN {
            let over = all.iter().position(|f| f.state() != Exported::Running)?;
            all.remove(over);
        }
        let progress = Mutex::new(Exporting::default());
        let followed = Arc::new(Followed { user, key: key.to_owned(), progress });
        all.push(Arc::clone(&followed));
        Some(followed)
    }

    /// The next rows of an export; none when it is complete.
    pub async fn export_next(&self, export: &mut Export) -> Result<Vec<EventRow>, ApiError> {
        let reach = export.actor.require(Action::Activity)?;
        if export.done {
            return Ok(vec![]);
        }
        export.check()?;
        let (store, read) = (&self.inner.store, self.inner.store.read());
        let condition = store.within(feed::condition(read, reach, &export.filter)).await?;
        let condition = store.within(condition.settle(read)).await?;
        let page = feed::page(read, &condition, export.after, Some(export.up_to), ROWS);
        let rows = store.within(page).await?;
        export.after = rows.last().map(|r| After { at: r.at.0, seq: r.seq });
        export.done = rows.len() < ROWS as usize;
        if let Some(followed) = &export.followed {
            lock(&followed.progress).done += rows.len() as u64;
        }
        Ok(rows)
    }

    /// How far the actor's export of this key is; nothing when there is none. It can be cancelled: what is still to come
    /// of the file does not come.
    pub fn exporting(&self, actor: &Actor, key: &str, cancel: bool) -> Result<Option<Exporting>, ApiError> {
        actor.require(Action::Activity)?;
        let user = actor.person()?.card.id;
        let all = lock(&self.inner.exports);
        let Some(mine) = all.iter().rev().find(|f| f.user == user && f.key == key) else { return Ok(None) };
        if cancel {
            mine.end(Exported::Cancelled);
        }
        Ok(Some(lock(&mine.progress).clone()))
    }
}
