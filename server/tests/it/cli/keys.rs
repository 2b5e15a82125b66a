//! `rollcall keys`, and the key file.

use std::{fs, os::unix::fs::PermissionsExt};

use super::program::Program;

#[test]
fn keys_are_made_listed_and_rotated() {
    let program = Program::new();
    program.add("ada", &[]);
    let path = program.data_dir().join("secret.key");
    assert_eq!(fs::metadata(&path).expect("made").permissions().mode() & 0o777, 0o600);
    let first = program.run(&["keys", "list", "--json"]).done().json();
    assert_eq!(
        (first[0]["current"].as_bool(), first[0]["values"].as_u64(), first.as_array().map(Vec::len)),
        (Some(true), Some(0), Some(1))
    );
    let rotated = program.run(&["keys", "rotate", "--json"]).done().json();
    assert_eq!(rotated["sealed_again"], 0);
    let now = program.run(&["keys", "list"]).done().out;
    assert!(now.contains(rotated["key"]["id"].as_str().expect("an id")) && now.lines().count() == 2, "{now}");
    assert!(!now.contains(first[0]["id"].as_str().expect("an id")), "nothing needed it: {now}");
    program.run(&["keys", "reset"]).refused(2, "--yes");
    fs::write(&path, "nonsense\n").expect("written");
    program.run(&["user", "list"]).refused(1, "damaged in line 1");
    fs::remove_file(&path).expect("removed");
    program.run(&["keys", "reset", "--yes"]).done();
    program.run(&["user", "list"]).done();
    let elsewhere = program.file("elsewhere.key");
    program.run_with(&["user", "list"], "", &[("ROLLCALL_SECRET_KEY_FILE", elsewhere.to_str().expect("UTF-8"))]).done();
    assert!(elsewhere.exists());
}
