//! `rollcall load`: its people, and what its clients find out about a server, with few people.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use super::program::{Program, mode};

#[test]
fn its_cookies_work() {
    let program = Program::new();
    let file = program.file("people.tsv");
    let out = file.to_str().expect("UTF-8");
    program.run(&["load", "prepare", "--people", "30", "--out", out]).done();
    assert_eq!(mode(&file), 0o600);
    let text = std::fs::read_to_string(&file).expect("written");
    let lines: Vec<_> = text.lines().map(|l| l.split_once('\t').expect("a tab")).collect();
    assert_eq!((lines.len(), lines[0].0, lines[29].0), (30, "load-00001", "load-00030"));
    let server = program.serve(&[]);
    let (status, _, body) = server.request("GET", "/api/v1/session", &format!("Cookie: {}\r\n", lines[4].1), "");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("load-00005") && body.contains("member"), "{body}");

    // Again, beside the server: more people, and new sessions for those who are there.
    program.run(&["load", "prepare", "--people", "31", "--out", out]).done();
    assert_eq!(program.run(&["sessions", "stats", "--json"]).done().json()["live"], 61);
    assert_eq!(program.run(&["user", "list", "--json"]).done().json().as_array().map(Vec::len), Some(31));
    let https = [("ROLLCALL_BASE_URL", "https://rollcall.example")];
    program.run_with(&["load", "prepare", "--people", "1", "--out", out], "", &https).done();
    assert!(std::fs::read_to_string(&file).expect("written").starts_with("load-00001\t__Host-rollcall="));
}

#[test]
fn a_database_with_people_is_left_alone() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let file = program.file("people.tsv");
    let out = file.to_str().expect("UTF-8");
    program.run(&["load", "prepare", "--people", "3", "--out", out]).refused(1, "--yes");
    assert!(!file.exists());
    program.run(&["load", "prepare", "--people", "3", "--out", out, "--yes"]).done();
    program.run(&["load", "prepare", "--people", "0", "--out", out]).refused(2, "--people");
    program.run(&["load", "prepare", "--people", "3", "--out", "/nowhere/x", "--yes"]).refused(1, "/nowhere/x");
}

#[test]
fn a_load_finds_out_what_it_was_asked() {
    let program = Program::new();
    let file = program.file("people.tsv");
    let out = file.to_str().expect("UTF-8");
    program.run(&["load", "prepare", "--people", "3", "--role", "king", "--out", out]).refused(1, "role");
    program.run(&["load", "prepare", "--people", "12", "--role", "admin", "--out", out]).done();
    let server = program.serve(&["--grace", "1s"]);
    let url = format!("http://{}", server.address);
    let sockets = ["load", "sockets", "--url", &url, "--cookies", out, "--people", "12", "--join", "--json"];
    let room = ["--room", "presence:all", "--sources", "3", "--watchers", "2", "--watch-cookie", out, "--stuck", "1"];
    let acts = ["--changes-per-second", "50", "--seconds", "1", "--heartbeats", "1"];
    let herd = ["--drop", "--grace", "1s", "--reconnect"];
    let report = program.run(&[&sockets[..], &room, &acts, &herd].concat()).done().json();
    let at = |pointer: &str| report.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {report}"));
    assert_eq!((at("/failed"), at("/ended"), at("/blind")), (&json!({}), &json!({}), &json!([])));
    assert_eq!((at("/diverged"), at("/changes/missed")), (&json!(0), &json!(0)), "{report}");
    assert_eq!((at("/changes/latency/count"), at("/heartbeats/answered")), (&json!(100), &json!(12)));
    // Whoever comes is sent a state at least, and the others hear of it.
    assert!(at("/connect/room/frames").as_u64() >= Some(12) && at("/connect/room/bytes").as_u64() >= Some(12_000));
    assert!(at("/stuck/snapshots").as_u64() >= Some(1), "{report}");
    assert!(at("/drop/seconds").as_f64() >= Some(1.0) && at("/reconnect/room/frames").as_u64() >= Some(12));

    let page = "/api/v1/admin/users/online";
    let poll = ["load", "http", "--url", &url, "--cookies", out, "--path", page, "--json", "--connections", "2"];
    let report = program.run(&[&poll[..], &["--every", "1s", "--seconds", "2"]].concat()).done().json();
    let asked = report["requests"].as_u64().expect("a number");
    assert!((2..=6).contains(&asked) && report["errors"] == json!({}), "one a second on each: {report}");

    let sizes = ["--large", "3MB", "--files", "20", "--small", "10kB", "--clients", "2", "--json"];
    let report = program.run(&[&["load", "files", "--url", &url, "--cookies", out], &sizes[..]].concat()).done().json();
    let [large, small] = ["large", "small"].map(|of| (&report[of]["files"], &report[of]["errors"]));
    assert_eq!((large, small), ((&json!(1), &json!({})), (&json!(20), &json!({}))), "{report}");
}

#[test]
fn a_load_comes_back_after_a_restart() {
    let program = Program::new();
    let file = program.file("people.tsv");
    let out = file.to_str().expect("UTF-8");
    program.run(&["load", "prepare", "--people", "8", "--role", "admin", "--out", out]).done();
    let server = program.serve(&[]);
    let address = server.address.to_string();
    let url = format!("http://{address}");
    let args = ["load", "sockets", "--url", &url, "--cookies", out, "--people", "8", "--join", "--json"];
    let more = ["--watchers", "1", "--watch-cookie", out, "--restart"];
    let text = std::fs::read_to_string(&file).expect("written");
    let cookie = text.lines().next().and_then(|l| l.split_once('\t')).expect("a person").1;
    let report: Value = thread::scope(|s| {
        let load = s.spawn(|| program.run(&[&args[..], &more].concat()).done().json());
        let online = || server.request("GET", "/api/v1/admin/users/online", &format!("Cookie: {cookie}\r\n"), "").2;
        while !online().contains("\"total\":8") {
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(server.stop().0, 0);
        let _again = program.start(&["serve", "--listen", &address, "--ops-listen", "off"]);
        load.join().expect("no panic")
    });
    let arrival = &report["restart"]["arrival"];
    assert!(arrival["watchers_complete_seconds"].is_number() && report["failed"] == json!({}), "{report}");
}
