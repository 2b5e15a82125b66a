//! `rollcall doctor` and `rollcall migrate`.

use super::program::Program;

const HERE: (&str, &str) = ("ROLLCALL_LISTEN", "127.0.0.1:0");

#[test]
fn a_sound_installation_is_well() {
    let program = Program::new();
    let before = program.run_with(&["doctor"], "", &[HERE]).done();
    assert!(before.out.contains("not there yet") && !program.data_dir().exists(), "{}", before.out);
    program.run(&["migrate", "up"]).done();
    let said = program.run_with(&["doctor", "--json"], "", &[HERE]).done().json();
    let findings = said.as_array().expect("a list");
    assert!(findings.len() >= 8 && findings.iter().all(|f| f["verdict"] != "bad"), "{said}");
    assert!(findings.iter().any(|f| f["check"] == "schema" && f["verdict"] == "ok"), "{said}");
}

#[test]
fn what_is_wrong_is_said_with_how_to_mend_it() {
    use std::os::unix::fs::PermissionsExt;
    let program = Program::new();
    program.run(&["migrate", "up"]).done();
    std::fs::set_permissions(program.data_dir(), PermissionsExt::from_mode(0o755)).expect("ours");
    let bad = |env: &[(&str, &str)], words: [&str; 2]| {
        let said = program.run_with(&["doctor"], "", &[&[HERE], env].concat());
        assert_eq!(said.code, 1, "{}", said.out);
        assert!(words.iter().all(|w| said.out.contains(w)), "{words:?}: {}", said.out);
    };
    bad(&[], ["bad   data", "chmod 700"]);
    bad(&[("ROLLCALL_TRUSTED_PROXIES", "0.0.0.0/0")], ["bad   proxies", "name only your proxies"]);
    bad(&[("ROLLCALL_GEOIP_FILE", "/dev/null")], ["bad   places", "unset ROLLCALL_GEOIP_FILE"]);
    bad(&[("ROLLCALL_BASE_URL", "http://rollcall.example")], ["bad   address", "certificate"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    // Whoever listens there hangs up at once.
    std::thread::spawn(move || taken.incoming().for_each(drop));
    bad(&[("ROLLCALL_LISTEN", &address)], ["bad   listener", "another --listen"]);
    let database = program.data_dir().join("rollcall.db");
    for beside in ["rollcall.db-wal", "rollcall.db-shm"] {
        // There or not, by how the last command ended.
        let _ = std::fs::remove_file(program.data_dir().join(beside));
    }
    std::fs::write(database, [0x41; 8192]).expect("writable");
    bad(&[], ["bad   database", "file is not a database"]);
}

#[test]
fn a_running_server_is_not_in_the_way() {
    let program = Program::new();
    let server = program.serve(&[]);
    let said = program.run_with(&["doctor"], "", &[("ROLLCALL_LISTEN", &server.address.to_string())]).done();
    assert!(said.out.contains("is being served"), "{}", said.out);
}

#[test]
fn migrations_can_be_seen() {
    let program = Program::new();
    let pending = program.run(&["migrate", "status"]).done().out;
    assert!(pending.contains("m0001_people") && !pending.contains("applied"), "{pending}");
    assert!(!program.data_dir().exists());
    program.run(&["migrate", "up"]).done();
    let all = program.run(&["migrate", "status", "--json"]).done().json();
    assert!(all.as_array().is_some_and(|m| !m.is_empty() && m.iter().all(|m| m["applied"] == true)), "{all}");
    assert!(program.run(&["migrate", "up"]).done().out.contains("up to date"));
}
