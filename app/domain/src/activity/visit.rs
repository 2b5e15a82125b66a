//! Visits: runs of a person's events.

use super::{ACTION, Lengths, NEW_DEVICE, PAGE_VIEW};
use crate::{
    SessionId, Time, UserId,
    time::{MINUTE, Millis},
};

/// The longest pause within a visit: a gap of exactly this goes on.
pub const GAP: Millis = 30 * MINUTE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    pub user: UserId,
    pub from: Time,
    pub to: Time,
    /// The number of its first event, and the session of that.
    pub first_seq: i64,
    pub session: SessionId,
    pub events: u32,
    pub views: u32,
    pub actions: u32,
}

impl Visit {
    /// That of a single event; nothing for what was done to somebody, and not by them.
    pub fn of(user: UserId, at: Time, seq: i64, session: SessionId, kind: &str) -> Option<Self> {
        (kind != NEW_DEVICE).then(|| Self {
            user,
            from: at,
            to: at,
            first_seq: seq,
            session,
            events: 1,
            views: u32::from(kind == PAGE_VIEW),
            actions: u32::from(kind == ACTION),
        })
    }

    pub fn length(&self) -> Millis {
        self.to.since(self.from)
    }

    /// One page, and nothing done there.
    pub fn is_bounce(&self) -> bool {
        (self.views, self.actions) == (1, 0)
    }

    /// Whether no more than the gap is between them.
    fn meets(&self, other: &Self) -> bool {
        self.user == other.user && other.from.since(self.to) <= GAP && self.from.since(other.to) <= GAP
    }

    fn join(&mut self, other: &Self) {
        if (other.from, other.first_seq) < (self.from, self.first_seq) {
            (self.from, self.first_seq, self.session) = (other.from, other.first_seq, other.session);
        }
        self.to = self.to.max(other.to);
        self.events += other.events;
        self.views += other.views;
        self.actions += other.actions;
    }
}

/// Puts together what is one visit, by person and time. In whatever order events come, and in whatever portions, the
/// visits are the same, as long as each event comes once.
pub fn visits(mut parts: Vec<Visit>) -> Vec<Visit> {
    parts.sort_unstable_by_key(|v| (v.user, v.from, v.first_seq));
    let mut all: Vec<Visit> = Vec::with_capacity(parts.len());
    for part in parts {
        match all.last_mut().filter(|last| last.meets(&part)) {
            Some(last) => last.join(&part),
            None => all.push(part),
        }
    }
    all
}

/// How long they are; those of a single event count with 0.
pub fn lengths(visits: &[Visit]) -> Lengths {
    Lengths::of(visits.iter().map(Visit::length).collect())
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};
    use uuid::Uuid;

    use super::*;

    fn event(seq: i64, user: u128, minute: i64, kind: &str) -> Visit {
        Visit::of(Uuid::from_u128(user), Time(minute * MINUTE), seq, Uuid::nil(), kind).unwrap()
    }

    /// V1, with `seq` in the order of the text.
    fn v1() -> Vec<Visit> {
        let told = [
            (1, 540, PAGE_VIEW),
            (1, 545, PAGE_VIEW),
            (1, 560, ACTION),
            (1, 590, PAGE_VIEW),
            (1, 621, PAGE_VIEW),
            (2, 540, PAGE_VIEW),
        ];
        (1..).zip(told).map(|(seq, (user, minute, kind))| event(seq, user, minute, kind)).collect()
    }

    #[test]
    fn v1_is_three_visits() {
        let all = visits(v1());
        let l = lengths(&all);
        assert_eq!(all.iter().map(|v| v.length() / 1_000).collect::<Vec<_>>(), [3_000, 0, 0]);
        assert_eq!((l.mean / 1_000, l.median, all.iter().filter(|v| v.is_bounce()).count()), (1_000, 0, 2));
        assert_eq!((all[0].events, all[0].views, all[0].actions), (4, 3, 1));
        let mut later = v1();
        (later[3].from, later[3].to) = (later[3].from.plus(1), later[3].to.plus(1));
        assert_eq!(visits(later).len(), 4, "a gap of a millisecond more ends a visit");
        assert_eq!(Visit::of(Uuid::nil(), Time(0), 1, Uuid::nil(), NEW_DEVICE), None);
    }

    proptest! {
        /// V15 for V1: shuffled, and put together in two portions before the rest.
        #[test]
        fn order_and_portions_change_nothing(swaps in prop::collection::vec(any::<(Index, Index)>(), 0..20),
                                             cuts in any::<(Index, Index)>()) {
            let mut parts = v1();
            for (a, b) in swaps {
                let (a, b) = (a.index(parts.len()), b.index(parts.len()));
                parts.swap(a, b);
            }
            let mut rest = parts.split_off(cuts.0.index(parts.len()));
            let last = rest.split_off(cuts.1.index(rest.len()));
            let some = visits([visits(parts), visits(rest)].concat());
            prop_assert_eq!(visits([last, some].concat()), visits(v1()));
        }

        /// Every event is in one visit of its person, and visits of one person are further apart than the gap.
        #[test]
        fn visits_hold_everything(ats in prop::collection::vec((0..3_u128, 0..200_i64), 0..60)) {
            let parts: Vec<Visit> =
                (0..).zip(&ats).map(|(seq, (user, minute))| event(seq, *user, *minute, PAGE_VIEW)).collect();
            let all = visits(parts.clone());
            for e in &parts {
                let n = all.iter().filter(|v| v.user == e.user && v.from <= e.from && e.to <= v.to).count();
                prop_assert_eq!(n, 1);
            }
            prop_assert_eq!(all.iter().map(|v| v.views as usize).sum::<usize>(), parts.len());
            for pair in all.windows(2).filter(|p| p[0].user == p[1].user) {
                prop_assert!(pair[1].from.since(pair[0].to) > GAP);
            }
        }
    }
}
