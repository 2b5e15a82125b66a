//! From transitions to stretches of time: what the history is to keep, before anybody writes it down.
//!
//! The roster leaves a `Trace` of everything, including what came and went between two flushes. A `Book` folds traces
//! into stretches and holds those that are not written yet, bounded however long the database is away.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Cause, State};
use crate::{SessionId, Time, UserId};

/// Distinct pages kept of one stretch: the last of them; each is as long as `PAGE_MAX` lets it be.
pub const PAGES: usize = 20;
/// Closed stretches that may wait before each person's are merged into one: some 10 MB, ten seconds of a storm.
pub const WAITING: usize = 50_000;

/// What the roster tells of a person, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// The state changed, or only who may see it.
    Moved(Move),
    /// Nothing of that, but the page.
    Visited { user: UserId, page: String },
}

impl Trace {
    pub fn user(&self) -> UserId {
        match self {
            Self::Moved(to) => to.user,
            Self::Visited { user, .. } => *user,
        }
    }
}

/// What a person is from now on. Session and page are those of the connection with the newest input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub user: UserId,
    pub state: State,
    pub invisible: bool,
    pub at: Time,
    pub cause: Cause,
    pub session: Option<SessionId>,
    pub page: Option<String>,
}

/// A stretch of a person's time in one state; offline is where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub id: Uuid,
    pub user: UserId,
    pub state: State,
    /// Chose to be invisible: offline to all but admins.
    pub invisible: bool,
    pub from: Time,
    /// Nothing while it lasts.
    pub to: Option<Time>,
    pub cause: Cause,
    pub end_cause: Option<Cause>,
    pub session: Option<SessionId>,
    pub pages: Vec<String>,
}

impl Stretch {
    /// Whether the page is news.
    fn visit(&mut self, page: String) -> bool {
        if self.pages.contains(&page) {
            return false;
        }
        if self.pages.len() == PAGES {
            self.pages.remove(0);
        }
        // Most people see one page in a stretch.
        self.pages.reserve_exact(1);
        self.pages.push(page);
        true
    }
}

/// What is not written of a stretch that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unwritten {
    Nothing,
    Pages,
    Everything,
}

/// The stretches that last, and the closed ones that wait to be written.
#[derive(Debug, Default)]
pub struct Book {
    open: HashMap<UserId, (Stretch, Unwritten)>,
    /// Whose open stretch is not written; and whose pages are not. Names may be in here twice, or in vain.
    begun: Vec<UserId>,
    visited: Vec<UserId>,
    /// In order, for each person.
    closed: Vec<Stretch>,
    merge_at: usize,
    merged: u64,
    ended: bool,
}

impl Book {
    /// Takes in a trace; `new_id` makes the id of the stretch that begins.
    pub fn note(&mut self, trace: Trace, new_id: impl FnOnce() -> Uuid) {
        if self.ended {
            return;
        }
        match trace {
            Trace::Moved(to) => self.moved(to, new_id),
            Trace::Visited { user, page } => {
                if let Some((stretch, unwritten)) = self.open.get_mut(&user)
                    && stretch.visit(page)
                    && *unwritten == Unwritten::Nothing
                {
                    *unwritten = Unwritten::Pages;
                    self.visited.push(user);
                }
            }
        }
    }

    fn moved(&mut self, to: Move, new_id: impl FnOnce() -> Uuid) {
        let Move { user, state, invisible, at, cause, session, page } = to;
        if let Some((stretch, _)) = self.open.remove(&user) {
            self.close(stretch, at, cause);
        }
        if state != State::Offline {
            let (id, pages) = (new_id(), page.into_iter().collect());
            let s = Stretch { id, user, state, invisible, from: at, to: None, cause, end_cause: None, session, pages };
            self.open.insert(user, (s, Unwritten::Everything));
            self.begun.push(user);
        }
    }

    fn close(&mut self, mut stretch: Stretch, at: Time, cause: Cause) {
        // Should the wall clock have been set back, what is now is not in the future, and nothing ends before it began.
        stretch.from = stretch.from.min(at);
        (stretch.to, stretch.end_cause) = (Some(at), Some(cause));
        self.closed.push(stretch);
        if self.closed.len() >= self.merge_at.max(WAITING) {
            self.merge();
        }
    }

    /// Makes one of each person's closed stretches. We cannot tell any more what they were in it, so it is `unknown`.
    fn merge(&mut self) {
        let mut of: HashMap<UserId, usize> = HashMap::new();
        let mut kept: Vec<Stretch> = vec![];
        for s in self.closed.drain(..) {
            let Some(&i) = of.get(&s.user) else {
                of.insert(s.user, kept.len());
                kept.push(s);
                continue;
            };
            let first = &mut kept[i];
            (first.state, first.to, first.end_cause) = (State::Unknown, s.to, s.end_cause);
            first.invisible |= s.invisible;
            for page in s.pages {
                first.visit(page);
            }
            self.merged += 1;
        }
        self.closed = kept;
        // With more people than fit, merging again at once would find nothing to merge.
        self.merge_at = 2 * self.closed.len();
    }

    /// Closes everything and takes in nothing more.
    pub fn end(&mut self, at: Time, cause: Cause) {
        let mut open: Vec<Stretch> = std::mem::take(&mut self.open).into_values().map(|(s, _)| s).collect();
        open.sort_unstable_by_key(|s| s.id);
        for s in open {
            self.close(s, at, cause);
        }
        self.ended = true;
    }

    /// Edges, to be written in full; in order, for each person.
    pub fn take(&mut self) -> Vec<Stretch> {
        let mut all = std::mem::take(&mut self.closed);
        self.merge_at = 0;
        let begun = std::mem::take(&mut self.begun);
        self.take_open(begun, Unwritten::Everything, &mut all);
        all
    }

    /// Stretches that last and were written before, but for the newest of their pages.
    pub fn take_pages(&mut self) -> Vec<Stretch> {
        let mut all = vec![];
        let visited = std::mem::take(&mut self.visited);
        self.take_open(visited, Unwritten::Pages, &mut all);
        all
    }

    fn take_open(&mut self, names: Vec<UserId>, which: Unwritten, all: &mut Vec<Stretch>) {
        for user in names {
            if let Some((stretch, unwritten)) = self.open.get_mut(&user).filter(|(_, u)| *u == which) {
                *unwritten = Unwritten::Nothing;
                all.push(stretch.clone());
            }
        }
    }

    /// What was taken and could not be written.
    pub fn put_back(&mut self, taken: impl IntoIterator<Item = Stretch>) {
        let (mut closed, open): (Vec<_>, Vec<_>) = taken.into_iter().partition(|s| s.to.is_some());
        closed.append(&mut self.closed);
        self.closed = closed;
        for s in open {
            // One that was closed meanwhile waits in full.
            if let Some((_, unwritten)) = self.open.get_mut(&s.user).filter(|(o, _)| o.id == s.id) {
                *unwritten = Unwritten::Everything;
                self.begun.push(s.user);
            }
        }
    }

    /// Whether an edge waits.
    pub fn is_waiting(&self) -> bool {
        !(self.closed.is_empty() && self.begun.is_empty())
    }

    /// How many stretches last, and how many closed ones wait.
    pub fn sizes(&self) -> (usize, usize) {
        (self.open.len(), self.closed.len())
    }

    /// How many were merged into others since the last call.
    pub fn take_merged(&mut self) -> u64 {
        std::mem::take(&mut self.merged)
    }
}
