//! The queue, and the one task that empties it: a batch and what is counted of it in one transaction.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use domain::ApiError;
use metrics::{counter, gauge, histogram};
use sea_orm::DbErr;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Activity, lock};
use crate::store::events::{self, NewEvent, Routes};

/// Events wait this long for company: what a crash may lose.
const DELAY: Duration = Duration::from_millis(250);
/// For more company than this nobody waits.
const BATCH: usize = 500;
/// When more wait, as many are written at once, in less than 100 ms of the writer: each costs less among others.
const MOST: usize = 2_000;
/// More wait for nobody: a second of the most that can be written.
const WAITING: usize = 20_000;
/// Nor do more bytes of what was told with them.
const BYTES: usize = 16 << 20;
/// How often those are forgotten who told nothing lately.
const FORGET: Duration = Duration::from_mins(1);
/// After a failure.
const RETRY: Duration = Duration::from_secs(1);

/// What is not written yet; bounded.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// There is something, and there is a batch of it.
    some: Notify,
    many: Notify,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<NewEvent>,
    bytes: usize,
}

fn size(e: &NewEvent) -> usize {
    e.details.as_ref().map_or(0, String::len) + e.route.as_ref().map_or(0, String::len)
}

impl Queue {
    /// 503 when the writer is too far behind: better refused than lost.
    fn push(&self, event: NewEvent) -> Result<(), ApiError> {
        let mut w = lock(&self.waiting);
        if w.events.len() >= WAITING || w.bytes + size(&event) > BYTES {
            counter!("rollcall_events_refused_total").increment(1);
            return Err(ApiError::unavailable());
        }
        w.bytes += size(&event);
        w.events.push_back(event);
        match w.events.len() {
            1 => self.some.notify_one(),
            BATCH => self.many.notify_one(),
            _ => {}
        }
        Ok(())
    }

    fn take(&self) -> Vec<NewEvent> {
        let mut w = lock(&self.waiting);
        let n = w.events.len().min(MOST);
        let batch: Vec<NewEvent> = w.events.drain(..n).collect();
        w.bytes -= batch.iter().map(size).sum::<usize>();
        batch
    }

    fn put_back(&self, batch: Vec<NewEvent>) {
        let mut w = lock(&self.waiting);
        w.bytes += batch.iter().map(size).sum::<usize>();
        for event in batch.into_iter().rev() {
            w.events.push_front(event);
        }
        self.some.notify_one();
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.waiting).events.len()
    }
}

/// What is being written; put back unless it was, also when whoever waited for it went away.
struct Taken<'a> {
    queue: &'a Queue,
    batch: Vec<NewEvent>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.batch.is_empty() {
            self.queue.put_back(std::mem::take(&mut self.batch));
        }
    }
}

impl Activity {
    pub(super) fn push(&self, event: NewEvent) -> Result<(), ApiError> {
        self.inner.queue.push(event)
    }

    /// Writes everything that waits.
    pub async fn flush(&self) -> Result<(), ApiError> {
        if self.inner.queue.len() == 0 {
            // What somebody else has taken is written when they let go of the gate.
            drop(self.inner.gate.lock().await);
        }
        while self.write_some().await? {}
        Ok(())
    }

    /// Writes a batch; whether there was one.
    async fn write_some(&self) -> Result<bool, ApiError> {
        let _gate = self.inner.gate.lock().await;
        let queue = &self.inner.queue;
        let mut taken = Taken { queue, batch: queue.take() };
        if taken.batch.is_empty() {
            return Ok(false);
        }
        let started = Instant::now();
        let written = self.inner.store.within(self.write_batch(&mut taken.batch)).await?;
        taken.batch.clear();
        histogram!("rollcall_events_flush_seconds").record(started.elapsed());
        counter!("rollcall_events_written_total").increment(written as u64);
        Ok(true)
    }

    /// One transaction: events, and what is counted of them.
    pub(super) async fn write_batch(&self, batch: &mut [NewEvent]) -> Result<usize, DbErr> {
        let store = &self.inner.store;
        let known = lock(&self.inner.routes).clone();
        let mut fresh = Routes::new();
        let txn = store.begin().await?;
        let written = events::write(&txn, self.zone(), batch, &known, &mut fresh).await?;
        txn.commit().await?;
        if !fresh.is_empty() {
            lock(&self.inner.routes).extend(fresh);
        }
        Ok(written)
    }

    /// Writes until `stop`; what waits then is for `flush`.
    pub(super) async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&self) {
        let queue = &self.inner.queue;
        let mut forgot = Instant::now();
        loop {
            queue.some.notified().await;
            if forgot.elapsed() >= FORGET {
                self.inner.limits.forget();
                forgot = Instant::now();
            }
            tokio::select! {
                () = queue.many.notified() => {}
                () = sleep(DELAY) => {}
            }
            if self.flush().await.is_err() {
                tracing::warn!(waiting = queue.len(), "events could not be written; they are kept");
                sleep(RETRY).await;
                queue.some.notify_one();
            }
        }
    }

    /// Sets what is measured when metrics are read.
    pub(crate) fn measure(&self) {
        gauge!("rollcall_events_waiting").set(self.inner.queue.len() as f64);
    }
}
