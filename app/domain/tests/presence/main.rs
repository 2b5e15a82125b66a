//! Presence, proved by property and by example.
//!
//! - `oracle`: what product.md says of a person, computed anew from a plain log, as naively as possible.
//! - `world`: random histories that drive an engine and write that log.
//! - `simulation`: the engine against the oracle; waking late; nothing leaks.
//! - `table`: the rows of product.md at their exact limits. `vectors`: V12 of analytics.md. `story`: whole scenes.
//! - `phoenix`: the Phoenix client's merging as the model of the diffs. `live`: a window and its mirror.
//! - `jumps`: clocks that are set, sleeps, restarts, a hidden tab's day.
//! - `limits`: limits that change while people are here.
//! - `ledger`: what is written down of random histories, against the oracle.
//! - `wire`: frames that nobody would send on purpose.
//!
//! Time is an argument everywhere; nothing sleeps.

mod jumps;
mod ledger;
mod limits;
mod live;
mod oracle;
mod phoenix;
mod simulation;
mod story;
mod table;
mod vectors;
mod wire;
mod world;
