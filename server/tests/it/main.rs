//! The server from outside: every test starts a real one on port 0, with a database of its own.
//!
//! One binary, because linking is the slow part. Modules mirror the URLs; `harness` has the server, clients and
//! sockets, and checks of every answer what holds for all. Tests move the clock by hand where time matters. "Row 12" is
//! a row of the security checklist.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect has failed")]

mod harness;

mod access;
mod activity;
mod acts;
mod admin_people;
mod admin_sessions;
mod admin_settings;
mod admin_users;
#[path = "../../services/tests/it/app_code.rs"]
mod app_code;
mod assets;
mod audit;
mod auth;
mod bucket;
mod cli;
mod cookie;
mod csrf;
mod files;
mod fuzz;
mod headers;
mod heartbeat;
mod invisible;
mod kill;
mod kill_files;
mod large_file;
mod ledger;
mod limits;
mod logs;
mod mail;
mod notices;
mod outage;
mod pages;
mod passwords;
mod preferences;
mod presence;
mod proxies;
mod reports;
mod revoke;
mod routes;
mod second_factor;
mod session;
mod sessions;
mod smoke;
#[path = "../../services/tests/it/smtp.rs"]
mod smtp;
mod socket;
mod sudo;
mod traffic;
