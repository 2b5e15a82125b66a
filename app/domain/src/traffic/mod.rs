//! Requests: how many, how quickly answered, and how they ended. Time is an argument; nothing here reads a clock.
//!
//! - `durations`: what can be added up, and what is read from it. `tally`: the counts beside it, and what they come to.
//! - `recent`: the last hour by seconds. `slots`: quarters of an hour by route, for good. `callers`: who asked most.
//! - `report`: slots summed up for a page. `view`: how it is told.

mod callers;
mod durations;
mod recent;
mod report;
mod slots;
mod tally;
mod view;

pub use self::{
    callers::Callers,
    durations::Durations,
    recent::{KEPT, Recent},
    report::{Report, RouteRow},
    slots::{Row, SLOT, Slots, slot_of},
    tally::{Asker, Point, Seen, Series, Tally, Totals, class},
    view::{Current, Figures, Line, Pool, Sample},
};
