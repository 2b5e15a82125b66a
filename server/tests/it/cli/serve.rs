//! `rollcall serve` as a process: what it prints, what it refuses, how it stops.

use std::net::SocketAddr;

use tokio_tungstenite::tungstenite::Message;

use super::program::{PASSWORD, Program, mode, request};

#[test]
fn a_fresh_database_prints_its_link_once() {
    let program = Program::new();
    let server = program.serve(&[]);
    let [link, listening] = &server.lines[..] else { panic!("{:?}", server.lines) };
    assert!(link.contains(&format!("http://{}/setup?token=", server.address)), "{link}");
    assert_eq!(*listening, format!("listening on http://{}", server.address));
    assert_eq!(mode(&program.data_dir()), 0o700);
    assert_eq!(server.request("GET", "/health/live", "", "").0, 200);
    assert_eq!(server.request("GET", "/health/ready", "", "").0, 404);
    assert_eq!(server.request("GET", "/metrics", "", "").0, 404);
    let (code, rest) = server.stop();
    assert_eq!((code, rest.as_str()), (0, ""));

    program.add("ada", &["--role", "admin"]);
    let server = program.serve(&[]);
    assert_eq!(server.lines.len(), 1, "{:?}", server.lines);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn the_link_leads_to_where_people_go() {
    let program = Program::new();
    let server = program.serve(&["--base-url", "https://rollcall.example"]);
    assert!(server.lines[0].contains("https://rollcall.example/setup?token="), "{:?}", server.lines);
}

#[test]
fn nonsense_is_refused_before_anything_happens() {
    let program = Program::new();
    let serve = |more: &[&str]| program.run(&[&["serve"], more].concat());
    serve(&["--listen", "0.0.0.0:0"]).refused(2, "https");
    serve(&["--heartbeat", "1m"]).refused(2, "--socket-lost-after");
    serve(&["--session-idle", "0s"]).refused(2, "at least 1s");
    serve(&["--nonsense"]).refused(2, "--nonsense");
    serve(&["--config", "none.toml"]).refused(2, "none.toml");
    std::fs::write(program.file("bad.toml"), "sesion_idle = \"1h\"\n").expect("writable");
    serve(&["--config", "bad.toml"]).refused(2, "sesion_idle");
    assert!(!program.data_dir().exists());
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let program = Program::new();
    std::fs::write(program.file("good.toml"), "listen = \"0.0.0.0:1\"\ngrace = \"0s\"\n").expect("writable");
    let run = |args: &[&str], env: &[(&str, &str)]| {
        program.run_with(&[&["serve", "--config", "good.toml"], args].concat(), "", env)
    };
    // What wins is seen in what is complained about.
    run(&[], &[]).refused(2, "--grace");
    let grace = ("ROLLCALL_GRACE", "2s");
    run(&[], &[grace]).refused(2, "0.0.0.0:1 ");
    run(&[], &[grace, ("ROLLCALL_LISTEN", "0.0.0.0:2")]).refused(2, "0.0.0.0:2 ");
    run(&["--listen", "0.0.0.0:3"], &[grace, ("ROLLCALL_LISTEN", "0.0.0.0:2")]).refused(2, "0.0.0.0:3 ");
}

#[test]
fn an_address_in_use_is_named() {
    let program = Program::new();
    let server = program.serve(&[]);
    let address = server.address.to_string();
    program.run(&["serve", "--ops-listen", "off", "--listen", &address]).refused(1, &address);
}

#[test]
fn a_stop_tells_the_sockets() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let server = program.serve(&[]);
    let mut socket = server.socket(&server.sign_in("ada"));
    let reader = std::thread::spawn(move || {
        loop {
            if let Message::Close(frame) = socket.read().expect("a frame") {
                return u16::from(frame.expect("a code").code);
            }
        }
    });
    assert_eq!(server.stop().0, 0);
    assert_eq!(reader.join().expect("no panic"), 1012);
}

#[test]
fn health_and_metrics_have_a_listener_of_their_own() {
    let program = Program::new();
    program.add("ada", &["--role", "admin"]);
    let server = program.start(&["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    let line = server.logged("health and metrics address=");
    let ops: SocketAddr = line.rsplit('=').next().and_then(|a| a.parse().ok()).expect("an address");
    let _socket = server.socket(&server.sign_in("ada"));
    let get = |path: &str| request(ops, "GET", path, "", "");
    assert_eq!((get("/health/live").0, get("/health/ready").0), (200, 200));
    let (status, head, text) = get("/metrics");
    assert_eq!(status, 200);
    assert!(head.to_ascii_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    for line in [
        "# HELP rollcall_people People who are not offline, by state.",
        "# TYPE rollcall_http_request_seconds histogram",
        "rollcall_connections 1",
        "rollcall_people{state=\"active\"} 1",
        "rollcall_people{state=\"busy\"} 0",
        "rollcall_http_requests_total{route=\"/api/v1/auth/login\",method=\"POST\",status=\"200\"} 1",
        "rollcall_sign_ins_total{result=\"ok\"} 1",
        "rollcall_resends_total 0",
        "rollcall_lagging_watchers 0",
        "rollcall_queued_bytes 0",
        "rollcall_ghost_seconds_total 0",
        "rollcall_false_offline_seconds_total 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}: {text}");
    }
    let names =
        |what: &str| -> Vec<&str> { text.lines().filter_map(|l| l.strip_prefix(what)?.split(' ').next()).collect() };
    assert_eq!(names("# HELP "), names("# TYPE "), "each is explained");
    for name in ["rollcall_sent_bytes_total", "rollcall_flush_age_seconds", "rollcall_activity_age_seconds"] {
        assert!(names("# TYPE ").contains(&name), "{name}: {text}");
    }
}

/// Security row 63, at the loudest level.
#[test]
fn the_log_holds_no_secret() {
    let program = Program::new();
    let server = program.serve(&["--log", "trace"]);
    let setup = server.lines[0].rsplit('=').next().expect("a token").to_owned();
    server.request("GET", &format!("/setup?token={setup}"), "", "");
    program.add("ada", &["--role", "admin"]);
    let link = program.run(&["user", "reset-link", "ada"]).done().out;
    let reset = link.trim().rsplit('=').next().expect("a token").to_owned();
    server.request("GET", &format!("/reset?token={reset}"), "", "");
    let wrong = "a wrong password of somebody";
    let body = format!(r#"{{"username":"ada","password":"{wrong}"}}"#);
    assert_eq!(server.request("POST", "/api/v1/auth/login", "", &body).0, 401);
    let cookie = server.sign_in("ada");
    assert_eq!(server.session(&cookie), 200);
    server.socket(&cookie);
    let token = cookie.split('=').nth(1).expect("a value");
    // What came before is written by now.
    server.logged("/socket/websocket");
    let log = server.log();
    for secret in [&setup, &reset, wrong, PASSWORD, token] {
        assert!(!log.contains(secret), "{secret}");
    }
}
