//! What may move on screen: the pure rule behind every live list.
//!
//! Rows that are shown keep their place. Those who leave stay for a while, dimmed. Those who come go to the end at
//! once, since that moves nobody; anywhere else they wait until nothing is being read, pointed at or selected.

use domain::{Time, time::Millis};
use uuid::Uuid;

/// How long somebody who left stays, dimmed.
pub(crate) const LEFT_FOR: Millis = 30_000;

/// A row on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) id: Uuid,
    /// When it was seen to be gone.
    pub(crate) left: Option<Time>,
    /// Whether it may only be out of the window.
    pub(crate) elsewhere: bool,
}

impl Shown {
    fn here(id: Uuid) -> Self {
        Self { id, left: None, elsewhere: false }
    }
}

/// Where somebody who is not in the window may be and not have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// The window holds all there are.
    Nowhere,
    /// It is full, and nobody moves in its order: newcomers push out those at its end.
    End,
    /// It is full, and its order follows something that changes.
    Anywhere,
}

/// What the reader is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    /// The list is scrolled to its top, and has no pointer, focus or selection inside.
    pub(crate) may_shift: bool,
    /// Sorted by something that changes while one looks, and due for it.
    pub(crate) may_sort: bool,
}

/// What is to be on screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) rows: Vec<Shown>,
    /// New rows that wait for `Reader::may_shift`.
    pub(crate) waiting: usize,
}

/// The next picture, from the one on screen and what the server's window holds now.
pub(crate) fn plan(shown: &[Shown], wanted: &[Uuid], now: Time, reader: Reader, beyond: Beyond) -> Plan {
    let is_wanted = |id: &Uuid| wanted.contains(id);
    let last_present = shown.iter().rposition(|s| is_wanted(&s.id));
    let mut rows: Vec<Shown> = Vec::with_capacity(wanted.len());
    for (i, s) in shown.iter().enumerate() {
        let left = (!is_wanted(&s.id)).then(|| s.left.unwrap_or(now));
        let over = left.is_some_and(|t| now.since(t) >= LEFT_FOR);
        let moves_nobody = last_present.is_none_or(|last| i > last);
        if !over || !(reader.may_shift || moves_nobody) {
            let elsewhere = left.is_some()
                && match (s.left, beyond) {
                    // Seen to leave once.
                    (Some(_), _) => s.elsewhere,
                    (None, Beyond::Nowhere) => false,
                    (None, Beyond::End) => moves_nobody,
                    (None, Beyond::Anywhere) => true,
                };
            rows.push(Shown { id: s.id, left, elsewhere });
        }
    }
    if reader.may_shift && reader.may_sort {
        sort(&mut rows, wanted);
    }
    let mut waiting = 0;
    for (i, id) in wanted.iter().enumerate() {
        if rows.iter().any(|r| r.id == *id) {
            continue;
        }
        let follows_all = !wanted[i + 1..].iter().any(|later| rows.iter().any(|r| r.id == *later));
        if follows_all {
            rows.push(Shown::here(*id));
        } else if reader.may_shift {
            let before = wanted[..i].iter().rev().find_map(|e| rows.iter().position(|r| r.id == *e));
            rows.insert(before.map_or(0, |p| p + 1), Shown::here(*id));
        } else {
            waiting += 1;
        }
    }
    Plan { rows, waiting }
}

/// Brings the rows that are present into the wanted order; those who left keep their places.
fn sort(rows: &mut [Shown], wanted: &[Uuid]) {
    let places: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].left.is_none()).collect();
    let present: Vec<Uuid> = places.iter().map(|i| rows[*i].id).collect();
    let ordered = wanted.iter().filter(|id| present.contains(id));
    for (place, id) in places.into_iter().zip(ordered) {
        rows[place] = Shown::here(*id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Reader = Reader { may_shift: false, may_sort: false };
    const FREE: Reader = Reader { may_shift: true, may_sort: false };

    fn plan(shown: &[Shown], wanted: &[Uuid], now: Time, reader: Reader) -> Plan {
        super::plan(shown, wanted, now, reader, Beyond::Nowhere)
    }

    fn ids(numbers: &[u128]) -> Vec<Uuid> {
        numbers.iter().map(|n| Uuid::from_u128(*n)).collect()
    }

    fn shown(numbers: &[u128]) -> Vec<Shown> {
        ids(numbers).into_iter().map(Shown::here).collect()
    }

    fn order(plan: &Plan) -> Vec<u128> {
        plan.rows.iter().map(|r| r.id.as_u128()).collect()
    }

    #[test]
    fn newcomers_at_the_end_come_at_once() {
        let p = plan(&shown(&[1, 2]), &ids(&[1, 2, 3, 4]), Time(0), STILL);
        assert_eq!((order(&p), p.waiting), (vec![1, 2, 3, 4], 0));
    }

    #[test]
    fn newcomers_elsewhere_wait_for_the_reader() {
        let p = plan(&shown(&[1, 2]), &ids(&[9, 1, 8, 2]), Time(0), STILL);
        assert_eq!((order(&p), p.waiting), (vec![1, 2], 2));
        let p = plan(&p.rows, &ids(&[9, 1, 8, 2]), Time(0), FREE);
        assert_eq!((order(&p), p.waiting), (vec![9, 1, 8, 2], 0));
    }

    #[test]
    fn those_who_leave_stay_dimmed_and_then_go_when_they_may() {
        let p = plan(&shown(&[1, 2, 3]), &ids(&[1, 3]), Time(1_000), STILL);
        assert_eq!(order(&p), [1, 2, 3]);
        assert_eq!(p.rows[1].left, Some(Time(1_000)));
        let later = plan(&p.rows, &ids(&[1, 3]), Time(31_000), STILL);
        assert_eq!(order(&later), [1, 2, 3]);
        assert_eq!(order(&plan(&later.rows, &ids(&[1, 3]), Time(31_000), FREE)), [1, 3]);
    }

    #[test]
    fn the_last_ones_go_without_moving_anybody() {
        let p = plan(&shown(&[1, 2, 3]), &ids(&[1]), Time(0), STILL);
        assert_eq!(order(&plan(&p.rows, &ids(&[1]), Time(30_000), STILL)), [1]);
    }

    #[test]
    fn who_is_pushed_out_of_a_full_window_has_not_left() {
        let elsewhere = |beyond, wanted: &[u128]| -> Vec<u128> {
            let plan = super::plan(&shown(&[1, 2, 3]), &ids(wanted), Time(0), FREE, beyond);
            plan.rows.iter().filter(|r| r.elsewhere).map(|r| r.id.as_u128()).collect()
        };
        assert_eq!(elsewhere(Beyond::Nowhere, &[9, 1]), []);
        // 9 came and pushed 3 out; 2 left, since 3, who follows, is still there.
        assert_eq!(elsewhere(Beyond::End, &[9, 1, 2]), [3]);
        assert_eq!(elsewhere(Beyond::End, &[9, 1, 3]), []);
        assert_eq!(elsewhere(Beyond::Anywhere, &[9, 1, 3]), [2]);
    }

    #[test]
    fn who_left_stays_gone_and_who_is_back_is_nowhere_else() {
        let full =
            |shown: &[Shown], wanted: &[u128]| super::plan(shown, &ids(wanted), Time(0), STILL, Beyond::End).rows;
        let gone = full(&shown(&[1, 2, 3]), &[1, 3]);
        assert!(!full(&gone, &[1])[1].elsewhere);
        let out = full(&shown(&[1, 2, 3]), &[1, 2]);
        assert!(out[2].elsewhere);
        assert_eq!(full(&out, &[1, 2, 3]), shown(&[1, 2, 3]));
    }

    #[test]
    fn who_comes_back_is_there_again() {
        let gone = plan(&shown(&[1, 2]), &ids(&[2]), Time(0), STILL);
        let back = plan(&gone.rows, &ids(&[1, 2]), Time(5_000), STILL);
        assert_eq!(back.rows, shown(&[1, 2]));
    }

    #[test]
    fn sorting_waits_and_leaves_the_gone_where_they_are() {
        let start = plan(&shown(&[1, 2, 3]), &ids(&[1, 3]), Time(0), STILL);
        let wanted = ids(&[3, 1]);
        assert_eq!(order(&plan(&start.rows, &wanted, Time(1), FREE)), [1, 2, 3]);
        let sorted = plan(&start.rows, &wanted, Time(1), Reader { may_shift: true, may_sort: true });
        assert_eq!(order(&sorted), [3, 2, 1]);
    }

    #[test]
    fn an_empty_list_fills() {
        assert_eq!(order(&plan(&[], &ids(&[1, 2]), Time(0), STILL)), [1, 2]);
        assert_eq!(plan(&[], &[], Time(0), STILL), Plan::default());
    }
}
