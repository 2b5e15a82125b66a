//! Live sessions by token, in memory: what makes the check of a request cost less than a microsecond.
//!
//! Never stale: whatever ends a session takes it out before it answers, and raises the generation, so that a loader
//! whose query was older than the ending cannot put it back.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

use domain::{SessionId, Time, UserId, account::UserCard, settings::Lifetimes};

use super::live::{LiveSession, Pending};
use crate::{geo::Places, store::live::Loaded};

/// More than this many, and those nobody uses are let go: at about 1 kB each, 200 MB.
const CAPACITY: usize = 200_000;

#[derive(Default)]
struct Inner {
    by_hash: HashMap<[u8; 32], Arc<LiveSession>>,
    by_id: HashMap<SessionId, [u8; 32]>,
    /// One card per person, however many devices.
    cards: HashMap<UserId, Weak<UserCard>>,
    /// Raised by every ending and every new token.
    generation: u64,
}

#[derive(Default)]
pub(crate) struct Cache {
    /// A std lock: nothing waits while it is held.
    inner: RwLock<Inner>,
    pub(crate) pending: Arc<Pending>,
    places: Places,
}

impl Cache {
    pub(crate) fn new(places: Places) -> Self {
        Self { places, ..Self::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // Every critical section leaves the maps whole, so a poisoned lock holds no broken state.
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<Arc<LiveSession>> {
        self.read().by_hash.get(hash).cloned()
    }

    pub(crate) fn by_ids(&self, ids: &[SessionId]) -> Vec<Arc<LiveSession>> {
        let inner = self.read();
        ids.iter().filter_map(|id| inner.by_hash.get(inner.by_id.get(id)?).cloned()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.read().by_hash.len()
    }

    /// To be read before the database is, and given back with what was read.
    pub(crate) fn generation(&self) -> u64 {
        self.read().generation
    }

    /// Takes in what was loaded, or gives what is there already; nothing when something ended since `generation`, for
    /// then the database must be asked again.
    pub(crate) fn insert(&self, loaded: Loaded, generation: u64) -> Option<Arc<LiveSession>> {
        let place = self.places.of(&loaded.ip).map(Arc::from);
        let mut inner = self.write();
        if inner.generation != generation {
            return None;
        }
        if let Some(there) = inner.by_hash.get(&loaded.token_hash) {
            return Some(Arc::clone(there));
        }
        if inner.by_hash.len() >= CAPACITY {
            inner.let_go();
        }
        let known = inner.cards.get(&loaded.card.id).and_then(Weak::upgrade).filter(|c| **c == loaded.card);
        let card = known.unwrap_or_else(|| {
            let card = Arc::new(loaded.card.clone());
            inner.cards.insert(card.id, Arc::downgrade(&card));
            card
        });
        let hash = loaded.token_hash;
        let session = Arc::new(LiveSession::new(loaded, card, place, Arc::clone(&self.pending)));
        inner.by_hash.insert(hash, Arc::clone(&session));
        inner.by_id.insert(session.id, hash);
        Some(session)
    }

    /// Takes ended sessions out; requests and sockets that still hold one see that it has ended.
    pub(crate) fn evict(&self, ids: impl IntoIterator<Item = SessionId>) {
        let mut inner = self.write();
        inner.generation += 1;
        for id in ids {
            if let Some(session) = inner.by_id.remove(&id).and_then(|hash| inner.by_hash.remove(&hash)) {
                session.end();
            }
        }
    }

    /// Other lifetimes are in force since `now`; what was over then stays over. A loader whose query was older asks
    /// again.
    pub(crate) fn retime(&self, lifetimes: &Lifetimes, now: Time) {
        let mut inner = self.write();
        inner.generation += 1;
        for s in inner.by_hash.values() {
            if s.is_live(now) { s.retime(lifetimes) } else { s.end() }
        }
    }

    /// The session has a new token; the old one is unknown from now on.
    pub(crate) fn rekey(&self, id: SessionId, hash: [u8; 32], fresh_until: Time) {
        let mut inner = self.write();
        inner.generation += 1;
        if let Some(session) = inner.by_id.remove(&id).and_then(|old| inner.by_hash.remove(&old)) {
            session.freshen(fresh_until);
            inner.by_id.insert(id, hash);
            inner.by_hash.insert(hash, session);
        }
    }

    /// Gives every session of these people their new card. Raises the generation: who was read from the database before
    /// must be read again.
    pub(crate) fn set_cards(&self, cards: &[Arc<UserCard>]) {
        let mut inner = self.write();
        inner.generation += 1;
        let new: HashMap<UserId, &Arc<UserCard>> = cards.iter().map(|c| (c.id, c)).collect();
        for session in inner.by_hash.values() {
            if let Some(card) = new.get(&session.user_id()) {
                session.set_card(Arc::clone(card));
            }
        }
        inner.cards.extend(cards.iter().map(|c| (c.id, Arc::downgrade(c))));
    }

    /// Forgets sessions whose time is over, and cards nobody has.
    pub(crate) fn sweep(&self, now: Time) {
        let mut inner = self.write();
        inner.retain(|s| s.is_live(now) || s.is_dirty() || Arc::strong_count(s) > 1);
        inner.cards.retain(|_, c| c.strong_count() > 0);
    }
}

impl Inner {
    /// Makes room for a sixteenth more: of those nobody holds, and of which the database knows everything.
    fn let_go(&mut self) {
        let mut room = CAPACITY / 16;
        self.retain(|s| {
            let unused = room > 0 && Arc::strong_count(s) == 1 && !s.is_dirty() && !s.is_connected();
            room -= usize::from(unused);
            !unused
        });
    }

    fn retain(&mut self, keep: impl FnMut(&Arc<LiveSession>) -> bool) {
        let mut keep = keep;
        let Self { by_hash, by_id, .. } = self;
        by_hash.retain(|_, s| {
            let stays = keep(s);
            if !stays {
                by_id.remove(&s.id);
            }
            stays
        });
    }
}
