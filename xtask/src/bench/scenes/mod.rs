//! What is measured. Each scene has a server of its own, so that none sees what another left behind.
//!
//! Floors and goals, and what Phoenix Presence 1.8.9, Socket.IO 4.8, Express with better-sqlite3 and Flask with SQLite
//! reach on the same kind of machine, stand beside each figure; docs/BENCHMARKS.md says how those were measured.

use serde_json::{Value, json};

use super::{figures::Figure, rollcall::Rollcall};
use crate::outcome::Outcome;

pub(super) struct Scene {
    pub(super) figures: Vec<Figure>,
    /// What the load tool said, whole.
    pub(super) raw: Value,
}

type Play = fn(&Rollcall) -> Outcome<Scene>;

pub(super) const SCENES: [(&str, Play); 5] =
    [("micro", micro), ("idle", idle), ("tracked", tracked), ("live", live), ("http", http)];

/// A number in a report; one that is missing was not measured and meets no floor.
fn at(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn kib(report: &Value, pointer: &str) -> f64 {
    at(report, pointer) / 1024.0
}

/// Single acts, one after the other, with 100,000 session rows.
fn micro(rollcall: &Rollcall) -> Outcome<Scene> {
    let raw = rollcall.micro()?;
    let mean = |measure, act: &str| Figure::at_most(measure, "ms", at(&raw, &format!("/{act}/mean_ms")));
    let p99 = |measure, act: &str| Figure::at_most(measure, "ms", at(&raw, &format!("/{act}/p99_ms")));
    let figures = vec![
        mean("token generation, mean", "token").floor(0.01).others("< 1 ms published"),
        mean("session creation, mean (hashing apart)", "creation").floor(1.0).others("< 10 ms published"),
        p99("session creation, p99", "creation"),
        mean("session check, first time, mean", "first_check").floor(0.1).others("< 5 ms published"),
        p99("session check, first time, p99", "first_check"),
        mean("session check, again, mean", "check").floor(0.1).others("< 5 ms published"),
        mean("session invalidation, mean", "invalidation").floor(1.0).others("< 8 ms published"),
        p99("session invalidation, p99", "invalidation"),
    ];
    Ok(Scene { figures, raw })
}

/// 10,000 authenticated connections that have joined nothing.
fn idle(rollcall: &Rollcall) -> Outcome<Scene> {
    let server = rollcall.serve()?;
    let raw = server.sockets("--people 10000 --rate 2000")?;
    let memory = kib(&raw, "/memory/per_connection");
    let figures =
        vec![Figure::at_most("memory per idle connection, 10,000 connections", "KiB", memory).floor(6.0).goal(4.0)];
    Ok(Scene { figures, raw })
}

/// 10,000 people who are online, five watchers of everybody, and the list of who is online.
fn tracked(rollcall: &Rollcall) -> Outcome<Scene> {
    let server = rollcall.serve()?;
    let (raw, crowd) = server.crowd(
        "--people 10000 --join --rate 2000 --watchers 5 --changes-per-second 100 --seconds 20 \
         --heartbeats 2 --drop --grace 15s --reconnect",
    )?;
    let page = "--path /api/v1/admin/users/online?limit=200";
    let one = server.http_as_admin(&format!("{page} --connections 1 --requests 200"))?;
    let many = server.http_as_admin(&format!("{page} --connections 32 --requests 2000"))?;
    drop(crowd);
    let figures = vec![
        Figure::at_most("memory per tracked connection, 10,000 people", "KiB", kib(&raw, "/memory/per_connection"))
            .floor(8.0)
            .goal(5.5)
            .others("Phoenix 37, Socket.IO 16.5"),
        Figure::at_most("change → watcher, 100/s at 10,000 people, p50", "ms", at(&raw, "/changes/latency/p50_ms"))
            .floor(1.0)
            .goal(0.5)
            .others("Phoenix 0.7, Socket.IO 0.65"),
        Figure::at_most("the same, p99", "ms", at(&raw, "/changes/latency/p99_ms"))
            .floor(5.0)
            .goal(2.0)
            .others("Phoenix 2.0, Socket.IO 1.9"),
        Figure::at_most("changes that a watcher missed", "", at(&raw, "/changes/missed")).floor(0.0),
        Figure::at_most("server's CPU meanwhile", "% of a core", at(&raw, "/changes/cpu_percent")),
        Figure::at_most("server's CPU per 1,000 joins", "s", at(&raw, "/connect/cpu_seconds_per_1000"))
            .floor(0.3)
            .goal(0.1)
            .others("Phoenix 0.67–0.9, Socket.IO 0.75"),
        Figure::at_most("server's CPU per 1,000 heartbeats", "s", at(&raw, "/heartbeats/cpu_seconds_per_1000"))
            .floor(0.06)
            .goal(0.02)
            .others("Phoenix 0.12–0.14, Socket.IO 0.10–0.13"),
        Figure::at_most(
            "all 10,000 drop, watchers complete, beyond the grace",
            "s",
            at(&raw, "/drop/beyond_grace_seconds"),
        )
        .floor(1.0)
        .goal(0.5)
        .others("Phoenix 2.9, Socket.IO 1.9"),
        Figure::at_most(
            "all 10,000 reconnect, watchers complete",
            "s",
            at(&raw, "/reconnect/watchers_complete_seconds"),
        )
        .floor(3.0)
        .goal(1.5)
        .others("Phoenix 9.1–11.7, Socket.IO 5.8"),
        Figure::at_most("bytes to a Phoenix watcher per join", "", at(&raw, "/connect/bytes_per_person_per_watcher"))
            .others("Phoenix 199, Socket.IO 160, with fewer fields"),
        Figure::at_most("bytes to a Phoenix watcher per change", "", at(&raw, "/changes/bytes_per_change_per_watcher"))
            .others("Phoenix 356, Socket.IO 287, with fewer fields"),
        Figure::at_most("page of 200 of 10,000 online, all counts, p50", "ms", at(&one, "/latency/p50_ms"))
            .floor(85.0 / 20.0)
            .others("Express 85, Flask 144 (all of them)"),
        Figure::at_most("the same, p99", "ms", at(&one, "/latency/p99_ms")),
        Figure::at_least("such pages, 32 connections", "/s", at(&many, "/per_second")),
    ];
    let raw = json!({ "sockets": raw, "page_one_connection": one, "page_32_connections": many });
    Ok(Scene { figures, raw })
}

/// The same 10,000 people, with watchers of a window.
fn live(rollcall: &Rollcall) -> Outcome<Scene> {
    let server = rollcall.serve()?;
    let raw = server
        .sockets("--people 10000 --join --rate 2000 --watchers 5 --watch live --changes-per-second 100 --seconds 10")?;
    let figures = vec![
        Figure::at_most("change → window of 200 (live:online), p50", "ms", at(&raw, "/changes/latency/p50_ms")),
        Figure::at_most("the same, p99", "ms", at(&raw, "/changes/latency/p99_ms")),
        Figure::at_most(
            "bytes to a watcher of a window per join",
            "",
            at(&raw, "/connect/bytes_per_person_per_watcher"),
        )
        .floor(200.0)
        .goal(150.0)
        .others("Phoenix 199, Socket.IO 160"),
        Figure::at_most(
            "bytes to a watcher of a window per change, of anybody",
            "",
            at(&raw, "/changes_anywhere/bytes_per_change_per_watcher"),
        )
        .floor(250.0)
        .goal(120.0)
        .others("Phoenix 356, Socket.IO 287"),
        Figure::at_most("the same, of somebody in the window", "", at(&raw, "/changes/bytes_per_change_per_watcher")),
        Figure::at_most("copies that differed from the server's", "", at(&raw, "/diverged")).floor(0.0),
    ];
    Ok(Scene { figures, raw })
}

/// Checks and heartbeats over HTTP, with 100,000 session rows and 32 connections.
fn http(rollcall: &Rollcall) -> Outcome<Scene> {
    let server = rollcall.serve()?;
    let check = "--path /api/v1/session --connections 32";
    let beat = "--method POST --path /api/v1/heartbeat --connections 32";
    let first = server.http(&format!("{check} --requests 100000"))?;
    let again = server.http(&format!("{check} --seconds 10"))?;
    let beats = server.http(&format!("{beat} --seconds 10"))?;
    let figures = vec![
        Figure::at_least("session checks, each of 100,000 for the first time", "/s", at(&first, "/per_second"))
            .others("Express 4,207, Flask 1,985"),
        Figure::at_least("session checks, 100,000 sessions in turn", "/s", at(&again, "/per_second"))
            .floor(5.0 * 4_207.0)
            .others("Express 4,207, Flask 1,985"),
        Figure::at_most("the same, p99", "ms", at(&again, "/latency/p99_ms")),
        Figure::at_least("heartbeats, 100,000 sessions in turn", "/s", at(&beats, "/per_second"))
            .floor(5.0 * 3_042.0)
            .others("Express 3,042, Flask 1,418"),
        Figure::at_most("the same, p99", "ms", at(&beats, "/latency/p99_ms")),
        Figure::at_most("server's CPU per 1,000 heartbeats over HTTP", "s", at(&beats, "/cpu_seconds_per_1000")),
        Figure::at_most("failed requests", "", [&first, &again, &beats].map(errors).iter().fold(0.0, |all, n| all + n))
            .floor(0.0),
    ];
    let raw = json!({ "first_checks": first, "checks": again, "heartbeats": beats });
    Ok(Scene { figures, raw })
}

fn errors(report: &Value) -> f64 {
    let by = report.pointer("/errors").and_then(Value::as_object);
    by.map_or(f64::NAN, |by| by.values().filter_map(Value::as_f64).sum())
}
