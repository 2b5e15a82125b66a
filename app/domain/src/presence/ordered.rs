//! Rows in an order, kept as they change: what a live query and a page of everybody are read from.

use std::{collections::BTreeMap, sync::Arc};

use super::{PersonRow, Query, Sort, roster::Change};
use crate::UserId;

/// A place in the order: what `Sort::compare` compares, kept so that a row can be found again when it changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Number(i64),
    Text(String),
}

fn rank(sort: Sort, row: &PersonRow) -> Rank {
    match sort {
        Sort::Started => Rank::Number(row.session_started_at.0),
        Sort::StartedDesc => Rank::Number(-row.session_started_at.0),
        Sort::Name => Rank::Text(row.name.to_lowercase()),
        Sort::State => Rank::Number(-(row.state as i64)),
        Sort::Activity => Rank::Number(-row.last_activity_at.0),
    }
}

/// Everybody who matches a query, in its order.
#[derive(Debug)]
pub struct Ordered {
    query: Query,
    rows: BTreeMap<(Rank, UserId), Arc<PersonRow>>,
}

impl Ordered {
    /// Over `rows`. Changes that led to them must have been taken from the roster before: whoever is told of them again,
    /// from rows it never held, would keep both.
    pub fn new<'a>(query: Query, rows: impl Iterator<Item = &'a Arc<PersonRow>>) -> Self {
        let matching = rows.filter(|r| query.matches(r));
        let rows = matching.map(|r| ((rank(query.sort, r), r.id), Arc::clone(r))).collect();
        Self { query, rows }
    }

    pub fn apply(&mut self, changes: &[Change]) {
        for c in changes {
            if let Some(row) = &c.before {
                self.rows.remove(&(rank(self.query.sort, row), row.id));
            }
            if let Some(row) = c.after.as_ref().filter(|r| self.query.matches(r)) {
                self.rows.insert((rank(self.query.sort, row), row.id), Arc::clone(row));
            }
        }
    }

    /// How many match.
    pub fn total(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Costs what it passes over and shows; rows before the offset are not looked at.
    pub fn window(&self, limit: usize, offset: usize) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.rows.values().skip(offset).take(limit)
    }
}
