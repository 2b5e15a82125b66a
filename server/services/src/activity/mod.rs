//! What people do: written as it happens, counted as it is written, and read by themselves and those who may.
//!
//! - `write`: the queue, and the one task that empties it into batches. `track`: what clients tell. `limit`: how much.
//! - `read`: lists, a person's own summary and journey. `export`: taking events out. `live`: those who watch.
//! - `days`: counting days anew when another zone is in force. `load`: events by the million, for measurements.
//!
//! Page views and actions wait in memory for company, a quarter of a second at most. Sign-ins, sign-outs and what else
//! is an act of its own are written by `append` within the act's transaction.

mod days;
mod export;
mod limit;
mod live;
mod load;
mod read;
mod track;
mod write;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{SessionId, Time, account::UserCard, activity::Zone, presence::ConnectionId};
use sea_orm::{ConnectionTrait, DbErr};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    export::Export,
    load::{Ingested, PastEvents},
};
use self::{export::Followed, limit::Limits, live::Watcher, write::Queue};
use crate::{
    clock::Clock,
    settings::Present,
    store::{
        Store,
        events::{self, NewEvent, Routes},
    },
};

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) card: &'a UserCard,
    /// Nothing of what we do by ourselves for somebody.
    pub(crate) session: Option<SessionId>,
    pub(crate) ip: Option<&'a str>,
}

struct Inner {
    store: Store,
    clock: Clock,
    settings: Present,
    queue: Queue,
    limits: Limits,
    /// Std mutexes, held while memory is changed and never while anything is waited for.
    routes: Mutex<Routes>,
    watchers: Mutex<HashMap<ConnectionId, Watcher>>,
    exports: Mutex<Vec<Arc<Followed>>>,
    /// One batch at a time, so that order holds.
    gate: tokio::sync::Mutex<()>,
}

/// The handle on what people do; a cheap clone.
#[derive(Clone)]
pub struct Activity {
    inner: Arc<Inner>,
}

impl Activity {
    pub(crate) fn new(store: Store, clock: Clock, settings: Present) -> Self {
        let (queue, routes, watchers, exports, gate) = Default::default();
        let limits = Limits::new(&clock);
        Self { inner: Arc::new(Inner { store, clock, settings, queue, limits, routes, watchers, exports, gate }) }
    }

    /// Starts what writes behind, what tells those who watch, and what counts days anew.
    pub(crate) fn start(&self, stop: &CancellationToken, tasks: &TaskTracker) {
        tasks.spawn(self.clone().run(stop.clone()));
        tasks.spawn(self.clone().run_live(stop.clone()));
        tasks.spawn(self.clone().run_days(stop.clone()));
    }

    /// The zone by whose days things are counted.
    pub fn zone(&self) -> Zone {
        Zone::parse(&self.inner.settings.now().zone).unwrap_or_default()
    }

    /// Writes an event of `kind` within the caller's transaction, which is one of `Store::begin`.
    pub(crate) async fn append(&self, txn: &impl ConnectionTrait, kind: &str, about: About<'_>) -> Result<(), DbErr> {
        self.append_since(txn, kind, about, None).await
    }

    /// The same for what began at `since`.
    pub(crate) async fn append_since(
        &self,
        txn: &impl ConnectionTrait,
        kind: &str,
        about: About<'_>,
        since: Option<Time>,
    ) -> Result<(), DbErr> {
        let at = self.inner.clock.now();
        let event = NewEvent {
            seq: 0,
            id: self.inner.clock.new_id(),
            at,
            kind: kind.to_owned(),
            user: Some(about.card.id),
            session: about.session,
            organisation: about.card.organisation.as_ref().map(|o| o.id),
            route: None,
            ip: about.ip.map(str::to_owned),
            dur_ms: since.map(|since| at.since(since).max(0)),
            details: None,
        };
        events::append(txn, self.zone(), event).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every critical section leaves what it holds whole, so a poisoned lock holds no broken state.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
