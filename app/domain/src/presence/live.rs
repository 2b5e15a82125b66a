//! A live query: a window on the people who match, kept current by patches.
//!
//! The server keeps a `View` per watcher, which costs what changed and what its window shows, not how many people
//! there are; the browser keeps a `Mirror`. After every step the mirror equals a fresh snapshot (property test).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Counts, PersonRow, Query, Sort, ordered::Ordered, query::LIMIT_MAX, roster::Change};
use crate::{Time, UserId};

/// What a watcher asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    pub filter: Query,
    /// Wins over the filter's own order.
    pub sort: Option<Sort>,
    /// Rows, at most 200.
    pub limit: u32,
    pub offset: u32,
    /// Said again by every snapshot of this window, so that who has asked for another since can tell them apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub ask: u32,
    /// Where a mirror of this very window was before its connection broke; heard when a window is opened. What cannot be
    /// resumed is answered with a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

/// The last message a mirror followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    pub epoch: Uuid,
    pub seq: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { filter: Query::default(), sort: None, limit: 50, offset: 0, ask: 0, resume: None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The whole window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Changes with every start of the server: sequence numbers of another epoch mean nothing.
    pub epoch: Uuid,
    pub seq: u64,
    /// Of the window's rows, so that a mirror notices when it differs.
    pub hash: String,
    pub counts: Counts,
    /// How many match.
    pub total: u32,
    pub rows: Vec<PersonRow>,
    pub as_of: Time,
    /// The window's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ask: u32,
}

/// How a window begins: the reply to its join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The mirror stands as it was, and patches follow from there; else a snapshot comes.
    pub resumed: bool,
    pub epoch: Uuid,
    /// What the next message follows, and the hash of the rows there: a mirror that has others asks for a snapshot.
    pub seq: u64,
    pub hash: String,
}

/// What changed in the window since `prev`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    pub epoch: Uuid,
    pub seq: u64,
    /// The sequence number of the message this one follows.
    pub prev: u64,
    pub hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// New rows go to the end, known ones stay where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upsert: Vec<PersonRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<UserId>,
    /// The window's ids in order; only when the rule above does not give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<UserId>>,
    pub as_of: Time,
}

/// The server's side of one watcher.
#[derive(Debug)]
pub struct View {
    members: Ordered,
    limit: usize,
    offset: usize,
    ask: u32,
    /// What the watcher shows: ids in order, as after the last message.
    shown: Vec<UserId>,
    total: u32,
    seq: u64,
}

impl View {
    /// A view over `rows`, which are those within the watcher's reach (see `Ordered::new`).
    pub fn new<'a>(window: Window, rows: impl Iterator<Item = &'a Arc<PersonRow>>) -> Self {
        let mut query = window.filter;
        query.sort = window.sort.unwrap_or(query.sort);
        let (limit, offset) = (window.limit.clamp(1, LIMIT_MAX) as usize, window.offset as usize);
        let (members, ask) = (Ordered::new(query, rows), window.ask);
        Self { members, limit, offset, ask, shown: vec![], total: 0, seq: 0 }
    }

    /// A view as its watcher saw it at `seq`, before `missed` happened: over rows that have all of that behind them.
    /// `apply` of the same changes then gives the one patch that was missed.
    pub fn resume<'a>(
        window: Window,
        rows: impl Iterator<Item = &'a Arc<PersonRow>>,
        missed: &'a [Change],
        seq: u64,
    ) -> Self {
        let changed: HashSet<UserId> = missed.iter().map(|c| c.id).collect();
        let before = missed.iter().filter_map(|c| c.before.as_ref());
        let mut view = Self::new(window, rows.filter(|r| !changed.contains(&r.id)).chain(before));
        view.shown = view.window().map(|r| r.id).collect();
        view.total = view.members.total();
        view.seq = seq;
        view
    }

    /// Where the view is, for the reply to its join.
    pub fn opened(&self, resumed: bool, epoch: Uuid) -> Opened {
        Opened { resumed, epoch, seq: self.seq, hash: hash_of(self.window().map(|r| &**r)) }
    }

    fn window(&self) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.members.window(self.limit, self.offset)
    }

    /// The window as it is; what follows builds on it.
    pub fn snapshot(&mut self, epoch: Uuid, seq: u64, counts: Counts, now: Time) -> Snapshot {
        self.shown = self.window().map(|r| r.id).collect();
        self.total = self.members.total();
        self.seq = seq;
        let rows: Vec<PersonRow> = self.window().map(|r| at(r, now)).collect();
        Snapshot { epoch, seq, hash: hash(&rows), counts, total: self.total, rows, as_of: now, ask: self.ask }
    }

    /// Takes in changes of people within the watcher's reach; gives the patch, if the watcher sees any of it.
    pub fn apply(
        &mut self,
        changes: &[Change],
        epoch: Uuid,
        seq: u64,
        counts: Option<Counts>,
        now: Time,
    ) -> Option<Patch> {
        self.members.apply(changes);
        let changed: HashSet<UserId> = changes.iter().map(|c| c.id).collect();
        let shown: HashSet<UserId> = self.shown.iter().copied().collect();
        let rows: Vec<&Arc<PersonRow>> = self.window().collect();
        let ids: Vec<UserId> = rows.iter().map(|r| r.id).collect();
        let now_shown: HashSet<UserId> = ids.iter().copied().collect();
        let upsert: Vec<PersonRow> =
            rows.iter().filter(|r| changed.contains(&r.id) || !shown.contains(&r.id)).map(|r| at(r, now)).collect();
        let remove: Vec<UserId> = self.shown.iter().copied().filter(|id| !now_shown.contains(id)).collect();
        let total = Some(self.members.total()).filter(|t| *t != self.total);
        if upsert.is_empty() && remove.is_empty() && total.is_none() && counts.is_none() {
            return None;
        }
        let kept = self.shown.iter().copied().filter(|id| now_shown.contains(id));
        let added = ids.iter().copied().filter(|id| !shown.contains(id));
        let order = (!kept.chain(added).eq(ids.iter().copied())).then(|| ids.clone());
        let hash = hash_of(rows.iter().map(|r| &***r));
        let prev = std::mem::replace(&mut self.seq, seq);
        self.total = self.members.total();
        self.shown = ids;
        Some(Patch { epoch, seq, prev, hash, counts, total, upsert, remove, order, as_of: now })
    }
}

/// A row as it goes out: with the age its session has now.
pub fn at(row: &PersonRow, now: Time) -> PersonRow {
    PersonRow { session_seconds: now.since(row.session_started_at).max(0) / 1_000, ..row.clone() }
}

/// FNV-1a over what a watcher must not get wrong: who, in which order, in which state, since when.
fn hash_of<'a>(rows: impl Iterator<Item = &'a PersonRow>) -> String {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |bytes: &[u8]| {
        for b in bytes {
            h = (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for r in rows {
        eat(r.id.as_bytes());
        eat(&[r.state as u8]);
        eat(&r.since.0.to_le_bytes());
    }
    format!("{h:016x}")
}

/// The hash of a window's rows.
pub fn hash(rows: &[PersonRow]) -> String {
    hash_of(rows.iter())
}

/// The patch does not fit: ask for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diverged;

/// The browser's side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mirror {
    pub rows: Vec<PersonRow>,
    pub counts: Counts,
    pub total: u32,
    pub as_of: Time,
    epoch: Uuid,
    seq: u64,
}

impl Mirror {
    pub fn new(s: Snapshot) -> Self {
        Self { rows: s.rows, counts: s.counts, total: s.total, as_of: s.as_of, epoch: s.epoch, seq: s.seq }
    }

    /// Where to go on after a break.
    pub fn resume(&self) -> Resume {
        Resume { epoch: self.epoch, seq: self.seq }
    }

    /// Follows the server by one patch. After `Diverged` the mirror must be replaced by a snapshot.
    pub fn apply(&mut self, p: Patch) -> Result<(), Diverged> {
        if (p.epoch, p.prev) != (self.epoch, self.seq) {
            return Err(Diverged);
        }
        let gone: HashSet<UserId> = p.remove.into_iter().collect();
        self.rows.retain(|r| !gone.contains(&r.id));
        let mut place: HashMap<UserId, usize> = self.rows.iter().enumerate().map(|(i, r)| (r.id, i)).collect();
        for row in p.upsert {
            if let Some(i) = place.get(&row.id) {
                self.rows[*i] = row;
            } else {
                place.insert(row.id, self.rows.len());
                self.rows.push(row);
            }
        }
        if let Some(order) = p.order {
            let mut by_id: HashMap<UserId, PersonRow> = self.rows.drain(..).map(|r| (r.id, r)).collect();
            self.rows = order.iter().filter_map(|id| by_id.remove(id)).collect();
        }
        if let Some(counts) = p.counts {
            self.counts = counts;
        }
        self.total = p.total.unwrap_or(self.total);
        self.as_of = p.as_of;
        self.seq = p.seq;
        if hash(&self.rows) == p.hash { Ok(()) } else { Err(Diverged) }
    }
}

/// Everybody in the order of a query, for an answer that is not live.
pub fn page<'a>(
    query: &Query,
    limit: u32,
    offset: u32,
    rows: impl Iterator<Item = &'a Arc<PersonRow>>,
    now: Time,
) -> (u32, Vec<PersonRow>) {
    let mut matching: Vec<&Arc<PersonRow>> = rows.filter(|r| query.matches(r)).collect();
    let total = matching.len() as u32;
    let end = (offset as usize).saturating_add(limit as usize).min(matching.len());
    // Only the rows before the page's end need to be in order.
    if end < matching.len() {
        matching.select_nth_unstable_by(end, |a, b| query.sort.compare(a, b));
        matching.truncate(end);
    }
    matching.sort_unstable_by(|a, b| query.sort.compare(a, b));
    (total, matching.iter().skip(offset as usize).map(|r| at(r, now)).collect())
}
