//! The server from outside: every test starts a real one on port 0, with a database of its own.
//!
//! One binary, because linking is the slow part. Modules mirror the URLs; `harness` has the server, clients and
//! sockets, and checks of every answer what holds for all. Tests move the clock by hand where time matters. "Row 12" is
//! a row of the security checklist.

mod harness;

mod admin_sessions;
mod admin_users;
mod assets;
mod auth;
mod cli;
mod cookie;
mod csrf;
mod headers;
mod heartbeat;
mod pages;
mod passwords;
mod presence;
mod routes;
mod session;
mod sessions;
mod smoke;
mod socket;
