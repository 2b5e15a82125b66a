//! Writing activity behind: a request changes memory alone, and what changed is written every few seconds, on stop, and
//! before anything that must agree with it.
//!
//! The newest time wins in memory and in the database; a session that is over or gone is left alone and harms no other;
//! when the database is away everything waits here, bounded by the number of sessions in memory.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use domain::{
    UserId,
    settings::Lifetimes,
    time::{Millis, SECOND},
};
use metrics::{counter, gauge, histogram};
use sea_orm::DbErr;
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{cache::Cache, live::LiveSession};
use crate::{
    settings::Present,
    store::{Store, live},
};

/// What a killed process may lose of "last activity".
const DELAY_MAX: Millis = 10 * SECOND;

#[derive(Clone)]
pub(crate) struct Activity {
    cache: Arc<Cache>,
    store: Store,
    /// One flush at a time: whoever needs the database to be current also waits for what is under way.
    gate: Arc<Mutex<()>>,
    /// When nothing waited any more.
    current: Arc<std::sync::Mutex<Instant>>,
}

/// What is being written; put back unless it was, also when whoever waited for it went away.
struct Taken(Vec<Arc<LiveSession>>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.iter().for_each(|s| s.mark());
    }
}

impl Activity {
    pub(crate) fn new(cache: Arc<Cache>, store: Store) -> Self {
        Self { cache, store, gate: Arc::default(), current: Arc::new(Instant::now().into()) }
    }

    /// Sets what is measured when metrics are read.
    pub(crate) fn measure(&self) {
        let current = *self.current.lock().unwrap_or_else(PoisonError::into_inner);
        gauge!("rollcall_activity_age_seconds").set(current.elapsed().as_secs_f64());
    }

    fn is_current(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Writes everything that waits.
    pub(crate) async fn flush(&self) -> Result<(), DbErr> {
        let _gate = self.gate.lock().await;
        let ids = self.cache.pending.take();
        if ids.is_empty() {
            self.is_current();
            return Ok(());
        }
        let mut taken = Taken(self.cache.by_ids(&ids));
        let changes: Vec<_> = taken.0.iter().map(|s| s.take_activity()).collect();
        let started = Instant::now();
        let written = live::write(&self.store, changes.clone()).await?;
        taken.0.drain(..).zip(&changes).for_each(|(s, a)| s.written(a));
        self.is_current();
        histogram!("rollcall_activity_flush_seconds").record(started.elapsed());
        counter!("rollcall_activity_written_total").increment(written);
        Ok(())
    }

    /// Writes what waits of one person, before an act on their sessions alone; it stays marked.
    pub(crate) async fn flush_of(&self, user: UserId) -> Result<(), DbErr> {
        let sessions = self.cache.by_ids(&self.cache.pending.copy());
        let changes: Vec<_> = sessions.iter().filter(|s| s.user_id() == user).map(|s| s.activity()).collect();
        if !changes.is_empty() {
            live::write(&self.store, changes).await?;
        }
        Ok(())
    }

    /// Flushes until `stop`, and once more then.
    pub(crate) async fn run(self, settings: Present, stop: CancellationToken) {
        loop {
            let every = Duration::from_millis(interval(&settings.now().lifetimes) as u64);
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(every) => false,
            };
            if let Err(e) = self.flush().await {
                tracing::warn!(error = %e, "activity could not be written; it is kept");
            }
            if stopping {
                return;
            }
        }
    }
}

/// At most 10 s, and a tenth of the idle limit when that is shorter.
fn interval(l: &Lifetimes) -> Millis {
    (l.shortest_idle() / 10).clamp(50, DELAY_MAX)
}
