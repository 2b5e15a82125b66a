//! What went out lately, so that a watcher who was cut off is told only what it missed.

use std::collections::{HashMap, VecDeque};

use super::roster::Change;
use crate::{
    Time, UserId,
    time::{MINUTE, Millis},
};

/// Changes remembered: two seconds of the busiest hub we measure, the whole of `KEPT_FOR` on a calm one. Rows are shared
/// with the roster, so ten thousand arrivals cost no more than their places here.
const CHANGES_MAX: usize = 4_096;
/// Whoever comes back later than this gets a snapshot.
const KEPT_FOR: Millis = 2 * MINUTE;

#[derive(Debug)]
struct Flush {
    seq: u64,
    at: Time,
    changes: Vec<Change>,
}

/// The latest flushes, oldest first, without a gap.
#[derive(Debug, Default)]
pub struct Recent {
    flushes: VecDeque<Flush>,
    changes: usize,
    /// The last flush, remembered or not.
    seq: u64,
}

impl Recent {
    /// Remembers what went out under `seq`, which is one more than the last.
    pub fn push(&mut self, seq: u64, changes: Vec<Change>, now: Time) {
        self.seq = seq;
        self.changes += changes.len();
        self.flushes.push_back(Flush { seq, at: now, changes });
        while let Some(oldest) = self.flushes.front()
            && (self.changes > CHANGES_MAX || now.since(oldest.at) > KEPT_FOR)
        {
            self.changes -= oldest.changes.len();
            self.flushes.pop_front();
        }
    }

    /// Forgets everything: nobody can be told what they missed before now.
    pub fn clear(&mut self) {
        self.flushes.clear();
        self.changes = 0;
    }

    /// What happened after `seq`, each person once: as they were then, and as they are. Nothing when that is not known
    /// any more.
    pub fn since(&self, seq: u64) -> Option<Vec<Change>> {
        let oldest = self.flushes.front().map_or(self.seq, |f| f.seq - 1);
        if !(oldest..=self.seq).contains(&seq) {
            return None;
        }
        let mut missed: HashMap<UserId, Change> = HashMap::new();
        for c in self.flushes.iter().filter(|f| f.seq > seq).flat_map(|f| &f.changes) {
            missed.entry(c.id).and_modify(|m| m.after.clone_from(&c.after)).or_insert_with(|| c.clone());
        }
        Some(missed.into_values().filter(|c| c.before != c.after).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_remembered_without_a_gap_is_told() {
        let changes = |n: usize| vec![Change { id: UserId::nil(), before: None, after: None }; n];
        let mut recent = Recent::default();
        assert!(recent.since(0).is_some() && recent.since(1).is_none());
        for seq in 1..=10 {
            recent.push(seq, changes(1), Time(seq as i64));
        }
        assert!((0..=10).all(|seq| recent.since(seq).is_some()) && recent.since(11).is_none());
        recent.push(11, changes(CHANGES_MAX - 4), Time(11));
        assert!(recent.since(5).is_none() && recent.since(6).is_some());
        recent.push(12, changes(1), Time(11 + KEPT_FOR + 1));
        assert!(recent.since(10).is_none() && recent.since(11).is_some());
        recent.push(13, changes(CHANGES_MAX + 1), Time(0));
        assert!(recent.since(12).is_none() && recent.since(13).is_some());
        recent.clear();
        assert!(recent.since(13).is_some() && recent.since(12).is_none());
    }
}
