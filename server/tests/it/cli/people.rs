//! `rollcall user` for many: importing, listing, moving, and what goes with somebody.

use std::fs;

use serde_json::Value;

use super::program::{Program, Said};
use crate::harness::Database;

fn import(program: &Program, text: &str, more: &[&str]) -> Said {
    let file = program.file("people.csv");
    fs::write(&file, text).expect("written");
    program.run(&[&["user", "import", file.to_str().expect("UTF-8")], more].concat())
}

fn people(program: &Program) -> usize {
    program.run(&["user", "list", "--json"]).done().json().as_array().map_or(0, Vec::len)
}

#[test]
fn a_file_is_looked_at_line_by_line_and_then_added_whole() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let bad = "username,name,email,role\nbo,Bo,bo@a.example,member\nada,A,,\nbo,B,,\ncy,C,nonsense,\ndi,D,,king\neve\n";
    for more in [&["--dry-run"][..], &[]] {
        let said = import(&program, bad, more).refused(1, "5 lines are wrong, and nobody was added");
        let lines: Vec<&str> = said.out.lines().filter_map(|l| l.split(':').next()).collect();
        assert_eq!(lines, ["line 3", "line 4", "line 5", "line 6", "line 7"], "{}", said.out);
    }
    let json = import(&program, bad, &["--json"]);
    assert_eq!((json.code, &json.json()["errors"][0]["line"], &json.json()["wrong"]), (1, &3.into(), &5.into()));
    assert_eq!(people(&program), 1);

    let good = "username,name,organisation,teams\nbo,Bo,North,Red; Blue\ncy,=Cy,North,\n";
    let dry = import(&program, good, &["--dry-run"]).done().out;
    assert!(dry.contains("2 accounts would be added") && dry.contains("new teams: North: Blue, North: Red"), "{dry}");
    assert_eq!(people(&program), 1);
    let no = program.at_terminal(&["user", "import", "people.csv"], "\n");
    assert!(no.code == 1 && no.err.contains("adds 2 accounts and invites them"), "{}", no.err);
    assert_eq!(people(&program), 1);
    let said = import(&program, good, &[]).done().out;
    assert!(said.starts_with("2 accounts added\nnew organisations: North\n"), "{said}");
    assert!(said.lines().any(|l| l.starts_with("cy  ") && l.contains("/reset?token=")), "{said}");
    import(&program, good, &[]).refused(1, "2 lines are wrong");

    let json = import(&program, "username\ndi\n", &["--json"]).done().json();
    let link = json["invitations"]["links"][0]["link"].as_str().expect("a link");
    assert!(link.contains("/reset?token=") && json["people"] == 1, "{json}");
    let quiet = import(&program, "username\neve\n", &["--no-invite", "--json"]).done().json();
    assert!(quiet.get("invitations").is_none(), "{quiet}");
    program.run_with(&["user", "import", "-"], "username\nfay\n", &[]).done();
    assert_eq!(people(&program), 6);

    import(&program, "name\nx\n", &[]).refused(1, "The first line names the columns");
    fs::write(program.file("latin.csv"), b"username\n\xe4\n").expect("written");
    program.run(&["user", "import", "latin.csv"]).refused(1, "UTF-8");
    program.run(&["user", "import", "nothing.csv"]).refused(1, "nothing.csv cannot be read");
    program.run(&["user", "import"]).refused(2, "FILE");
}

#[test]
fn people_are_listed_as_the_page_exports_them() {
    let program = Program::new();
    import(&program, "username,name,organisation\nada,\"=HYPERLINK(\"\"x\"\")\",North\nbo,Bo,South\n", &[]).done();
    let file = program.run(&["user", "list", "--csv", "--org", "north"]).done().out;
    let lines: Vec<&str> = file.split("\r\n").collect();
    assert!(lines[0].starts_with("username,name,email,role,") && lines.len() == 3, "{file}");
    assert!(lines[1].starts_with("ada,\"'=HYPERLINK(\"\"x\"\")\","), "{file}");
    program.run(&["user", "list", "--csv", "--json"]).refused(2, "cannot be used");
    assert!(program.run(&["audit", "export"]).done().out.contains("people_exported"));
}

#[test]
fn somebody_is_shown() {
    let program = Program::new();
    program.add("mia", &["--name", "Mia M", "--org", "North", "--team", "Red", "--email", "mia@a.example"]);
    let server = program.serve(&[]);
    server.sign_in("mia");
    let text = program.run(&["user", "show", "mia"]).done().out;
    for word in ["Mia M", "member", "North", "Red", "mia@a.example", "live sessions  1", "signed in", "user_added"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let json = program.run(&["user", "show", "mia", "--json"]).done().json();
    assert_eq!(
        (&json["username"], &json["live_sessions"], &json["second_factor"]),
        (&"mia".into(), &1.into(), &false.into())
    );
    assert_eq!(json["timeline"].as_array().map(Vec::len), Some(2), "{json}");
    program.run(&["user", "show", "nobody"]).refused(1, "nobody");
}

#[test]
fn people_are_moved() {
    let program = Program::new();
    program.run(&["org", "add", "South"]).done();
    import(&program, "username,organisation\nada,North\nbo,North\ncy,\n", &[]).done();
    let org = |who: &str| program.run(&["user", "show", who, "--json"]).done().json()["organisation"].clone();
    let dry = program.run(&["user", "move", "--org", "North", "--to", "South", "--dry-run", "--json"]).done().json();
    assert_eq!((&dry["people"], org("ada")), (&2.into(), "North".into()));
    program.run(&["user", "move", "ada", "cy", "--to", "south"]).done();
    assert_eq!([org("ada"), org("bo"), org("cy")], ["South", "North", "South"].map(Value::from));
    let no = program.at_terminal(&["user", "move", "--all", "--to", "none"], "\n");
    assert!(no.code == 1 && no.err.contains("people moved: 3"), "{}", no.err);
    let said = program.run(&["user", "move", "--all", "--to", "none"]).done().out;
    assert!(said.contains("people moved: 3") && org("bo").is_null(), "{said}");
    program.run(&["user", "move", "--to", "South"]).refused(2, "--all");
    program.run(&["user", "move", "ada", "--org", "North", "--to", "South"]).refused(2, "cannot be used");
    program.run(&["user", "move", "ada", "--to", "West"]).refused(1, "rollcall org list");
    program.run(&["user", "move", "nobody", "--to", "South"]).refused(1, "nobody");
}

#[tokio::test]
async fn what_goes_with_somebody_is_counted_and_asked_for() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    program.add("mia", &[]);
    let server = program.serve(&[]);
    let mia = server.sign_in("mia");
    let dry = program.run(&["user", "delete", "mia", "--dry-run", "--json"]).done().json();
    assert_eq!((&dry["live_sessions"], &dry["rows"]["sessions"], server.session(&mia)), (&1.into(), &1.into(), 200));
    let said = program.run(&["user", "delete", "mia", "--dry-run"]).done().out;
    assert!(said.contains("mia would be deleted, with ") && said.contains("sessions: 1, of which 1 live"), "{said}");
    let no = program.at_terminal(&["user", "delete", "mia"], "yes\n");
    assert!(no.code == 1 && no.err.contains("sessions: 1, of which 1 live") && no.out.is_empty(), "{}", no.err);
    assert_eq!(server.session(&mia), 200);
    let yes = program.at_terminal(&["user", "delete", "mia"], "mia\n").done();
    assert!(yes.out.starts_with("mia is deleted, with ") && yes.out.contains("sessions: 1"), "{}", yes.out);
    let db = Database::open(&program.data_dir()).await;
    assert_eq!(db.number("SELECT count(*) FROM sessions").await, 0);
    // A script is not asked.
    program.add("bo", &[]);
    let said = program.run(&["user", "delete", "bo"]).done().out;
    assert!(said.starts_with("bo is deleted, with "), "{said}");
    program.run(&["user", "delete", "bo", "--yes"]).refused(1, "no account");
}
