//! What the rows of a report come to: grown while they are read.

use std::collections::BTreeMap;

/// Sums by one thing.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) title: &'static str,
    pub(super) of: &'static str,
    pub(super) measures: Vec<&'static str>,
    groups: BTreeMap<String, Vec<u64>>,
}

impl Sums {
    pub(super) fn new(title: &'static str, of: &'static str, measures: &[&'static str]) -> Self {
        Self { title, of, measures: measures.to_vec(), groups: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, group: String, numbers: &[u64]) {
        let sums = self.groups.entry(group).or_insert_with(|| vec![0; numbers.len()]);
        for (sum, n) in sums.iter_mut().zip(numbers) {
            *sum += n;
        }
    }

    /// As what is counted in is said in something larger.
    pub(super) fn divide(&mut self, by: u64) {
        self.groups.values_mut().flatten().for_each(|n| *n /= by);
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Days in order; all others begin with the most of the first measure.
    pub(super) fn rows(&self) -> Vec<(&str, &[u64])> {
        let mut rows: Vec<(&str, &[u64])> = self.groups.iter().map(|(group, sums)| (&**group, &**sums)).collect();
        if self.of != DAY {
            rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.first().copied()));
        }
        rows
    }
}

pub(super) const DAY: &str = "Day";
pub(super) const PERSON: &str = "Person";

/// What a report comes to.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) title: &'static str,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) sums: Vec<Sums>,
}
