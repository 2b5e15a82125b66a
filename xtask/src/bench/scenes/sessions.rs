//! Sessions: their making, their checks, their heartbeats.

use serde_json::json;

use super::{
    super::{figures::Figure, rollcall::Rollcall},
    Scene, at, sum,
};
use crate::outcome::Outcome;

/// Single acts, one after the other, with 100,000 session rows.
pub(super) fn micro(rollcall: &Rollcall) -> Outcome<Scene> {
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
        Figure::at_most(
            "refused sign-ins: median of unknown name, wrong password, disabled and no password, slowest by quickest",
            "",
            at(&raw, "/refusals/spread"),
        )
        .floor(1.05),
        Figure::at_most("the same of throttled names, known by unknown", "", at(&raw, "/refusals/throttled_spread"))
            .floor(1.05),
    ];
    Ok(Scene { figures, raw })
}

/// Checks and heartbeats over HTTP, with 100,000 session rows and 32 connections.
pub(super) fn http(rollcall: &Rollcall) -> Outcome<Scene> {
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
        Figure::at_most(
            "failed requests",
            "",
            sum(&first, "/errors") + sum(&again, "/errors") + sum(&beats, "/errors"),
        )
        .floor(0.0),
    ];
    let raw = json!({ "first_checks": first, "checks": again, "heartbeats": beats });
    Ok(Scene { figures, raw })
}
