//! The hard cases: everybody at once, everybody watching everybody, somebody who does not read.

use std::thread;

use serde_json::json;

use super::{
    super::{
        figures::{Figure, number},
        rollcall::Rollcall,
    },
    Scene, at, connected, kib, sum,
};
use crate::outcome::Outcome;

/// A room of 1,000 in which everybody sees everybody.
pub(super) fn room(rollcall: &Rollcall) -> Outcome<Scene> {
    // Admins may watch everybody.
    let admins = rollcall.another(1_000, "admin")?;
    let server = admins.serve()?;
    let raw = server.sockets("--people 1000 --join --room presence:all")?;
    let figures = vec![
        Figure::at_most(
            "room of 1,000 who all watch each other: everybody sees everybody",
            "s",
            at(&raw, "/connect/watchers_complete_seconds"),
        )
        .floor(2.0)
        .goal(0.8)
        .others("Phoenix 13.4, Socket.IO 8.2"),
        Figure::at_most("server's CPU for it", "s", at(&raw, "/connect/cpu_seconds"))
            .floor(2.0)
            .goal(0.3)
            .others("Phoenix 18, Socket.IO 8.4"),
        Figure::at_most("frames sent for it", "", at(&raw, "/connect/room/frames"))
            .others(format!("one diff per arrival: {}", number(f64::from((0..1_000).sum::<u32>())))),
        Figure::at_most("connections that failed", "", sum(&raw, "/failed")).floor(0.0),
    ];
    Ok(Scene { figures, raw })
}

/// 18,000 who are cut off, and all come back at the same moment; and once more while others sign in.
pub(super) fn herd(rollcall: &Rollcall) -> Outcome<Scene> {
    const WORDS: &str = "--people 18000 --join --rate 3000 --sources 10 --watchers 5 --drop --grace 15s --reconnect";
    /// The whole of it takes about 40 s.
    const SECONDS: u32 = 40;
    let raw = rollcall.serve()?.sockets(WORDS)?;
    let server = rollcall.serve()?;
    let alone = server.sign_ins(10)?;
    let (herd, sign_ins) = thread::scope(|scope| {
        let herd = scope.spawn(|| server.sockets(WORDS).map_err(|_| "the herd was lost"));
        let sign_ins = server.sign_ins(SECONDS);
        (herd.join(), sign_ins)
    });
    let (beside, sign_ins) = (herd.map_err(|_| "the herd broke off")??, sign_ins?);
    let figures = vec![
        Figure::at_most(
            "all 18,000 reconnect, watchers complete",
            "s",
            at(&raw, "/reconnect/watchers_complete_seconds"),
        )
        .floor(5.0)
        .goal(3.0)
        .others("Phoenix not within 100–190"),
        Figure::at_most("server's CPU per 1,000 who reconnect", "s", at(&raw, "/reconnect/cpu_seconds_per_1000")),
        Figure::at_most("sign-ins alone, 20/s, p99", "ms", at(&alone, "/latency/p99_ms")),
        Figure::at_most("sign-ins while 18,000 come, go and come back, p99", "ms", at(&sign_ins, "/latency/p99_ms")),
        Figure::at_most("the slowest of them", "ms", at(&sign_ins, "/latency/max_ms")),
        Figure::at_most("sign-ins that failed", "", sum(&alone, "/errors") + sum(&sign_ins, "/errors")).floor(0.0),
        Figure::at_most("connections that failed", "", sum(&raw, "/failed") + sum(&beside, "/failed")).floor(0.0),
    ];
    Ok(Scene { figures, raw: json!({ "herd": raw, "alone": alone, "sign_ins": sign_ins, "beside": beside }) })
}

/// The server stops and starts again, and 10,000 come back.
pub(super) fn restart(rollcall: &Rollcall) -> Outcome<Scene> {
    let mut server = rollcall.serve()?;
    let raw = server.sockets_through_a_restart("--people 10000 --join --rate 3000 --sources 10 --watchers 5")?;
    let figures = vec![
        Figure::at_most(
            "all 10,000 return after a restart, nobody unknown any more",
            "s",
            at(&raw, "/restart/arrival/watchers_complete_seconds"),
        ),
        Figure::at_most("connections that failed", "", sum(&raw, "/failed")).floor(0.0),
    ];
    Ok(Scene { figures, raw })
}

/// 2,000 changes a second, seen by ten.
pub(super) fn busy(rollcall: &Rollcall) -> Outcome<Scene> {
    const SECONDS: f64 = 15.0;
    let server = rollcall.serve()?;
    let raw = server.sockets(&format!(
        "--people 10000 --join --rate 2000 --watchers 10 --changes-per-second 2000 --seconds {SECONDS}"
    ))?;
    let frames = at(&raw, "/changes/frames_per_watcher") * 10.0 / SECONDS;
    let figures = vec![
        Figure::at_most("2,000 changes/s × 10 watchers, p99", "ms", at(&raw, "/changes/latency/p99_ms"))
            .floor(60.0)
            .goal(30.0)
            .others("a bare server without sign-in 49"),
        Figure::at_most("server's CPU meanwhile", "% of a core", at(&raw, "/changes/cpu_percent"))
            .others("a bare server without sign-in 11"),
        Figure::at_most("frames sent meanwhile", "/s", frames).others("one diff per change: 20,000"),
        Figure::at_most("changes that a watcher missed", "", at(&raw, "/changes/missed")).floor(0.0),
    ];
    Ok(Scene { figures, raw })
}

/// As many as the open files allow, each of whom changes page every 30 s.
pub(super) fn held(rollcall: &Rollcall) -> Outcome<Scene> {
    let alone = "--people 19000 --join --rate 3000 --sources 10 --changes-per-second 633 --seconds 30";
    let words = format!("{alone} --watchers 10");
    let bare = rollcall.sockets_of_a_bare_server(&format!("{alone} --watchers 0"))?;
    let everybody = rollcall.serve()?.sockets(&words)?;
    let window = rollcall.serve()?.sockets(&format!("{words} --watch live"))?;
    let figures = vec![
        Figure::at_least("connections held by one process", "", connected(&everybody))
            .floor(19_000.0)
            .others("Phoenix 18,000, Socket.IO 10,000"),
        Figure::at_most(
            "memory per tracked connection, 19,000 people",
            "KiB",
            kib(&everybody, "/memory/per_connection"),
        )
        .floor(8.0)
        .goal(5.5),
        Figure::at_most(
            "19,000, a change each per 30 s, 10 watchers of everybody: server's CPU",
            "% of a core",
            at(&everybody, "/changes/cpu_percent"),
        )
        .floor(6.0)
        .goal(3.0)
        .others("Phoenix 3–8 without changes"),
        Figure::at_most(
            "the same people and changes on a bare server: no sign-in, no presence, no watchers",
            "% of a core",
            at(&bare, "/changes/cpu_percent"),
        ),
        Figure::at_most("its CPU per 1,000 who come", "s", at(&bare, "/connect/cpu_seconds_per_1000")),
        Figure::at_most("the same, p99", "ms", at(&everybody, "/changes/latency/p99_ms")),
        Figure::at_most(
            "the same with 10 watchers of a window: server's CPU",
            "% of a core",
            at(&window, "/changes_anywhere/cpu_percent"),
        )
        .floor(6.0)
        .goal(3.0),
    ];
    Ok(Scene { figures, raw: json!({ "everybody": everybody, "window": window, "bare": bare }) })
}

/// One watcher reads nothing for 20 s, beside five that do, who are to notice nothing of it.
pub(super) fn stuck(rollcall: &Rollcall) -> Outcome<Scene> {
    let words = "--people 2000 --join --rate 2000 --watchers 5 --changes-per-second 500 --seconds 20";
    let without = rollcall.serve()?.sockets(words)?;
    let stuck = rollcall.serve()?;
    let (raw, queued) = stuck.sockets_and_highest(&format!("{words} --stuck 1"), "rollcall_queued_bytes")?;
    let p99 = |report| at(report, "/changes/latency/p99_ms");
    let others = at(&raw, "/changes/bytes_per_change_per_watcher") * at(&raw, "/changes/sent");
    let figures = vec![
        Figure::at_most("500 changes/s to five watchers, p99", "ms", p99(&without)),
        Figure::at_most("the same beside a stuck watcher, by that without", "", p99(&raw) / p99(&without)).floor(1.2),
        Figure::at_most("the most that waited for it", "kB", queued / 1e3)
            .floor(256.0)
            .others("Phoenix, Socket.IO: without bound"),
        Figure::at_most("server's memory grew meanwhile", "KiB", kib(&raw, "/stuck/memory_growth")),
        Figure::at_most("sent to the stuck watcher until it agreed", "KiB", kib(&raw, "/stuck/bytes"))
            .others(format!("sent to each of the others: {}", number(others / 1024.0))),
        Figure::at_most("until it agreed, once it read again", "s", at(&raw, "/stuck/converged_seconds")).floor(1.0),
    ];
    Ok(Scene { figures, raw: json!({ "without": without, "beside": raw }) })
}
