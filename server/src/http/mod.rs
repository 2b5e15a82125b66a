//! One layer a file, in the order of the router: `request_id` (and the one place that writes an error), `trace`,
//! `client` (whose address it is), `headers`, `actor` (whose session it is), `refusals` (what is written down
//! of a no), `second_factor` (who has to set one up first), `gate` (who may open a page).
//!
//! `database` says whether anybody can be believed at all. `extract` holds what handlers take in and give back. To add a
//! layer: a file here, a line in `router`.

pub mod actor;
pub mod client;
pub mod database;
pub mod extract;
pub mod gate;
pub mod headers;
pub mod limit;
pub mod refusals;
pub mod request_id;
pub mod second_factor;
pub mod trace;
pub mod upload;
