//! `rollcall sessions`, alone and beside a running server.

use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use serde_json::Value;

use super::program::{Program, Server};
use crate::harness::Database;

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

#[tokio::test]
async fn sessions_are_found_and_ended_by_what_they_are() {
    let program = Program::new();
    let file = program.file("people.tsv");
    program.run(&["load", "prepare", "--people", "6", "--out", file.to_str().expect("UTF-8")]).done();
    program.run(&["user", "edit", "load-00006", "--name", "Zoë"]).done();
    let db = Database::open(&program.data_dir()).await;
    let of = |n: u32, set: &str| {
        format!("UPDATE sessions SET {set} WHERE user_id = (SELECT id FROM users WHERE username = 'load-0000{n}')")
    };
    let day = 86_400_000;
    for (n, set) in [
        (1, "ip = '203.0.113.7', device = 'phone'".to_owned()),
        (2, "device = 'phone'".to_owned()),
        (3, format!("created_at = created_at - {}", 3 * day)),
        (4, "ended_at = created_at + 1, ended_reason = 'revoked', ended_by = 'ada'".to_owned()),
        (5, "ended_at = created_at + 1, ended_reason = 'logout'".to_owned()),
    ] {
        db.run(&of(n, &set)).await;
    }
    let today = &domain::Time(db.number("SELECT max(created_at) FROM sessions").await).exact()[..10].to_owned();
    let found = |args: &[&str]| {
        let list = program.run(&[&["sessions", "list", "--json"], args].concat()).done().json();
        let name = |s: &Value| s["username"].as_str().expect("a name").replace("load-0000", "");
        let mut names: Vec<String> = list.as_array().expect("a list").iter().map(name).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(found(&[]), "1 2 3 6");
    assert_eq!(found(&["--state", "ended"]), "4 5");
    assert_eq!(found(&["--state", "all"]), "1 2 3 4 5 6");
    assert_eq!(found(&["--reason", "revoked"]), "4");
    assert_eq!(found(&["--ip", "203.0.113.7"]), "1");
    assert_eq!(found(&["--device", "phone"]), "1 2");
    assert_eq!(found(&["--from", today]), "1 2 6");
    assert_eq!(found(&["--to", today]), "1 2 3 6", "the day itself is within");
    assert_eq!(found(&["--to", &format!("{today}T00:00:00Z")]), "3");
    assert_eq!(found(&["-q", "zoë"]), "6");
    assert_eq!(found(&["--role", "MEMBER", "--user", "load-00002"]), "2");
    assert_eq!(found(&["--role", "admin"]), "");
    assert_eq!(found(&["--limit", "1", "--sort", "activity"]).len(), 1);
    let table = program.run(&["sessions", "list", "--limit", "2"]).done().out;
    assert!(table.ends_with("\n2 of 4\n"), "{table}");
    program.run(&["sessions", "list", "--role", "king"]).refused(1, "rollcall role list");
    program.run(&["sessions", "list", "--org", "West"]).refused(1, "rollcall org list");
    program.run(&["sessions", "list", "--ip", "here"]).refused(2, "--ip");
    program.run(&["sessions", "list", "--from", "soon"]).refused(2, "2026-03-02");
    program.run(&["sessions", "list", "--reason", "boredom"]).refused(2, "idle_timeout");
    program
        .run(&["sessions", "revoke", "--id", "0190b0a0-0000-7000-8000-000000000000", "-q", "x"])
        .refused(2, "cannot");

    let dry = program.run(&["sessions", "revoke", "--device", "phone", "--dry-run", "--json"]).done().json();
    assert_eq!(dry, serde_json::json!({ "ended": 2, "dry_run": true }));
    let no = program.at_terminal(&["sessions", "revoke", "--device", "phone"], "2\n");
    assert!(no.code == 1 && no.err.contains("ends 2 sessions"), "{}", no.err);
    assert_eq!(found(&["--device", "phone"]), "1 2");
    let said = program.at_terminal(&["sessions", "revoke", "--device", "phone"], "end\n").done().out;
    assert_eq!(said, "2 sessions ended\n");
    assert_eq!(found(&["--reason", "revoked"]), "1 2 4");
    let said = program.run(&["sessions", "revoke", "--to", &format!("{today}T00:00:00Z")]).done().out;
    assert_eq!(said, "1 session ended\n");
    let said = program.at_terminal(&["sessions", "revoke", "--all", "--yes"], "").done().out;
    assert_eq!((said.as_str(), found(&[]).as_str()), ("1 session ended\n", ""));
}
