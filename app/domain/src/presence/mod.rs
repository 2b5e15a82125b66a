//! Presence: what we say of a person, since when, and why.
//!
//! - `state`: the words: states, causes, manual choices, what a client reports of itself.
//! - `person`: one person's connections and the rule that turns them into a state.
//! - `event`: what may happen. `roster`: everybody; events and time in, changes out; deadlines in one ordered set.
//! - `clocks`: when the process slept or the wall clock was set.
//! - `view`: what watchers read: rows and counts. `query`: which rows, in which order. `ordered`: rows kept in it.
//!   `live`: a window kept current.
//!   `recent`: what went out lately, for those who were cut off.
//! - `sight`: which rows reach whom, and what members see of each other.
//! - `diff`: Phoenix Presence on top of the rows. `topic`: its topics, and whom each is for.
//! - `ledger`: from transitions to what is written down. `history`: what is read of it: who was here, one's day.
//!
//! Nothing here does I/O or reads a clock, so a test can drive thousands of interleavings, and the browser applies
//! patches with the code the server was tested with.

pub mod clocks;
pub mod diff;
mod event;
pub mod history;
pub mod ledger;
pub mod live;
pub mod ordered;
mod person;
pub mod query;
pub mod recent;
pub mod roster;
pub mod sight;
pub mod state;
pub mod topic;
pub mod view;

pub use event::{Closing, Event, Joined};
pub use query::{Query, Sort};
pub use roster::Roster;
pub use sight::Colleague;
pub use state::{Cause, Choice, Chosen, ConnectionId, Report, State, Transition};
pub use view::{Counts, DeviceRow, PersonRow};
