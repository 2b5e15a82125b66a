//! What people do, and the rules by which it is counted: pure, over events in the order of `(at, seq)`.
//!
//! - `event`: an event as lists show it, and what filters them. `route`: pages without the ids in their addresses.
//! - `visit`: runs of a person's events. `length`: how long visits and sessions are. `change`: now and before.
//! - `today`: a day of people, as it is shown.
//! - `zone`: days of the reporting zone; the server's alone, since it carries the database of zones.

mod change;
mod event;
mod length;
mod route;
mod today;
mod visit;
#[cfg(feature = "zones")]
mod zone;

#[cfg(feature = "zones")]
pub use self::zone::{Day, Zone};
pub use self::{
    change::Change,
    event::{EventFilter, EventRow, Exported, Exporting, Journey, Step, Summary},
    length::{Lengths, SignIn, session_lengths},
    route::template,
    today::{PopularPage, Today},
    visit::{GAP, Visit, lengths, visits},
};

pub const LOGIN: &str = "login";
pub const LOGOUT: &str = "logout";
pub const NEW_DEVICE: &str = "new_device";
pub const PAGE_VIEW: &str = "page_view";
pub const ACTION: &str = "action";

/// Kinds that a person causes: by these somebody is an active user of a day.
pub const ACTIVE: [&str; 5] = [LOGIN, PAGE_VIEW, ACTION, "upload", "download"];
