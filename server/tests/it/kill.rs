//! `kill -9` under writes: what was acknowledged has happened, and what was ended stays ended.
//!
//! `ROLLCALL_TEST_KILLS` says how often, 100 by default; `ROLLCALL_TEST_SEED` makes another run.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Client, Database, Dice, PASSWORD, Program};

/// What the server has acknowledged: cookies of sessions.
#[derive(Default)]
struct Ledger {
    alive: HashSet<String>,
    dead: HashSet<String>,
    acknowledged: [usize; 3],
}

type Shared = Arc<Mutex<Ledger>>;

fn ledger(shared: &Shared) -> std::sync::MutexGuard<'_, Ledger> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer, or nothing when the server died first.
async fn ask(request: reqwest::RequestBuilder) -> Option<(StatusCode, Option<String>, Value)> {
    let answer = request.send().await.ok()?;
    let cookie = answer.headers().get("set-cookie").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let status = answer.status();
    let text = answer.text().await.ok()?;
    Some((status, cookie, serde_json::from_str(&text).unwrap_or_default()))
}

fn total(shared: &Shared) -> usize {
    ledger(shared).acknowledged.iter().sum()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Signs in, out and others out, until the server is gone.
async fn load(http: reqwest::Client, base: String, user: String, admin: String, shared: Shared, mut dice: Dice) {
    let to = |method: Method, path: &str| http.request(method, format!("{base}/api/v1{path}"));
    loop {
        let login = json!({"username": user, "password": PASSWORD});
        let Some((status, cookie, body)) = ask(to(Method::POST, "/auth/login").json(&login)).await else { return };
        assert_eq!(status, 200, "{body}");
        let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
        {
            let mut l = ledger(&shared);
            l.alive.insert(cookie.clone());
            l.acknowledged[0] += 1;
        }
        let (kind, request) = match dice.below(3) {
            0 => continue,
            1 => (1, to(Method::POST, "/auth/logout").header("cookie", &cookie)),
            _ => {
                let ids = json!({"ids": [body["session"]["id"]]});
                (2, to(Method::POST, "/admin/sessions/revoke").header("cookie", &admin).json(&ids))
            }
        };
        // Until it is acknowledged nobody can say; and if it never is, either may be.
        ledger(&shared).alive.remove(&cookie);
        let Some((status, _, body)) = ask(request).await else { return };
        assert!(status.is_success() && (kind == 1 || body["ended"] == 1), "{status} {body}");
        let mut l = ledger(&shared);
        l.dead.insert(cookie);
        l.acknowledged[kind] += 1;
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let (kills, seed) = (number("ROLLCALL_TEST_KILLS", 100), number("ROLLCALL_TEST_SEED", 9));
    let dir = tempfile::tempdir().unwrap();
    // Waiting for the next minute of the clock is not what is tested: no limit on sessions, sudo for as long as it takes.
    let variables = [("ROLLCALL_SESSION_LIMIT", "0"), ("ROLLCALL_SUDO_FOR", "1h"), ("ROLLCALL_LOG", "warn")];
    let program = Program::start(dir.path(), &variables).await;
    let admin = Client::new(program.address, "");
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(admin.rpc("set_up", &fields).await.status, 200);
    program.kill();
    for user in ["mia", "ben"] {
        add(dir.path(), user).await;
    }
    let admin = admin.cookie().unwrap();
    let mut dice = Dice::new(seed);
    let shared = Shared::default();
    let mut slowest = Duration::ZERO;
    for kill in 0..kills {
        let started = Instant::now();
        let program = Program::start(dir.path(), &variables).await;
        slowest = slowest.max(started.elapsed());
        let base = format!("http://{}", program.address);
        let http = crate::harness::http().build().unwrap();
        check(&http, &base, &shared, kill).await;
        let mut tasks = JoinSet::new();
        for user in ["mia", "ben"] {
            let (http, base, admin) = (http.clone(), base.clone(), admin.clone());
            tasks.spawn(load(http, base, user.to_owned(), admin, Arc::clone(&shared), Dice::new(dice.next())));
        }
        // In the middle of something: after a few acknowledgements, and then at any moment.
        let enough = total(&shared) + 1 + dice.below(6);
        crate::harness::until("a load", async || total(&shared) >= enough).await;
        tokio::time::sleep(Duration::from_millis(dice.below(60) as u64)).await;
        program.kill();
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        verify(dir.path(), kill).await;
    }
    let program = Program::start(dir.path(), &variables).await;
    let http = crate::harness::http().build().unwrap();
    let base = format!("http://{}", program.address);
    check_all(&http, &base, &shared).await;
    program.kill();
    let database = Database::open(dir.path()).await;
    let half = "SELECT count(*) FROM sessions WHERE NOT EXISTS (SELECT 1 FROM audit WHERE action = 'sign_in' AND subject = lower(\
                substr(hex(sessions.id),1,8)||'-'||substr(hex(sessions.id),9,4)||'-'||substr(hex(sessions.id),13,4)||'-'||substr(hex(sessions.id),17,4)||'-'||substr(hex(sessions.id),21)))";
    assert_eq!(database.number(half).await, 0, "row 64: each session has its audit row, or there is neither");
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    let l = ledger(&shared);
    let [sign_ins, sign_outs, revocations] = l.acknowledged;
    println!(
        "{kills} kills; {sign_ins} sign-ins, {sign_outs} sign-outs and {revocations} revocations acknowledged, 0 lost; \
         ready again within {slowest:?}"
    );
    assert!(sign_ins as u64 > kills, "there was a load: {:?}", l.acknowledged);
}

/// Makes a person with the command of the same program.
pub(crate) async fn add(dir: &std::path::Path, username: &str) {
    use std::{io::Write, process::Stdio};
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(["user", "add", "--username", username, "--password-stdin"]).env("ROLLCALL_DATA_DIR", dir);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap().success());
}

/// Row 65: whatever was cut short, the audit log is one chain.
async fn verify(dir: &std::path::Path, kill: u64) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(["audit", "verify"]).env("ROLLCALL_DATA_DIR", dir);
    let said = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = [said.stdout, said.stderr].concat();
    assert!(said.status.success(), "the audit log after kill {kill}: {}", String::from_utf8_lossy(&text));
}

async fn status(http: &reqwest::Client, base: &str, cookie: &str) -> u16 {
    let request = http.get(format!("{base}/api/v1/session")).header("cookie", cookie);
    request.send().await.unwrap().status().as_u16()
}

/// Some of those that must be alive and some that must not; all of them at the end.
async fn check(http: &reqwest::Client, base: &str, shared: &Shared, kill: u64) {
    let some = |all: &HashSet<String>| all.iter().take(30).cloned().collect::<Vec<_>>();
    let (alive, dead) = {
        let l = ledger(shared);
        (some(&l.alive), some(&l.dead))
    };
    for cookie in alive {
        assert_eq!(status(http, base, &cookie).await, 200, "a sign-in was lost by kill {kill}");
    }
    for cookie in dead {
        assert_eq!(status(http, base, &cookie).await, 401, "an ended session is alive after kill {kill}");
    }
}

async fn check_all(http: &reqwest::Client, base: &str, shared: &Shared) {
    let (alive, dead) = {
        let l = ledger(shared);
        (l.alive.clone(), l.dead.clone())
    };
    for cookie in alive {
        assert_eq!(status(http, base, &cookie).await, 200, "a sign-in was lost");
    }
    for cookie in dead {
        assert_eq!(status(http, base, &cookie).await, 401, "an ended session is alive");
    }
}
