//! The words and rules of Rollcall, shared by server and browser.
//!
//! Lives here: what a thing *is* (an account, a session, a state of presence), the pure rules over it, and the form it
//! has on the wire. Does not live here: I/O, clocks, randomness, frameworks. Time comes in as an argument, so every
//! rule can be tested by property and runs the same in the browser.
//!
//! To add a noun: a file of its own, its rules as functions or methods, its property tests beside it.

pub mod access;
pub mod account;
pub mod activity;
pub mod error;
pub mod files;
pub mod mail;
pub mod notices;
pub mod people;
pub mod preferences;
pub mod presence;
#[cfg(not(target_arch = "wasm32"))]
pub mod reports;
pub mod session;
pub mod settings;
pub mod time;
#[cfg(not(target_arch = "wasm32"))]
pub mod traffic;
pub mod useragent;
pub mod wire;

pub use access::{Actor, Level, Reach};
pub use error::{ApiError, ErrorCode};
pub use time::Time;

/// Ids are UUIDv7: they sort by creation on both databases.
pub type UserId = uuid::Uuid;
pub type SessionId = uuid::Uuid;
pub type OrganisationId = uuid::Uuid;
pub type TeamId = uuid::Uuid;
