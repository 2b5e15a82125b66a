//! Which session has which sockets, how many one may have, and when a session's time is over.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{
    SessionId, Time,
    presence::ConnectionId,
    time::{Millis, SECOND},
};

use super::Outbox;
use crate::sessions::LiveSession;

/// Clients are told the end this long before, so that the warning a minute before (R19) is never a false one.
const TELL_BEFORE: i64 = 75 * SECOND;

/// Clients that come back after a restart are spread over this much at least,
const RETRY_WITHIN_MIN: Millis = 500;
/// over a second more for each four thousand of them, which is what one server takes in beside its other work,
const RETURNS_PER_MS: usize = 4;
/// and never over more than this: the restart grace is 45 s.
const RETRY_WITHIN_MAX: Millis = 30 * SECOND;

/// Why a socket is not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The session ended since it was authenticated.
    Ended,
    TooManyOfSession,
    TooManyOfAddress,
    Stopping,
}

pub(super) struct Entry {
    pub(super) session: Arc<LiveSession>,
    pub(super) sockets: Vec<(ConnectionId, Arc<Outbox>)>,
    /// The end its clients know.
    pub(super) told: Time,
    /// When to look at its end again.
    due: Time,
}

#[derive(Default)]
pub(super) struct Registry {
    last: ConnectionId,
    sessions: HashMap<SessionId, Entry>,
    of: HashMap<ConnectionId, SessionId>,
    by_address: HashMap<String, u32>,
    due: BTreeSet<(Time, SessionId)>,
}

impl Registry {
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// Within which time the clients there are now should return, each at a moment of its own, should we restart.
    pub(super) fn retry_within(&self) -> Millis {
        (RETRY_WITHIN_MIN + (self.len() / RETURNS_PER_MS) as Millis).min(RETRY_WITHIN_MAX)
    }

    pub(super) fn add(
        &mut self,
        session: &Arc<LiveSession>,
        outbox: Arc<Outbox>,
        per_session: u32,
        per_address: u32,
        now: Time,
    ) -> Result<ConnectionId, Refused> {
        let at_limit = |limit: u32, n: usize| limit > 0 && n >= limit as usize;
        if !session.is_live(now) {
            return Err(Refused::Ended);
        }
        if at_limit(per_session, self.sessions.get(&session.id).map_or(0, |e| e.sockets.len())) {
            return Err(Refused::TooManyOfSession);
        }
        if at_limit(per_address, self.by_address.get(&session.ip).map_or(0, |n| *n as usize)) {
            return Err(Refused::TooManyOfAddress);
        }
        self.last += 1;
        let id = self.last;
        *self.by_address.entry(session.ip.clone()).or_default() += 1;
        self.of.insert(id, session.id);
        let entry = self.sessions.entry(session.id).or_insert_with(|| {
            let told = session.expires_at();
            let due = look_at(told, now);
            self.due.insert((due, session.id));
            Entry { session: Arc::clone(session), sockets: vec![], told, due }
        });
        entry.sockets.push((id, outbox));
        Ok(id)
    }

    /// Takes a socket out; gives its session when that was the last one.
    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Arc<LiveSession>> {
        let session = self.of.remove(&id)?;
        let entry = self.sessions.get_mut(&session)?;
        entry.sockets.retain(|(c, _)| *c != id);
        if let Some(n) = self.by_address.get_mut(&entry.session.ip) {
            *n -= 1;
            if *n == 0 {
                self.by_address.remove(&entry.session.ip);
            }
        }
        if !entry.sockets.is_empty() {
            return None;
        }
        let entry = self.sessions.remove(&session)?;
        self.due.remove(&(entry.due, session));
        Some(entry.session)
    }

    pub(super) fn get(&self, session: SessionId) -> Option<&Entry> {
        self.sessions.get(&session)
    }

    pub(super) fn outbox(&self, id: ConnectionId) -> Option<&Arc<Outbox>> {
        let entry = self.sessions.get(self.of.get(&id)?)?;
        entry.sockets.iter().find(|(c, _)| *c == id).map(|(_, o)| o)
    }

    pub(super) fn outboxes(&self) -> impl Iterator<Item = &Arc<Outbox>> {
        self.sessions.values().flat_map(|e| e.sockets.iter().map(|(_, o)| o))
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(t, _)| *t)
    }

    /// Sessions whose end is to be looked at: those that are over, and those whose clients should hear a new end.
    pub(super) fn look(&mut self, now: Time) -> (Vec<Arc<LiveSession>>, Vec<SessionId>) {
        let (mut over, mut tell) = (vec![], vec![]);
        while let Some(&(due, id)) = self.due.first().filter(|(t, _)| *t <= now) {
            self.due.pop_first();
            let Some(entry) = self.sessions.get_mut(&id) else { continue };
            debug_assert_eq!(due, entry.due);
            let expires_at = entry.session.expires_at();
            if !entry.session.is_live(now) {
                over.push(Arc::clone(&entry.session));
                entry.due = Time(i64::MAX);
                continue;
            }
            if expires_at != entry.told {
                entry.told = expires_at;
                tell.push(id);
            }
            entry.due = look_at(expires_at, now);
            self.due.insert((entry.due, id));
        }
        (over, tell)
    }

    /// Ends moved by other lifetimes: all are looked at again. Gives those whose clients should hear a new end.
    pub(super) fn retime(&mut self, now: Time) -> Vec<SessionId> {
        let mut tell = vec![];
        self.due.clear();
        for (id, entry) in &mut self.sessions {
            let expires_at = entry.session.expires_at();
            if expires_at != entry.told {
                entry.told = expires_at;
                tell.push(*id);
            }
            entry.due = look_at(expires_at, now);
            self.due.insert((entry.due, *id));
        }
        tell
    }

    /// Marks what a session's clients have been told; true when it is news worth a frame.
    pub(super) fn tell(&mut self, session: &LiveSession) -> bool {
        let expires_at = session.expires_at();
        let Some(entry) = self.sessions.get_mut(&session.id) else { return false };
        let worth = expires_at.since(entry.told) > (session.idle() / 20).clamp(SECOND, 60 * SECOND);
        if worth {
            entry.told = expires_at;
        }
        worth
    }
}

/// First a while before the end, then at the end.
fn look_at(expires_at: Time, now: Time) -> Time {
    let before = expires_at.plus(-TELL_BEFORE);
    if before > now { before } else { expires_at }
}
