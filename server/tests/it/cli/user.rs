//! `rollcall user`.

use super::program::{PASSWORD, Program};

#[test]
fn add_list_disable_enable_delete() {
    let program = Program::new();
    let said = program.add("Ada", &["--role", "admin", "--name", "Ada L", "--email", "ada@a.example", "--json"]);
    assert_eq!(said.json()["username"], "ada");
    program.add("bo", &["--role", "teacher", "--org", "Harbour", "--team", "Sciences"]);

    let list = program.run(&["user", "list", "--json"]).done().json();
    let row = |name: &str| {
        let rows = list.as_array().expect("a list");
        rows.iter().find(|r| r["username"] == name).unwrap_or_else(|| panic!("{name}: {list}")).clone()
    };
    assert_eq!((row("ada")["role"].clone(), row("ada")["email"].clone()), ("admin".into(), "ada@a.example".into()));
    assert_eq!(row("bo")["organisation"], "Harbour");
    assert_eq!(row("bo")["teams"], serde_json::json!(["Sciences"]));
    assert!(row("bo")["disabled_at"].is_null());

    program.run(&["user", "disable", "bo"]).done();
    let table = program.run(&["user", "list"]).done().out;
    assert!(table.lines().any(|l| l.starts_with("bo ") && l.ends_with("disabled")), "{table}");
    program.run(&["user", "enable", "--username", "bo"]).done();
    program.run(&["user", "delete", "bo"]).done();
    assert!(!program.run(&["user", "list"]).done().out.contains("bo "));
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let add = |name: &str, more: &[&str], password: &str| {
        let args = ["user", "add", "--username", name, "--password-stdin"];
        program.run_with(&[&args, more].concat(), password, &[])
    };
    add("ada", &[], &format!("{PASSWORD}\n")).refused(1, "");
    add("bo", &[], "short\n").refused(1, "12 characters");
    add("bo", &["--role", "admin"], "fourteen chars\n").refused(1, "15 characters");
    add("bo", &["--role", "king"], &format!("{PASSWORD}\n")).refused(1, "");
    add("../bo", &[], &format!("{PASSWORD}\n")).refused(1, "");
    add("bo", &[], "").refused(1, "empty");
    program.run(&["user", "add", "--username", "bo"]).refused(2, "--password-stdin");
    program.run(&["user", "add"]).refused(2, "--username");
    program.run(&["user", "disable", "nobody"]).refused(1, "nobody");
    program.run(&["user", "disable"]).refused(2, "USERNAME");
    program.run(&["user", "disable", "ada"]).refused(1, "");
    program.run(&["user", "delete", "ada"]).refused(1, "");
    program.run(&["user", "fly"]).refused(2, "`rollcall user --help`");
    program.run(&["nothing"]).refused(2, "nothing");
}

#[test]
fn a_reset_link_is_a_link() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let link = program.run(&["user", "reset-link", "ada"]).done().out;
    assert!(link.starts_with("http://127.0.0.1:3000/reset?token="), "{link}");
    let https = [("ROLLCALL_BASE_URL", "https://rollcall.example/")];
    let link = program.run_with(&["user", "reset-link", "ada"], "", &https).done().out;
    assert!(link.starts_with("https://rollcall.example/reset?token="), "{link}");
    program.run(&["user", "reset-link", "bo"]).refused(1, "bo");
}

#[test]
fn help_is_an_answer() {
    let program = Program::new();
    for args in [&["--help"][..], &["serve", "--help"], &["user", "add", "--help"], &["--version"]] {
        let said = program.run(args).done();
        assert!(said.err.is_empty() && said.out.contains("ollcall"), "{args:?}");
    }
    let help = program.run(&["serve", "--help"]).done().out;
    for word in ["ROLLCALL_SESSION_IDLE", "[default: 24h]", "ROLLCALL_DATABASE_URL", "[default: 127.0.0.1:9600]"] {
        assert!(help.contains(word), "{word}");
    }
    program.run(&[]).refused(2, "rollcall --help");
    assert!(!program.data_dir().exists());
}
