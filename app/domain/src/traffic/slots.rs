//! Quarters of an hour, by route and class of status: what is written down for good.

use std::collections::{BTreeMap, HashMap};

use super::{
    Durations,
    tally::{Seen, class},
};
use crate::{Time, time::MINUTE};

/// Days of every zone in use begin at a multiple of it.
pub const SLOT: i64 = 15 * MINUTE;
/// So many are kept while the database takes none.
const UNWRITTEN_MAX: usize = 96;

/// The slot an instant is in.
pub fn slot_of(at: Time) -> Time {
    Time(at.0 - at.0.rem_euclid(SLOT))
}

/// A row: one route and class of status in one slot.
#[derive(Clone, Debug)]
pub struct Row {
    pub slot: Time,
    pub route: String,
    pub class: u8,
    pub durations: Durations,
}

#[derive(Debug, Default)]
struct Cell {
    durations: Durations,
    /// What was counted of it when it was written last.
    written: u64,
}

/// By route, then by class: a lookup takes nothing but the name.
type Routes = HashMap<String, [Option<Box<Cell>>; 5]>;

/// The running slot, and those before it that are not written yet.
#[derive(Debug, Default)]
pub struct Slots(BTreeMap<Time, Routes>);

impl Slots {
    pub fn record(&mut self, at: Time, seen: &Seen<'_>) {
        let slot = slot_of(at);
        let routes = self.0.entry(slot).or_default();
        if !routes.contains_key(seen.route) {
            routes.insert(seen.route.to_owned(), Default::default());
        }
        if let Some(cells) = routes.get_mut(seen.route) {
            let cell = cells[usize::from(class(seen.status) - 1)].get_or_insert_default();
            cell.durations.record(seen.took_us);
        }
        while self.0.len() > UNWRITTEN_MAX {
            self.0.pop_first();
        }
    }

    /// Takes in a row of the running slot that was written before a restart.
    pub fn load(&mut self, row: Row) {
        let cells = self.0.entry(row.slot).or_default().entry(row.route).or_default();
        let cell = cells[usize::from(row.class.clamp(1, 5) - 1)].get_or_insert_default();
        cell.written += row.durations.n();
        cell.durations.add(&row.durations);
    }

    /// Everything that is in memory.
    pub fn rows(&self) -> Vec<Row> {
        self.collect(|_| true)
    }

    /// What was counted since it was written last.
    pub fn changed(&self) -> Vec<Row> {
        self.collect(|cell| cell.durations.n() > cell.written)
    }

    fn collect(&self, wanted: impl Fn(&Cell) -> bool) -> Vec<Row> {
        let mut rows = vec![];
        for (slot, routes) in &self.0 {
            for (route, cells) in routes {
                for (class, cell) in (1..).zip(cells) {
                    if let Some(cell) = cell.as_ref().filter(|c| wanted(c)) {
                        let (route, durations) = (route.clone(), cell.durations.clone());
                        rows.push(Row { slot: *slot, route, class, durations });
                    }
                }
            }
        }
        rows
    }

    /// These are written. A slot that is over and written whole is let go.
    pub fn wrote(&mut self, rows: &[Row], now: Time) {
        for row in rows {
            let cells = self.0.get_mut(&row.slot).and_then(|routes| routes.get_mut(&row.route));
            let cell = cells.and_then(|c| c.get_mut(usize::from(row.class - 1))).and_then(Option::as_mut);
            if let Some(cell) = cell {
                cell.written = row.durations.n();
            }
        }
        let running = slot_of(now);
        self.0.retain(|slot, routes| {
            let whole = || routes.values().flatten().flatten().all(|c| c.durations.n() <= c.written);
            *slot >= running || !whole()
        });
    }
}
