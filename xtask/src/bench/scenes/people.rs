//! Ten thousand people: what a connection costs, and how soon the others see what it does.

use serde_json::json;

use super::{
    super::{figures::Figure, rollcall::Rollcall},
    Scene, at, kib,
};
use crate::outcome::Outcome;

/// 10,000 authenticated connections that have joined nothing.
pub(super) fn idle(rollcall: &Rollcall) -> Outcome<Scene> {
    let server = rollcall.serve()?;
    let raw = server.sockets("--people 10000 --rate 2000")?;
    let memory = kib(&raw, "/memory/per_connection");
    let figures =
        vec![Figure::at_most("memory per idle connection, 10,000 connections", "KiB", memory).floor(6.0).goal(4.0)];
    Ok(Scene { figures, raw })
}

/// 10,000 people who are online, five watchers of everybody, and the list of who is online.
pub(super) fn tracked(rollcall: &Rollcall) -> Outcome<Scene> {
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
pub(super) fn live(rollcall: &Rollcall) -> Outcome<Scene> {
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
