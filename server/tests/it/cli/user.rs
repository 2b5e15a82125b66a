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

#[test]
fn people_are_found_changed_and_sorted() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    program.add("bo", &["--org", "North", "--team", "Red"]);
    let link = program.run(&["user", "add", "--username", "cy", "--invite"]).done().out;
    assert!(link.contains("/reset?token="), "{link}");
    program.run(&["user", "invite", "ada"]).refused(1, "has a password");
    program.run(&["user", "invite", "cy"]).done();
    let found = |args: &[&str]| {
        let list = program.run(&[&["user", "list", "--json"], args].concat()).done().json();
        let names = list.as_array().unwrap().iter().map(|u| u["username"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(&[]), "ada bo cy");
    assert_eq!(found(&["--org", "north"]), "bo");
    assert_eq!(found(&["--team", "red", "--enabled"]), "bo");
    assert_eq!(found(&["-q", "A"]), "ada");
    assert_eq!(found(&["--not-signed-in-for", "1d", "--sort", "created"]), "cy bo ada");
    assert_eq!(found(&["--signed-in-within", "1d"]), "");
    program.run(&["user", "list", "--sort", "age"]).refused(2, "dormant");
    program.run(&["user", "edit", "bo"]).refused(2, "what shall change");
    program.run(&["user", "edit", "nobody", "--name", "N"]).refused(1, "nobody");
    program.run(&["user", "edit", "ada", "--role", "member"]).refused(1, "last administrator");
    let edited = program.run(&["user", "edit", "bo", "--new-username", "bob", "--no-teams", "--json"]).done().json();
    assert_eq!((&edited["username"], &edited["teams"]), (&"bob".into(), &serde_json::json!([])));
}

#[test]
fn organisations_teams_and_roles_are_kept() {
    let program = Program::new();
    program.add("bo", &["--org", "North", "--team", "Red"]);
    program.run(&["org", "add", "NORTH"]).refused(1, "of this name");
    program.run(&["org", "add", "South"]).done();
    program.run(&["org", "delete", "north"]).refused(1, "1 person");
    let dry = program.run(&["org", "delete", "north", "--move-to", "South", "--dry-run", "--json"]).done().json();
    assert_eq!((&dry["people"], &dry["teams"]), (&1.into(), &1.into()));
    program.run(&["org", "rename", "south", "Deep South"]).done();
    program.run(&["team", "add", "Blue", "--org", "North"]).done();
    program.run(&["team", "rename", "blue", "--org", "North", "--to", "red"]).refused(1, "of this name");
    program.run(&["team", "delete", "red", "--org", "North", "--move-to", "Blue"]).done();
    let teams = program.run(&["team", "list", "--org", "North", "--json"]).done().json();
    assert_eq!((&teams[0]["name"], &teams[0]["people"]), (&"Blue".into(), &1.into()));
    program.run(&["org", "move", "North", "Deep South"]).done();
    program.run(&["org", "delete", "North"]).done();
    assert_eq!(program.run(&["org", "list", "--json"]).done().json().as_array().map(Vec::len), Some(1));
    program.run(&["org", "rename", "West", "East"]).refused(1, "org list");
    program.run(&["role", "add", "Clerk"]).done();
    program.run(&["role", "edit", "clerk", "--level", "king"]).refused(2, "manager");
    program.run(&["role", "edit", "clerk", "--level", "manager", "--to", "Chief"]).done();
    program.run(&["role", "edit", "student", "--level", "admin"]).refused(1, "built in");
    program.run(&["user", "edit", "bo", "--role", "chief"]).done();
    program.run(&["role", "delete", "chief"]).refused(1, "1 person");
    program.run(&["role", "delete", "chief", "--move-to", "teacher"]).done();
    assert!(program.run(&["role", "list"]).done().out.contains("built in"));
}

#[test]
fn what_goes_with_a_group_is_said_and_asked_for() {
    let program = Program::new();
    program.run(&["role", "add", "Clerk"]).done();
    program.add("bo", &["--org", "North", "--team", "Red", "--role", "Clerk"]);
    let server = program.serve(&[]);
    let bo = server.sign_in("bo");
    for (args, number) in [
        (&["org", "delete", "North", "--move-to", "none"][..], "people moved: 1, sessions ended: 1"),
        (&["org", "move", "North", "none"], "people moved: 1, sessions ended: 1"),
        (&["role", "delete", "Clerk", "--move-to", "member"], "people moved: 1, sessions ended: 1"),
        (&["role", "edit", "Clerk", "--level", "manager"], "signs them out"),
        (&["team", "delete", "Red", "--org", "North", "--move-to", "none"], "takes 1 account out of it"),
    ] {
        let no = program.at_terminal(args, "no\n");
        assert!(no.code == 1 && no.err.contains(number) && no.out.is_empty(), "{args:?}: {} {}", no.out, no.err);
    }
    for args in [
        &["role", "delete", "Clerk", "--move-to", "member", "--dry-run"][..],
        &["team", "delete", "Red", "--org", "North", "--move-to", "none", "--dry-run"],
    ] {
        let said = program.run(args).done().out;
        assert!(said.contains("would be deleted, people moved: 1"), "{said}");
    }
    assert_eq!(server.session(&bo), 200);
    program.at_terminal(&["team", "delete", "Red", "--org", "North", "--move-to", "none"], "red\n").done();
    program.at_terminal(&["role", "delete", "Clerk", "--move-to", "member", "--yes"], "").done();
    program.at_terminal(&["org", "delete", "North", "--move-to", "none"], "North\n").done();
    assert_eq!(program.run(&["user", "list", "--json"]).done().json()[0]["organisation"], serde_json::Value::Null);
}

#[test]
fn who_is_erased_leaves_a_whole_chain() {
    let program = Program::new();
    for name in ["mia", "bo"] {
        program.add(name, &[]);
    }
    let said = program.run(&["user", "erase", "mia", "--yes"]).done().out;
    assert!(said.contains("mia is erased") && said.contains("entry of the audit log"), "{said}");
    program.run(&["erase-user", "bo", "--yes"]).done();
    program.run(&["erase-user", "bo", "--yes"]).refused(1, "no account");
    program.run(&["audit", "verify"]).done();
    assert!(!program.run(&["audit", "export"]).done().out.contains("mia"));
}
