//! What may happen thousands of times and is worth one entry a while: a page that is live, a door that is tried again
//! and again. The first is written, those that follow within a while are counted, and the count is written after it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{Time, time::Millis};

/// At most this many are told apart; the rest count together, so that a flood of names or addresses stays small, in
/// memory as in the log.
const APART: usize = 10_000;

/// What happens, by whom, to what, from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rare {
    pub(crate) action: &'static str,
    pub(crate) actor: String,
    pub(crate) subject_kind: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) ip: Option<String>,
}

impl Rare {
    fn many(&self) -> Self {
        Self { actor: "many".to_owned(), subject: None, ip: None, ..self.clone() }
    }
}

struct Seen {
    until: Time,
    more: u64,
}

#[derive(Default)]
pub(super) struct Seldom(Mutex<HashMap<Rare, Seen>>);

impl Seldom {
    /// What is to be written now, if anything: the thing itself, or one that stands for many of its kind.
    pub(super) fn first(&self, rare: &Rare, now: Time, each: Millis) -> Option<Rare> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rare = if seen.len() < APART || seen.contains_key(rare) { rare.clone() } else { rare.many() };
        if let Some(before) = seen.get_mut(&rare).filter(|s| now < s.until || s.more > 0) {
            // What is over but not yet counted out goes on, so that no count is lost.
            before.more += 1;
            return None;
        }
        seen.insert(rare.clone(), Seen { until: now.plus(each), more: 0 });
        Some(rare)
    }

    /// Those whose while is over, with how many were left out; they are forgotten.
    pub(super) fn over(&self, now: Time) -> Vec<(Rare, u64)> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = seen.extract_if(|_, s| s.until <= now);
        over.filter(|(_, s)| s.more > 0).map(|(rare, s)| (rare, s.more)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rare(subject: &str) -> Rare {
        let subject = Some(subject.to_owned());
        Rare { action: "person_viewed", actor: "ada".into(), subject_kind: "user", subject, ip: None }
    }

    #[test]
    fn the_first_is_written_and_the_rest_are_counted() {
        let seldom = Seldom::default();
        assert_eq!(seldom.first(&rare("mia"), Time(0), 100), Some(rare("mia")));
        assert!(seldom.first(&rare("ben"), Time(0), 100).is_some());
        for at in [1, 50, 99] {
            assert_eq!(seldom.first(&rare("mia"), Time(at), 100), None);
        }
        assert_eq!(seldom.over(Time(99)), []);
        assert_eq!(seldom.over(Time(100)), [(rare("mia"), 3)]);
        assert!(seldom.first(&rare("mia"), Time(100), 100).is_some());
    }

    #[test]
    fn a_flood_counts_as_one() {
        let seldom = Seldom::default();
        let written = (0..APART + 500).filter_map(|n| seldom.first(&rare(&n.to_string()), Time(0), 100)).count();
        assert_eq!(written, APART + 1);
        assert_eq!(seldom.over(Time(100)), [(rare("").many(), 499)]);
    }
}
