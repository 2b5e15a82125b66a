//! The command line, end to end with the built binary: what people type, what they read, and the exit code.

mod audit;
mod demo;
mod doctor;
mod keys;
mod load;
mod mail;
mod people;
mod program;
mod serve;
mod sessions;
mod settings;
mod user;
