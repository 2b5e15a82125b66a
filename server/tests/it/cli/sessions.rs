//! `rollcall sessions`, alone and beside a running server.

use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use super::program::{Program, Server};

#[test]
fn stats_have_the_promised_keys() {
    let program = Program::new();
    let stats = program.run(&["sessions", "stats", "--json"]).done().json();
    let keys: Vec<_> = stats.as_object().expect("an object").keys().cloned().collect();
    let mut promised = [
        "total",
        "live",
        "ended",
        "expired_uncleaned",
        "by_role",
        "by_org",
        "average_seconds",
        "median_seconds",
        "oldest_at",
    ];
    promised.sort_unstable();
    assert_eq!(keys, promised);
    assert_eq!(stats["by_role"]["teacher"], 0, "every role is listed: {stats}");
    program.run(&["sessions", "stats"]).done();
    let cleaned = program.run(&["sessions", "cleanup", "--older-than", "24h", "--json"]).done().json();
    assert_eq!(cleaned, serde_json::json!({ "ended": 0, "deleted": 0 }));
}

#[test]
fn bad_input_is_refused() {
    let program = Program::new();
    program.run(&["sessions", "revoke"]).refused(2, "--all");
    program.run(&["sessions", "revoke", "--all", "--user", "a"]).refused(2, "cannot be used");
    program.run(&["sessions", "revoke", "--id", "7"]).refused(2, "'7'");
    program.run(&["sessions", "revoke", "--user", "nobody"]).refused(1, "nobody");
    let id = "0190b0a0-0000-7000-8000-000000000000";
    program.run(&["sessions", "revoke", "--id", id]).refused(1, "no live session");
    program.run(&["sessions", "cleanup", "--older-than", "soon"]).refused(2, "24h");
    program.run(&["sessions", "list", "--state", "asleep"]).refused(2, "live");
}

/// Until the socket is closed; the code, and how long it took.
fn closed(server: &Server, cookie: &str, act: impl FnOnce()) -> (u16, Duration) {
    let mut socket = server.socket(cookie);
    act();
    let begun = Instant::now();
    loop {
        if let Message::Close(frame) = socket.read().expect("a frame") {
            return (frame.expect("a code").code.into(), begun.elapsed());
        }
    }
}

#[test]
fn what_is_revoked_beside_a_server_ends_there() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    program.add("bo", &[]);
    let server = program.serve(&[]);
    let (ada, bo) = (server.sign_in("ada"), server.sign_in("bo"));

    let list = program.run(&["sessions", "list", "--json"]).done().json();
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    let one = program.run(&["sessions", "list", "--user", "bo", "--json"]).done().json();
    let id = one[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((one[0]["username"].as_str(), one[0]["state"].as_str()), (Some("bo"), Some("live")));
    assert!(program.run(&["sessions", "list"]).done().out.contains(&id));

    let dry = program.run(&["sessions", "revoke", "--all", "--dry-run", "--json"]).done().json();
    assert_eq!((dry["ended"].as_u64(), server.session(&bo)), (Some(2), 200));

    let (code, took) = closed(&server, &bo, || {
        program.run(&["sessions", "revoke", "--id", &id]).done();
    });
    assert!(code == 4001 && took < Duration::from_secs(2), "{code} after {took:?}");
    assert_eq!((server.session(&bo), server.session(&ada)), (401, 200));
    assert!(!program.run(&["sessions", "list"]).done().out.contains(&id));
    let ended = program.run(&["sessions", "list", "--state", "ended", "--json"]).done().json();
    assert_eq!((ended[0]["ended_reason"].as_str(), ended[0]["ended_by"].as_str()), (Some("revoked"), Some("operator")));

    let bo = server.sign_in("bo");
    let (code, took) = closed(&server, &bo, || {
        program.run(&["user", "disable", "bo"]).done();
    });
    assert!(code == 4001 && took < Duration::from_secs(2), "{code} after {took:?}");
    assert_eq!(server.session(&bo), 401);

    let (code, _) = closed(&server, &ada, || {
        program.run(&["sessions", "revoke", "--all"]).done();
    });
    assert_eq!(code, 4001);
    let stats = program.run(&["sessions", "stats", "--json"]).done().json();
    assert_eq!((stats["live"].as_u64(), stats["ended"].as_u64()), (Some(0), Some(3)));
}

#[test]
fn deleting_a_person_beside_a_server_signs_them_out() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    program.add("bo", &[]);
    let server = program.serve(&[]);
    let bo = server.sign_in("bo");
    let (code, took) = closed(&server, &bo, || {
        program.run(&["user", "delete", "bo"]).done();
    });
    assert!(code == 4001 && took < Duration::from_secs(2), "{code} after {took:?}");
    assert_eq!(server.session(&bo), 401);
}
