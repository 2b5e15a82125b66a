//! Signs of life on their way to the hub.
//!
//! They move no state as long as they come in time, so the hub is not woken for them: it takes them in before whatever
//! it does next, within a second at most, with the time at which each came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Time, presence::ConnectionId};

/// Bounded by how many frames sockets may send in a second.
#[derive(Debug, Default)]
pub(super) struct Signs(Mutex<Vec<(ConnectionId, Time)>>);

impl Signs {
    fn lock(&self) -> MutexGuard<'_, Vec<(ConnectionId, Time)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, id: ConnectionId, at: Time) {
        self.lock().push((id, at));
    }

    pub(super) fn take(&self) -> Vec<(ConnectionId, Time)> {
        std::mem::take(&mut *self.lock())
    }
}
