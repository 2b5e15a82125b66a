//! The program: everything between a socket and the services.
//!
//! - `settings`, `log`, `cli`: how it is started. `serve`: listeners, background work and the graceful stop.
//! - `router`: every route and every layer, in order: a table of contents. `access`: who may call what.
//!   `http`: one layer a file.
//! - `api`: REST, one file per noun. `live`: the socket. `pages`: the UI of `app`. `assets`: files inside the binary.
//! - `activity_file`, `audit_file`, `people_file`, `csv`: what is downloaded and exported.
//! - `ops`: health and metrics, on a listener of their own.
//!
//! Rules do not live here: handlers are thin doors onto `services`, which take the `Actor` and decide.

pub mod access;
mod activity_file;
pub mod api;
pub mod assets;
pub mod audit_file;
pub mod cli;
pub mod http;
pub mod live;
pub mod log;
pub mod ops;
pub mod pages;
pub mod people_file;
pub mod router;
pub mod serve;
pub mod settings;
