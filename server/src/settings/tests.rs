//! Precedence and refusals. The environment is a process's own and cannot be set safely here; the tests of the built
//! binary do that.

use std::io::Write;

use domain::{
    settings::{Lifetimes, Settings},
    time::{HOUR, MINUTE, SECOND},
};

use super::*;

fn settings(flags: &[&str]) -> Result<ServeSettings, String> {
    let args = read(flags.iter().map(Into::into).collect()).map_err(|e| e.to_string())?;
    args.settings().map_err(|e| e.to_string())
}

fn refusal(flags: &[&str]) -> String {
    settings(flags).err().unwrap_or_else(|| panic!("{flags:?} was accepted"))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn the_commands_are_well_formed() {
    ServeArgs::command().debug_assert();
}

#[test]
fn defaults_are_those_of_the_domain() {
    let s = settings(&[]).unwrap();
    assert_eq!(s.services, Settings::default());
    assert_eq!(s.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(s.ops_listen.map(|a| a.to_string()).as_deref(), Some("127.0.0.1:9600"));
    assert!(s.database_url.starts_with("sqlite:///") && s.database_url.ends_with("/data/rollcall.db"));
}

#[test]
fn flags_come_before_the_file_and_the_file_before_defaults() {
    let f = file("session_idle = \"2h\"\nidle_after = \"2m\"\nsession_limit = 3\nlogin_throttle = false\n");
    let s = settings(&["--config", f.path().to_str().unwrap(), "--idle-after", "1m"]).unwrap().services;
    assert_eq!((s.lifetimes.idle, s.presence.idle_after, s.session_limit), (2 * HOUR, MINUTE, 3));
    assert!(!s.login_throttle);
    assert_eq!(s.presence.away_after, 15 * MINUTE);
}

#[test]
fn the_file_may_hold_lists_and_switches() {
    let f = file("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\ninsecure_http = true\nlisten = \"0.0.0.0:80\"\n");
    let s = settings(&["--config", f.path().to_str().unwrap()]).unwrap();
    assert_eq!(s.trusted_proxies.len(), 2);
    assert!(s.insecure_http && s.check_listener().is_ok());
}

#[test]
fn an_unknown_key_is_named() {
    let f = file("sesion_idle = \"2h\"\n");
    let path = f.path().to_str().unwrap();
    let said = refusal(&["--config", path]);
    assert!(said.contains("\"sesion_idle\"") && said.starts_with(path), "{said}");
    assert!(refusal(&["--config", file("config = \"x\"").path().to_str().unwrap()]).contains("\"config\""));
    assert!(refusal(&["--config", "/nowhere.toml"]).contains("/nowhere.toml"));
    assert!(refusal(&["--config", file("a b").path().to_str().unwrap()]).contains("line 1"));
    assert!(refusal(&["--config", file("grace = 1.5").path().to_str().unwrap()]).contains("\"grace\""));
    assert!(refusal(&["--config", file("grace = \"soon\"").path().to_str().unwrap()]).contains("soon"));
}

#[test]
fn the_strict_preset_changes_defaults_only() {
    let strict = settings(&["--session-preset", "strict"]).unwrap().services.lifetimes;
    assert_eq!(strict, Lifetimes::strict());
    let s = settings(&["--session-preset", "strict", "--session-idle", "2h"]).unwrap().services.lifetimes;
    assert_eq!(s, Lifetimes { idle: 2 * HOUR, ..Lifetimes::strict() });
    let f = file("session_preset = \"strict\"\nsession_max = \"3h\"");
    let s = settings(&["--config", f.path().to_str().unwrap()]).unwrap().services.lifetimes;
    assert_eq!(s, Lifetimes { max: 3 * HOUR, ..Lifetimes::strict() });
}

#[test]
fn seconds_are_accepted_and_nonsense_is_not() {
    let fast = ["--heartbeat=1s", "--socket-lost-after=2s", "--grace=1s", "--idle-after=1s", "--away-after=2s"];
    assert_eq!(settings(&fast).unwrap().services.presence.lost_after, 2 * SECOND);
    for (flags, word) in [
        (["--session-idle", "0s"], "at least 1s"),
        (["--heartbeat", "45s"], "--socket-lost-after"),
        (["--idle-after", "16m"], "--away-after"),
        (["--away-as", "gone"], "offline"),
        (["--base-url", "rollcall.example"], "https://rollcall.example"),
        (["--trusted-proxies", "everyone"], "10.0.0.0/8"),
        (["--listen", "3000"], "127.0.0.1:3000"),
        (["--session-limit", "-1"], "-1"),
        (["--log", "info,=,"], "--log"),
        (["--nonsense", "1"], "--nonsense"),
    ] {
        let said = refusal(&flags);
        assert!(said.contains(word), "{flags:?}: {said}");
        assert!(!said.contains('\n'), "{said}");
    }
    let said = refusal(&["--database-url", "mysql://u:hunter2@h/n"]);
    assert!(said.contains("postgres://") && !said.contains("hunter2"));
}

#[test]
fn a_listener_for_everybody_needs_https() {
    assert!(settings(&["--listen", "0.0.0.0:0"]).unwrap().check_listener().is_err());
    assert!(settings(&["--listen", "[::]:0", "--base-url", "http://a.example"]).unwrap().check_listener().is_err());
    assert!(settings(&["--listen", "0.0.0.0:0", "--base-url", "https://a.example"]).unwrap().check_listener().is_ok());
    assert!(settings(&["--listen", "0.0.0.0:0", "--insecure-http"]).unwrap().check_listener().is_ok());
}

#[test]
fn the_data_directory_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a b%?/data");
    prepare_data_dir(&data).unwrap();
    assert_eq!(shared_bits(&data).unwrap(), 0);
    prepare_data_dir(&data).unwrap();
    let s = settings(&["--data-dir", data.to_str().unwrap()]).unwrap();
    assert!(s.database_url.ends_with("/a b%25%3F/data/rollcall.db"));
}
