//! `rollcall settings`, alone and beside a running server.

use std::time::{Duration, Instant};

use super::program::Program;

#[test]
fn settings_are_listed_set_and_unset() {
    let program = Program::new();
    let list = program.run(&["settings", "list", "--json"]).done().json();
    assert_eq!(list.as_array().map(Vec::len), Some(domain::settings::ALL.len()));
    let set = program.run(&["settings", "set", "session-limit", "3"]).done();
    assert!(set.out.contains("session_limit is 3"), "{}", set.out);
    let table = program.run(&["settings", "list"]).done().out;
    let row = table.lines().find(|l| l.starts_with("session_limit ")).expect("a row").to_owned();
    assert!(row.contains("operator") && row.contains(" 3 ") && row.contains(" 10 "), "{row}");
    program.run(&["settings", "unset", "session_limit"]).done();
    program.run(&["settings", "set", "session_limit", "many"]).refused(1, "whole number");
    program.run(&["settings", "set", "nothing", "1"]).refused(1, "no such setting");
    program.run(&["settings", "set", "login_throttle", "off"]).refused(1, "flag");
    let fixed = [("ROLLCALL_SESSION_IDLE", "2h")];
    program.run_with(&["settings", "set", "session_idle", "1h"], "", &fixed).refused(1, "ROLLCALL_SESSION_IDLE");

    program.run(&["settings", "set", "session_max", "2h"]).done();
    let here = [("ROLLCALL_LISTEN", "127.0.0.1:0")];
    let said = program.run_with(&["doctor"], "", &here).done().out;
    assert!(said.contains("warn  settings") && said.contains("rollcall settings list"), "{said}");
}

#[test]
fn a_change_reaches_a_running_server() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let server = program.serve(&[]);
    let cookies = [server.sign_in("ada"), server.sign_in("ada")];
    program.run(&["settings", "set", "session_limit", "1"]).done();
    let begun = Instant::now();
    // Asking uses both, so either may be the one that was used less recently.
    loop {
        let mut seen = cookies.each_ref().map(|c| server.session(c));
        seen.sort_unstable();
        if seen == [200, 401] {
            return;
        }
        assert!(seen == [200, 200] && begun.elapsed() < Duration::from_secs(2), "one ends within 2 s: {seen:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_a_change_does_to_people_is_said_before() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    program.add("mia", &[]);
    let server = program.serve(&[]);
    let cookies: Vec<String> = ["mia", "mia", "ada"].iter().map(|who| server.sign_in(who)).collect();
    let dry = program.run(&["settings", "set", "session_limit", "1", "--dry-run"]).done().out;
    assert!(dry.starts_with("session_limit would become 1 instead of 10\n1 session of 1 person would end"), "{dry}");
    assert!(dry.contains("  mia (mia): 1 session"), "{dry}");
    let json = program.run(&["settings", "set", "session-limit", "1", "--dry-run", "--json"]).done().json();
    assert_eq!((&json["would_end"], &json["who"][0]["username"]), (&1.into(), &"mia".into()), "{json}");
    let dry = program.run(&["settings", "set", "session_idle", "1h", "--dry-run"]).done().out;
    assert!(dry.contains("no session ends at once") && dry.contains("3 more sessions would end sooner"), "{dry}");
    assert!(dry.lines().any(|l| l.starts_with("  mia (mia) at 20") && l.ends_with(" UTC")), "{dry}");
    let list = program.run(&["settings", "list", "--json"]).done().json().to_string();
    assert!(!list.contains("operator"), "nothing is written: {list}");
    assert!(cookies.iter().all(|c| server.session(c) == 200));

    let no = program.at_terminal(&["settings", "set", "session_limit", "1"], "no\n");
    assert!(no.code == 1 && no.err.contains("1 session of 1 person end"), "{}", no.err);
    let said = program.run(&["settings", "set", "session_limit", "1"]).done().out;
    assert!(said.contains("session_limit is 1\n1 session of 1 person"), "{said}");
    let same = program.run(&["settings", "unset", "session_idle", "--dry-run"]).done().out;
    assert!(same.starts_with("session_idle would stay as it is"), "{same}");
}
