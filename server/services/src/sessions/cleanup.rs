//! What time does to sessions, and what other processes did to them.

use std::{sync::Arc, time::Duration};

use domain::{Actor, ApiError, ErrorCode, access::Action, time::Millis};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio_util::sync::CancellationToken;

use super::{Inner, Sessions};
use crate::{
    audit::{self, By, Entry},
    store::{
        db, ending,
        sweep::{BATCH, Sweep},
    },
};

/// How often the clean-up runs by itself.
const EVERY: Duration = Duration::from_hours(1);
/// How long who asked for one waits: less than the request's own limit, and than most clients and proxies have patience.
pub const CLEAN_UP_PATIENCE: Duration = Duration::from_secs(20);
/// How often a server looks for what other processes ended: a quarter of the promised 2 s.
const WATCH: Duration = Duration::from_millis(500);

/// What a clean-up did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanedUp {
    /// Sessions whose time was over, now written down as ended when it was.
    pub ended: u64,
    /// Ended sessions that were kept long enough.
    pub deleted: u64,
    /// Whether it is still going on: these are the numbers so far.
    pub more: bool,
}

impl Sessions {
    /// The clean-up on demand, to its end; asks for sudo mode, since what it deletes is gone. Ended sessions are deleted after `older_than`, or after the retention in force.
    pub async fn clean_up(&self, actor: &Actor, older_than: Option<Millis>) -> Result<CleanedUp, ApiError> {
        self.clean_up_within(actor, older_than, Duration::MAX).await
    }

    /// The same for whoever cannot wait: it leaves others their turn, so much of it takes minutes. After `patience` the
    /// answer is what it has done so far. While one runs there is no second.
    pub async fn clean_up_within(
        &self,
        actor: &Actor,
        older_than: Option<Millis>,
        patience: Duration,
    ) -> Result<CleanedUp, ApiError> {
        actor.require(Action::CleanUp)?;
        actor.require_fresh(self.now())?;
        let turn = self.turn_to_clean().ok_or_else(|| {
            let running = "A clean-up is running already. What it did will be in the audit log when it is done.";
            ApiError::new(ErrorCode::Conflict, running)
        })?;
        let (progress, so_far) = watch::channel(CleanedUp::default());
        // A task of its own: where the request is given up, the rest is cleaned up and written down all the same.
        let (this, actor) = (self.clone(), actor.clone());
        let task = tokio::spawn(async move {
            let done = this.clean_up_to_the_end(&actor, older_than, &progress).await;
            drop(turn);
            done
        });
        match tokio::time::timeout(patience, task).await {
            Err(_) => Ok(CleanedUp { more: true, ..*so_far.borrow() }),
            Ok(Ok(done)) => done,
            Ok(Err(e)) => {
                tracing::error!(error = %e, "a clean-up broke off");
                Err(ApiError::internal())
            }
        }
    }

    /// Nothing while another clean-up of this process runs, by itself or on demand.
    fn turn_to_clean(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.inner.cleaning).try_lock_owned().ok()
    }

    async fn clean_up_to_the_end(
        &self,
        actor: &Actor,
        older_than: Option<Millis>,
        progress: &watch::Sender<CleanedUp>,
    ) -> Result<CleanedUp, ApiError> {
        let swept = self.sweep(older_than, progress).await;
        // What was deleted before it failed is gone as well.
        let done = *progress.borrow();
        if swept.is_ok() || done != CleanedUp::default() {
            self.record_clean_up(actor.into(), done, older_than).await?;
        }
        swept.map(|()| done)
    }

    /// In batches, each a transaction of its own, so that sign-ins get their turn between two. Never needed for
    /// correctness, so a server that stops leaves the rest to the next.
    async fn sweep(&self, older_than: Option<Millis>, progress: &watch::Sender<CleanedUp>) -> Result<(), ApiError> {
        let Inner { store, settings, cache, serving, stop, .. } = &*self.inner;
        let settings = settings.now();
        self.flush().await?;
        let now = self.now();
        let before = now.plus(-older_than.unwrap_or(settings.retention_sessions).max(0));
        let mut sweep = Sweep::new(store);
        loop {
            let n = sweep.end_expired(now, !serving).await.map_err(db)?;
            progress.send_modify(|done| done.ended += n);
            if n < BATCH as u64 || stop.is_cancelled() {
                break;
            }
        }
        loop {
            let n = sweep.delete_ended(before).await.map_err(db)?;
            progress.send_modify(|done| done.deleted += n);
            if n < BATCH as u64 || stop.is_cancelled() {
                break;
            }
        }
        sweep.retain(&settings, now, stop).await.map_err(db)?;
        cache.sweep(now);
        Ok(())
    }

    async fn record_clean_up(&self, by: By<'_>, done: CleanedUp, older_than: Option<Millis>) -> Result<(), ApiError> {
        let details = json!({"ended": done.ended, "deleted": done.deleted, "older_than_ms": older_than});
        let entry = Entry {
            action: "sessions_cleaned_up",
            subject_kind: "sessions",
            details: Some(details),
            ..Entry::default()
        };
        self.inner.audit.record(by, entry).await
    }

    /// Cleans up every hour until `stop`.
    pub(crate) async fn run_clean_up(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            // One on demand does the same.
            let Some(turn) = self.turn_to_clean() else { continue };
            let (progress, _) = watch::channel(CleanedUp::default());
            let swept = self.sweep(None, &progress).await;
            let done = *progress.borrow();
            tracing::info!(ended = done.ended, deleted = done.deleted, "cleaned up");
            // What it marks as ended was over already; what it deletes is gone for good.
            let recorded =
                if done.deleted == 0 { Ok(()) } else { self.record_clean_up(audit::SYSTEM, done, None).await };
            if let Err(e) = swept.and(recorded) {
                tracing::warn!(error = %e, "the clean-up failed; it will be tried again");
            }
            drop(turn);
        }
    }

    /// The number of the last ending so far: where a watch begins.
    pub(crate) async fn last_ending(&self) -> Result<i64, ApiError> {
        let store = &self.inner.store;
        store.within(ending::last(store.read())).await
    }

    /// Takes out of memory, and off their sockets, sessions that were ended after number `seq`, and gives the others the
    /// cards that changed; the last number. What this process did itself is among them and does no harm.
    pub async fn follow(&self, seq: i64) -> Result<i64, ApiError> {
        let store = &self.inner.store;
        let news = store.within(ending::since(store.read(), seq)).await?;
        self.ended(&news.ended).await;
        self.cards_changed(&news.changed).await?;
        Ok(news.last)
    }

    /// Follows what other processes end until `stop`.
    pub(crate) async fn run_watch(self, mut seq: i64, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(WATCH) => {}
            }
            match self.follow(seq).await {
                Ok(last) => seq = last,
                Err(e) => tracing::debug!(error = %e, "could not look for endings"),
            }
        }
    }
}
