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
    activity::Zone,
    traffic::{Callers, Recent, Row, Seen, Series, Slots, class},
};

pub use self::read::{Range, Shown};
use crate::{activity::Activity, clock::Clock, presence::Presence, store::Store};

/// The handle on traffic; a cheap clone.
#[derive(Clone)]
pub struct Traffic {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// Knows the zone in which days begin.
    activity: Activity,
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

/// Requests since midnight in the server's zone.
#[derive(Clone, Copy)]
struct Today {
    zone: Zone,
    begins: Time,
    ends: Time,
    requests: u64,
    errors: u64,
    refused: u64,
}

impl Default for Today {
    fn default() -> Self {
        Self::of(Zone::default(), Time(0))
    }
}

impl Today {
    /// Nothing yet, on the day of `now`.
    fn of(zone: Zone, now: Time) -> Self {
        let (begins, ends) = zone.span(zone.day(now));
        Self { zone, begins, ends, requests: 0, errors: 0, refused: 0 }
    }

    /// As of `now`: another day begins with nothing.
    fn at(self, now: Time) -> Self {
        if now < self.ends { self } else { Self::of(self.zone, now) }
    }

    fn add(&mut self, status_class: u8, n: u64) {
        self.requests += n;
        self.errors += if status_class == 5 { n } else { 0 };
        self.refused += if status_class == 4 { n } else { 0 };
    }

    /// Adds what these rows count from a slot on.
    fn add_rows(&mut self, rows: &[Row], from: Time) {
        for row in rows.iter().filter(|r| r.slot >= from && Series::of(&r.route) == Series::Requests) {
            self.add(row.class, row.durations.n());
        }
    }
}

impl Traffic {
    /// Goes on with what was written of this quarter of an hour and of today, where this is the server.
    pub(crate) async fn open(
        store: Store,
        activity: Activity,
        presence: Presence,
        clock: Clock,
        background: bool,
    ) -> Result<Self, ApiError> {
        let now = clock.now();
        let counted = if background { keep::load(&store, activity.zone(), now).await? } else { Counted::default() };
        let inner = Inner {
            store,
            activity,
            presence,
            clock,
            counted: Mutex::new(counted),
            gate: tokio::sync::Mutex::default(),
        };
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
        today.add(class(seen.status), 1);
        counted.today = today;
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        // A count more or less is the worst that a panic within can leave.
        self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
