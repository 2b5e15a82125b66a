//! What is measured. Each scene has a server of its own, so that none sees what another left behind.
//!
//! - `sessions`: single acts, and requests over HTTP. `people`: ten thousand connections. `crowds`: the hard cases.
//! - `compare`: a naive design, and growth. `million`: the acts of the page of sessions on a million of them.
//! - `activity`: the page of events on ten million of them, and writing more. `files`: a large upload, and many small ones.
//!
//! Floors and goals, and what Phoenix Presence 1.8.9, Socket.IO 4.8, Express with better-sqlite3 and Flask with SQLite
//! reach on the same kind of machine, stand beside each figure; docs/BENCHMARKS.md says how those were measured.

mod activity;
mod compare;
mod crowds;
mod files;
mod million;
mod people;
mod sessions;

use serde_json::Value;

use super::{figures::Figure, rollcall::Rollcall};
use crate::outcome::Outcome;

pub(super) struct Scene {
    pub(super) figures: Vec<Figure>,
    /// What the load tool said, whole.
    pub(super) raw: Value,
}

type Play = fn(&Rollcall) -> Outcome<Scene>;

pub(super) const SCENES: [(&str, Play); 16] = [
    ("micro", sessions::micro),
    ("idle", people::idle),
    ("tracked", people::tracked),
    ("live", people::live),
    ("room", crowds::room),
    ("herd", crowds::herd),
    ("restart", crowds::restart),
    ("busy", crowds::busy),
    ("held", crowds::held),
    ("stuck", crowds::stuck),
    ("polling", compare::polling),
    ("growth", compare::growth),
    ("http", sessions::http),
    ("sessions", million::sessions),
    ("activity", activity::activity),
    ("files", files::files),
];

/// A number in a report; one that is missing was not measured and meets no floor.
fn at(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn kib(report: &Value, pointer: &str) -> f64 {
    at(report, pointer) / 1024.0
}

/// All of what was counted by kind.
fn sum(report: &Value, pointer: &str) -> f64 {
    let by = report.pointer(pointer).and_then(Value::as_object);
    by.map_or(f64::NAN, |by| by.values().filter_map(Value::as_f64).fold(0.0, |all, n| all + n))
}

/// People who came and stayed.
fn connected(report: &Value) -> f64 {
    at(report, "/people") - sum(report, "/failed") - sum(report, "/ended")
}
