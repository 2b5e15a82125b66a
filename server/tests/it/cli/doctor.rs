//! `rollcall doctor` and `rollcall migrate`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::program::Program;
use crate::{harness::Database, smtp::MailServer};

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

/// What the doctor says, by what was looked at.
fn findings(program: &Program, env: &[(&str, &str)], code: i32) -> BTreeMap<String, Value> {
    let said = program.run_with(&["doctor", "--json"], "", &[&[HERE], env].concat());
    assert_eq!(said.code, code, "{} {}", said.out, said.err);
    let list = said.json();
    let finding = |f: &Value| (f["check"].as_str().expect("a name").to_owned(), f.clone());
    let all: BTreeMap<_, _> = list.as_array().expect("a list").iter().map(finding).collect();
    for f in all.values().filter(|f| f["verdict"] != "ok") {
        assert!(f["why"].is_string() && f["mend"].is_string(), "{f}");
    }
    all
}

#[tokio::test]
async fn what_is_in_the_database_is_looked_at() {
    let program = Program::new();
    let data = program.data_dir();
    program.add("ada", &["--role", "admin"]);
    program.add("mia", &["--email", "mia@a.example"]);
    program.run(&["user", "edit", "mia", "--email", "mia@b.example"]).done();
    let file = program.file("people.tsv");
    program.run(&["load", "prepare", "--people", "2", "--out", file.to_str().expect("UTF-8"), "--yes"]).done();
    let before = Database::open(&data).await.dump().await;
    let well = findings(&program, &[], 0);
    assert_eq!(before, Database::open(&data).await.dump().await, "nothing is changed");
    for (check, verdict) in [
        ("admins", "ok"),
        ("two factors", "info"),
        ("outbox", "ok"),
        ("clean-up", "ok"),
        ("sealed", "ok"),
        ("audit log", "ok"),
    ] {
        assert_eq!(well[check]["verdict"], verdict, "{:?}", well[check]);
    }
    assert!(
        well["two factors"]["found"].to_string().contains("ada")
            && well["sealed"]["found"].to_string().contains("1 value")
    );

    let has = |all: &BTreeMap<String, Value>, check: &str, verdict: &str, word: &str| {
        let f = &all[check];
        assert!(f["verdict"] == verdict && f.to_string().contains(word), "{word}: {f}");
    };
    let db = Database::open(&data).await;
    db.run("UPDATE sessions SET expires_at = created_at - 86400000").await;
    db.run("UPDATE mails SET created_at = created_at - 7200000").await;
    let late = findings(&program, &[], 0);
    has(&late, "clean-up", "warn", "2 sessions over for hours");
    has(&late, "outbox", "warn", "ROLLCALL_SMTP_URL");
    program.run(&["sessions", "cleanup"]).done();
    db.run("UPDATE sessions SET ended_at = 1000").await;
    db.run("UPDATE mails SET next_try_at = NULL, last_error = '550 no'").await;
    let later = findings(&program, &[], 0);
    has(&later, "clean-up", "warn", "2 sessions kept longer");
    has(&later, "outbox", "warn", "rollcall mail retry --all");
    assert!(program.run_with(&["doctor"], "", &[HERE]).done().out.contains("nothing is broken, 2 things to look at"));

    db.run("UPDATE users SET disabled_at = 1 WHERE username = 'ada'").await;
    has(&findings(&program, &[], 1), "admins", "bad", "rollcall user enable ada");
    db.run("UPDATE users SET disabled_at = NULL, role = 'member' WHERE username = 'ada'").await;
    has(&findings(&program, &[], 1), "admins", "bad", "--role admin");
    db.run("UPDATE users SET role = 'admin' WHERE username = 'ada'").await;
    db.run("UPDATE mails SET body = 'AAAA'").await;
    has(&findings(&program, &[], 1), "sealed", "bad", "do not open: 1 of 1 tried, such as mail ");
    std::fs::write(data.join("secret.key"), "nonsense\n").expect("ours");
    has(&findings(&program, &[], 1), "sealed", "bad", "damaged in line 1");
    std::fs::remove_file(data.join("secret.key")).expect("ours");
    has(&findings(&program, &[], 1), "sealed", "bad", "rollcall keys reset --yes");
    assert!(!data.join("secret.key").exists(), "looking makes no key");
    db.run("UPDATE mails SET body = NULL, body_key = NULL").await;
    db.run("UPDATE audit SET details = '{}' WHERE seq = 3").await;
    let broken = findings(&program, &[], 1);
    has(&broken, "audit log", "bad", "row 3 was changed");
    has(&broken, "keys", "warn", "not there yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_server_is_tried() {
    let program = Program::new();
    assert_eq!(findings(&program, &[], 0)["mail server"]["verdict"], "info");
    let server = MailServer::start().await;
    let url = format!("smtp://ada:hunter2@{}", server.address);
    let env = [("ROLLCALL_SMTP_URL", &*url), ("ROLLCALL_MAIL_FROM", "Rollcall <rollcall@example.org>")];
    let plain = format!("smtp://{}", server.address);
    let good = findings(&program, &[("ROLLCALL_SMTP_URL", &plain), env[1]], 0);
    assert!(good["mail server"].to_string().contains("rollcall@example.org> answers"), "{:?}", good["mail server"]);
    server.die().await;
    let dead = findings(&program, &env, 1);
    assert!(dead["mail server"]["verdict"] == "bad" && !format!("{dead:?}").contains("hunter2"), "{dead:?}");
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

#[tokio::test(flavor = "multi_thread")]
async fn the_storage_is_looked_at() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let files = program.data_dir().join("files");
    let has = |env: &[(&str, &str)], code: i32, check: &str, verdict: &str, word: &str| {
        let all = findings(&program, env, code);
        assert!(all[check]["verdict"] == verdict && all[check].to_string().contains(word), "{word}: {:?}", all[check]);
    };
    // A command beside the server makes the folders as the server does.
    if files.exists() {
        std::fs::remove_dir_all(&files).expect("ours");
    }
    has(&[], 0, "storage", "warn", "not there yet");
    assert!(!files.exists(), "looking makes nothing");
    std::fs::create_dir(&files).expect("ours");
    has(&[], 0, "files", "ok", "each has its row");
    has(&[], 0, "storage", "ok", "MB free under");
    let stray = files.join("0197c9a0-0000-7000-8000-000000000001");
    std::fs::write(&stray, "whose?").expect("ours");
    has(&[], 0, "files", "warn", "1 file in the storage without a row");
    std::fs::remove_file(stray).expect("ours");
    let db = Database::open(&program.data_dir()).await;
    db.run(
        "INSERT INTO uploads (id, user_id, name, search, content_type, size, sha256, created_at) \
         SELECT randomblob(16), id, 'a', 'a', 'text/plain', 1, randomblob(32), 0 FROM users",
    )
    .await;
    has(&[], 1, "files", "bad", "the content of 1 file is gone");
    db.run("DELETE FROM uploads").await;
    db.run("DELETE FROM unkept_files").await;

    let away = [
        ("ROLLCALL_STORAGE_URL", "s3://somewhere/files"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "an-id"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2-hunter2"),
    ];
    has(&away, 1, "storage", "bad", "AWS_ALLOW_HTTP=true");
    let away = [&away[..], &[("AWS_ALLOW_HTTP", "true")]].concat();
    has(&away, 1, "storage", "bad", "AWS_* variables");
    let said = program.run_with(&["doctor"], "", &[&[HERE], &away[..]].concat());
    assert!(!said.out.contains("hunter2") && !said.err.contains("hunter2"), "{} {}", said.out, said.err);
    let Ok(service) = std::env::var("ROLLCALL_TEST_S3") else { return };
    let name = format!("doctor-{}", std::process::id());
    assert!(
        crate::harness::http()
            .build()
            .expect("a client")
            .put(format!("{service}/{name}"))
            .send()
            .await
            .expect("it answers")
            .status()
            .is_success()
    );
    let url = format!("s3://{name}/files");
    let there = [&[("ROLLCALL_STORAGE_URL", &*url)], &away[2..], &[("AWS_ENDPOINT_URL", &service)]].concat();
    has(&there, 0, "storage", "ok", "answers");
    has(&there, 0, "files", "ok", "each has its row");
}
