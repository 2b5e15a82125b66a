//! `rollcall demo`.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::program::Program;

#[test]
fn people_come_and_nothing_is_left() {
    let program = Program::new();
    let demo = program.start(&["demo", "--listen", "127.0.0.1:0"]);
    let said = |word: &str| demo.lines.iter().find_map(|l| l.strip_prefix(word)).map(str::trim).expect("it is printed");
    let cookie = format!("Cookie: {}\r\n", demo.sign_in_with(said("username "), said("password ")));
    let begun = Instant::now();
    let online = loop {
        let (status, _, body) = demo.request("GET", "/api/v1/admin/users/online?limit=200", &cookie, "");
        assert_eq!(status, 200, "{body}");
        let online: Value = serde_json::from_str(&body).expect("JSON");
        if online["total"].as_u64() >= Some(20) {
            break online;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{online}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let people = online["users"].as_array().expect("a list");
    let different = |key: &str| people.iter().map(|p| p[key].to_string()).collect::<BTreeSet<_>>().len();
    assert!(different("ip") >= 20 && different("page") >= 5 && different("organisation") >= 3, "{online}");
    for what in ["uploads", "outputs"] {
        loop {
            let (status, _, body) = demo.request("GET", &format!("/api/v1/admin/{what}"), &cookie, "");
            assert_eq!(status, 200, "{body}");
            let files: Value = serde_json::from_str(&body).expect("JSON");
            if files["total"].as_u64() >= Some(2) {
                break;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{files}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    program.run(&["demo", "--listen", "0.0.0.0:0"]).refused(2, "127.0.0.1");

    assert_eq!(demo.stop().0, 0);
    let left = std::fs::read_dir(program.file("")).expect("readable").filter_map(Result::ok);
    let left: Vec<_> = left.map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
