//! Visits: runs of a person's events.

use super::{ACTION, Lengths, PAGE_VIEW};
use crate::{
    Time, UserId,
    time::{MINUTE, Millis},
};

/// The longest pause within a visit: a gap of exactly this goes on.
pub const GAP: Millis = 30 * MINUTE;

/// As much of an event as visits are made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub user: UserId,
    pub at: Time,
    pub seq: i64,
    pub kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    pub user: UserId,
    pub from: Time,
    pub to: Time,
    pub views: u32,
    pub actions: u32,
}

impl Visit {
    pub fn length(&self) -> Millis {
        self.to.since(self.from)
    }

    /// One page, and nothing done there.
    pub fn is_bounce(&self) -> bool {
        (self.views, self.actions) == (1, 0)
    }
}

/// The visits of these events, by person and time. In whatever order events come, and however often each (by its
/// `seq`), the visits are the same.
pub fn visits(mut marks: Vec<Mark>) -> Vec<Visit> {
    marks.sort_unstable();
    marks.dedup_by_key(|m| m.seq);
    let mut all: Vec<Visit> = vec![];
    for m in marks {
        let goes_on = all.last().is_some_and(|v| v.user == m.user && m.at.since(v.to) <= GAP);
        if !goes_on {
            all.push(Visit { user: m.user, from: m.at, to: m.at, views: 0, actions: 0 });
        }
        if let Some(visit) = all.last_mut() {
            visit.to = m.at;
            visit.views += u32::from(m.kind == PAGE_VIEW);
            visit.actions += u32::from(m.kind == ACTION);
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

    /// V1, with `seq` in the order of the text.
    fn v1() -> Vec<Mark> {
        let mark = |(seq, (user, minute, kind)): (i64, (u128, i64, &str))| Mark {
            user: Uuid::from_u128(user),
            at: Time(minute * MINUTE),
            seq,
            kind: kind.to_owned(),
        };
        let told = [
            (1, 540, PAGE_VIEW),
            (1, 545, PAGE_VIEW),
            (1, 560, ACTION),
            (1, 590, PAGE_VIEW),
            (1, 621, PAGE_VIEW),
            (2, 540, PAGE_VIEW),
        ];
        (1..).zip(told).map(mark).collect()
    }

    fn figures(marks: Vec<Mark>) -> (Vec<Millis>, Millis, Millis, usize) {
        let all = visits(marks);
        let l = lengths(&all);
        let bounces = all.iter().filter(|v| v.is_bounce()).count();
        (all.iter().map(|v| v.length() / 1_000).collect(), l.mean / 1_000, l.median, bounces)
    }

    #[test]
    fn v1_is_three_visits() {
        assert_eq!(figures(v1()), (vec![3_000, 0, 0], 1_000, 0, 2));
        let mut later = v1();
        later[3].at = later[3].at.plus(1);
        assert_eq!(visits(later).len(), 4, "a gap of a millisecond more ends a visit");
    }

    proptest! {
        /// V15 for V1: shuffled, and some of them twice.
        #[test]
        fn order_and_repetition_change_nothing(swaps in prop::collection::vec(any::<(Index, Index)>(), 0..20),
                                               twice in prop::collection::vec(any::<Index>(), 0..10)) {
            let mut marks = v1();
            for again in twice {
                marks.push(marks[again.index(6)].clone());
            }
            for (a, b) in swaps {
                let (a, b) = (a.index(marks.len()), b.index(marks.len()));
                marks.swap(a, b);
            }
            prop_assert_eq!(figures(marks), figures(v1()));
        }

        /// Every event is in one visit of its person, and visits of one person are further apart than the gap.
        #[test]
        fn visits_hold_everything(ats in prop::collection::vec((0..3_u128, 0..200_i64), 0..60)) {
            let marks: Vec<Mark> = (0..).zip(&ats).map(|(seq, (user, minute))| Mark {
                user: Uuid::from_u128(*user), at: Time(minute * MINUTE), seq, kind: PAGE_VIEW.to_owned() }).collect();
            let all = visits(marks.clone());
            for m in &marks {
                let n = all.iter().filter(|v| v.user == m.user && v.from <= m.at && m.at <= v.to).count();
                prop_assert_eq!(n, 1);
            }
            prop_assert_eq!(all.iter().map(|v| v.views as usize).sum::<usize>(), marks.len());
            for pair in all.windows(2).filter(|p| p[0].user == p[1].user) {
                prop_assert!(pair[1].from.since(pair[0].to) > GAP);
            }
        }
    }
}
