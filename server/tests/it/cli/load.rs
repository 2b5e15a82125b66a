//! `rollcall load prepare`.

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
