//! `rollcall audit`.

use super::program::Program;
use crate::harness::Database;

#[tokio::test]
async fn an_unbroken_chain_is_told_and_a_broken_one_named() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    program.add("mia", &[]);
    program.run(&["user", "disable", "mia"]).done();
    let good = program.run(&["audit", "verify", "--json"]).done().json();
    assert_eq!((&good["entries"], &good["fault"]), (&3.into(), &serde_json::Value::Null), "{good}");
    let head = good["head"].as_str().expect("a hash").to_owned();
    let said = program.run(&["audit", "verify", "--head", &head]).done().out;
    assert!(said.starts_with("3 entries, unbroken since 2") && said.trim_end().ends_with(&head), "{said}");

    let all = program.run(&["audit", "export"]).done().json();
    assert_eq!(
        (&all[2]["seq"], &all[2]["action"], all.as_array().map(Vec::len)),
        (&3.into(), &"user_disabled".into(), Some(4))
    );
    let csv = program.run(&["audit", "export", "--csv"]).done().out;
    assert!(csv.starts_with("seq,at,actor,action,") && csv.lines().count() == 6, "{csv}");
    program.run(&["audit", "export", "--csv", "--json"]).refused(2, "cannot be used");

    let database = Database::open(&program.data_dir()).await;
    database.run("UPDATE audit SET details = '{}' WHERE seq = 2").await;
    let says = "row 2 was changed: its details do not match what was recorded";
    program.run(&["audit", "verify"]).refused(1, says);
    let bad = program.run(&["audit", "verify", "--json"]);
    assert_eq!((bad.code, &bad.json()["fault"]["row"]), (1, &2.into()));
    program.run(&["audit", "verify", "--head", &"0".repeat(64)]).refused(1, "row 2");
}
