//! `rollcall mail`.

use super::program::Program;
use crate::{harness::Database, smtp::MailServer};

/// An outbox with `n` mails: each change of an address is told to the old one.
fn waiting(program: &Program, n: usize) {
    program.add("mia", &["--email", "mia0@a.example"]);
    for i in 1..=n {
        program.run(&["user", "edit", "mia", "--email", &format!("mia{i}@a.example")]).done();
    }
}

#[tokio::test]
async fn mails_are_listed_tried_again_and_dropped() {
    let program = Program::new();
    waiting(&program, 4);
    let list = |args: &[&str]| program.run(&[&["mail", "list", "--json"], args].concat()).done().json();
    let mails = list(&[]);
    assert_eq!((mails.as_array().map(Vec::len), &mails[0]["to"]), (Some(4), &"mia3@a.example".into()), "{mails}");
    assert!(mails[0].get("body").is_none(), "never what it says");
    let table = program.run(&["mail", "list", "--state", "waiting"]).done().out;
    assert!(table.lines().count() == 5 && table.contains("mia0@a.example"), "{table}");
    assert_eq!(list(&["--state", "sent"]).as_array().map(Vec::len), Some(0));
    program.run(&["mail", "list", "--state", "lost"]).refused(2, "given_up");

    let db = Database::open(&program.data_dir()).await;
    db.run("UPDATE mails SET next_try_at = NULL, tries = 8, last_error = '550 no'").await;
    assert_eq!(list(&["--state", "given_up"]).as_array().map(Vec::len), Some(4));
    let id = mails[0]["id"].as_str().expect("an id");
    let said = program.run(&["mail", "retry", "--id", id]).done().out;
    assert!(said.contains("1 mail will be tried again"), "{said}");
    assert_eq!(list(&["--state", "waiting"])[0]["id"], id);
    assert_eq!(program.run(&["mail", "retry", "--all", "--json"]).done().json()["retried"], 4);
    let nobody = "0190b0a0-0000-7000-8000-000000000000";
    program.run(&["mail", "retry", "--id", nobody]).refused(1, "rollcall mail list");
    program.run(&["mail", "retry"]).refused(2, "--all");
    program.run(&["mail", "drop", "--all", "--id", id]).refused(2, "cannot be used");

    program.run(&["mail", "drop", "--id", id]).done();
    program.run(&["mail", "drop", "--id", id]).refused(1, "no such mail");
    let no = program.at_terminal(&["mail", "drop", "--all"], "no\n");
    assert!(no.code == 1 && no.err.contains("drops 3 mails") && no.err.contains("nothing was done"), "{}", no.err);
    assert_eq!(list(&[]).as_array().map(Vec::len), Some(3));
    let yes = program.at_terminal(&["mail", "drop", "--all"], "drop\n").done();
    assert!(yes.out.contains("dropped 3 mails"), "{}", yes.out);
    assert_eq!(program.run(&["mail", "drop", "--all", "--yes", "--json"]).done().json()["dropped"], 0);
    let log = program.run(&["audit", "export"]).done().json().to_string();
    assert!(log.contains("mail_retried") && log.contains("mail_dropped") && log.contains("operator"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_again_beside_a_server_goes_out() {
    let program = Program::new();
    waiting(&program, 1);
    let db = Database::open(&program.data_dir()).await;
    db.run("UPDATE mails SET next_try_at = NULL, tries = 8").await;
    let mails = MailServer::start().await;
    let url = format!("smtp://{}", mails.address);
    let _server = program.serve(&["--smtp-url", &url, "--mail-from", "Rollcall <rollcall@example.org>"]);
    program.run(&["mail", "retry", "--all"]).done();
    assert_eq!(mails.mail(1).await.to, ["mia0@a.example"]);
}
