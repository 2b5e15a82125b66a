//! What the server is asked for, by whom, and how quickly it answers.
//!
//! - here: the handle. Each request costs one short lock; everything else is made when it is asked for.
//! - `keep`: quarters of an hour, written behind, and what is loaded again at a start. `live`: samples for watchers.
//! - `read`: the figures, a series, and what the page shows.
//!
//! Not here: seeing a request (`server/http/trace`) and adding up (`domain::traffic`).

mod keep;
mod live;
mod read;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{
    ApiError, Time,
    traffic::{Callers, Recent, Seen, Series, Slots, class, day_start},
};

pub use self::read::{Range, Shown};
use crate::{clock::Clock, presence::Presence, store::Store};

/// The handle on traffic; a cheap clone.
#[derive(Clone)]
pub struct Traffic {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    presence: Presence,
    clock: Clock,
    counted: Mutex<Counted>,
    /// One write at a time.
    gate: tokio::sync::Mutex<()>,
}

/// What is in memory.
#[derive(Default)]
struct Counted {
    recent: Recent,
    slots: Slots,
    callers: Callers,
    today: Today,
}

/// Requests since midnight.
#[derive(Clone, Copy, Default)]
struct Today {
    begins: Time,
    requests: u64,
    errors: u64,
    refused: u64,
}

impl Today {
    /// As of `now`: another day begins with nothing.
    fn at(self, now: Time) -> Self {
        let begins = day_start(now);
        if begins > self.begins { Self { begins, ..Self::default() } } else { self }
    }
}

impl Traffic {
    /// Goes on with what was written of this quarter of an hour and of today, where this is the server.
    pub(crate) async fn open(
        store: Store,
        presence: Presence,
        clock: Clock,
        background: bool,
    ) -> Result<Self, ApiError> {
        let now = clock.now();
        let counted = if background { keep::load(&store, now).await? } else { Counted::default() };
        let inner = Inner { store, presence, clock, counted: Mutex::new(counted), gate: tokio::sync::Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A request was answered.
    pub fn record(&self, seen: &Seen<'_>) {
        let now = self.inner.clock.now();
        let mut counted = self.counted();
        counted.recent.record(now, seen);
        counted.slots.record(now, seen);
        if Series::of(seen.route) != Series::Requests {
            return;
        }
        if let Some(asker) = seen.asker {
            counted.callers.record(now, asker);
        }
        let mut today = counted.today.at(now);
        today.requests += 1;
        today.errors += u64::from(class(seen.status) == 5);
        today.refused += u64::from(class(seen.status) == 4);
        counted.today = today;
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        // A count more or less is the worst that a panic within can leave.
        self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
