//! The services against real databases: every test runs on SQLite in a temporary directory, and on PostgreSQL when
//! `ROLLCALL_TEST_POSTGRES` holds the URL of a server where databases may be made. One binary: it links once.
//!
//! Time is moved by hand; `World` is a server's services on a fresh database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod activity;
mod app_code;
mod audit;
mod checkup;
mod cleanup;
mod data;
mod events;
mod files;
mod herd;
mod large;
mod ledger;
mod limit;
mod list;
mod mail;
mod notices;
mod people;
mod place;
mod predicate;
mod preferences;
mod reports;
mod second_factor;
mod settings;
mod sign_in;
mod smtp;
mod traffic;
mod vectors;
mod world;
