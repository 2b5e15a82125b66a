//! Writing the ledger behind: the hub notes what happened in memory, one task writes it down.
//!
//! Nobody who notes ever waits for the database: what cannot be written stays in the `Book`, which is bounded. A stretch
//! is written when it begins and when it ends; what a `kill -9` leaves open is closed by the next start at the server's
//! last proof of life, which goes with every write and is renewed while anybody is here.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    ApiError,
    presence::{
        Cause,
        ledger::{Book, Stretch, Trace},
    },
};
use metrics::{counter, gauge, histogram};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    store::{Store, interval},
};

/// Edges wait this long for company; with the write itself they are in the database within 250 ms.
const DELAY: Duration = Duration::from_millis(100);
/// How often the proof of life is renewed and pages are written: what a `kill -9` may take off the end of an interval.
const RENEW: Duration = Duration::from_secs(10);
/// After a failure.
const RETRY: Duration = Duration::from_secs(1);

/// A cheap clone.
#[derive(Clone)]
pub(super) struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    /// A std mutex, held while memory is changed and never while anything is waited for.
    book: Mutex<Book>,
    wake: Notify,
    /// One write at a time, so that order holds.
    gate: tokio::sync::Mutex<()>,
}

impl Inner {
    fn book(&self) -> MutexGuard<'_, Book> {
        // Every critical section leaves the book whole, so a poisoned lock holds no broken state.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is being written; what was not is put back, also when whoever waited for it went away.
struct Taken<'a> {
    inner: &'a Inner,
    rows: Vec<Stretch>,
    written: usize,
}

impl Taken<'_> {
    /// What goes into the next transaction.
    fn next(&self) -> Option<&[Stretch]> {
        self.rows[self.written..].chunks(interval::BATCH).next()
    }

    /// It is written; `rows` of the table changed.
    fn wrote(&mut self, rows: u64) {
        counter!("rollcall_ledger_written_total").increment(rows);
        self.written += self.next().map_or(0, <[_]>::len);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.inner.book().put_back(self.rows.drain(..).skip(self.written));
    }
}

impl Ledger {
    /// Closes what a server that died left open; nothing may be noted before.
    pub(super) async fn open(store: Store, clock: Clock) -> Result<Self, ApiError> {
        let closed = store.within(interval::close_open(&store)).await?;
        if closed > 0 {
            tracing::info!(closed, "intervals of presence end at the last proof of life");
        }
        let (book, wake, gate) = Default::default();
        Ok(Self { inner: Arc::new(Inner { store, clock, book, wake, gate }) })
    }

    pub(super) fn note(&self, traces: Vec<Trace>) {
        if traces.is_empty() {
            return;
        }
        let Inner { clock, wake, .. } = &*self.inner;
        let mut book = self.inner.book();
        for trace in traces {
            book.note(trace, || clock.new_id());
        }
        if book.is_waiting() {
            wake.notify_one();
        }
    }

    /// The server stops: everybody's interval ends here, and what sockets do from now on is our doing, not theirs.
    pub(super) fn end(&self) {
        let Inner { clock, wake, .. } = &*self.inner;
        self.inner.book().end(clock.now(), Cause::ServerRestart);
        wake.notify_one();
    }

    /// Writes everything that waits.
    pub(super) async fn flush(&self) -> Result<(), ApiError> {
        self.write(true, false).await
    }

    /// Writes edges, and `pages` of what lasts; with `prove`, the proof of life even when there is nothing else.
    async fn write(&self, pages: bool, prove: bool) -> Result<(), ApiError> {
        let Inner { store, clock, gate, .. } = &*self.inner;
        let _gate = gate.lock().await;
        let now = clock.now();
        let taken = |rows| Taken { inner: &self.inner, rows, written: 0 };
        let mut edges = taken(self.inner.book().take());
        let mut visited = taken(if pages { self.inner.book().take_pages() } else { vec![] });
        if prove && edges.rows.is_empty() && visited.rows.is_empty() {
            return store.within(interval::prove(store, now)).await;
        }
        let started = Instant::now();
        while let Some(rows) = edges.next() {
            let written = store.within(interval::write(store, rows, now)).await?;
            edges.wrote(written);
        }
        // In the order of the table, so that neighbours are written together.
        visited.rows.sort_unstable_by_key(|s| s.id);
        while let Some(rows) = visited.next() {
            let written = store.within(interval::write_pages(store, rows, now)).await?;
            visited.wrote(written);
        }
        if edges.written + visited.written > 0 {
            histogram!("rollcall_ledger_flush_seconds").record(started.elapsed());
        }
        Ok(())
    }

    /// Writes until `stop`; what waits then is for `flush`.
    pub(super) async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&self) {
        let mut renew_at = Instant::now() + RENEW;
        loop {
            tokio::select! {
                () = self.inner.wake.notified() => sleep(DELAY).await,
                () = sleep_until(renew_at) => {}
            }
            let renew = Instant::now() >= renew_at;
            if renew {
                renew_at = Instant::now() + RENEW;
            }
            let (here, _) = self.inner.book().sizes();
            if self.write(renew, renew && here > 0).await.is_err() {
                tracing::warn!("intervals of presence could not be written; they are kept");
                sleep(RETRY).await;
                self.inner.wake.notify_one();
            }
            let mut book = self.inner.book();
            gauge!("rollcall_ledger_waiting").set(book.sizes().1 as f64);
            counter!("rollcall_ledger_merged_total").increment(book.take_merged());
        }
    }
}
