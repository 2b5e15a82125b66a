//! `kill -9` while files come: after the next start there is no row without its file and no file without its row, and
//! what was acknowledged is there, whole, and told once to whoever asked.
//!
//! `ROLLCALL_TEST_FILE_KILLS` says how often, 8 by default; `ROLLCALL_TEST_SEED` makes another run.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::{
    files::{files_in, form, multipart},
    harness::{Client, Database, Dice, PASSWORD, Program},
};

/// What was acknowledged: id and hash.
type Acknowledged = Arc<Mutex<BTreeMap<String, String>>>;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Sends files of all sizes, some deleted again, until the server is gone.
async fn load(client: Arc<Client>, acknowledged: Acknowledged, mut dice: Dice) {
    loop {
        let size = [0, 1, 5_000, 100_000, 1_000_000, 6_000_000][dice.below(6)];
        let content: Vec<u8> = (0..size).map(|n| (n ^ (n >> 7)) as u8).collect();
        let body = form("x.bin", &content, Some(("workflow", "kill")));
        let pieces: Vec<_> = body.chunks(64 * 1024).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect();
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces).then(async |piece| {
            tokio::task::yield_now().await;
            piece
        }));
        let request = client.request(Method::POST, "/api/v1/uploads").header("content-type", multipart());
        let Ok(answer) = request.body(body).send().await else { return };
        assert_eq!(answer.status(), 201);
        let Ok(upload) = answer.json::<serde_json::Value>().await else { return };
        let id = upload["id"].as_str().unwrap().to_owned();
        if dice.below(3) == 0 {
            let request = client.request(Method::DELETE, &format!("/api/v1/uploads/{id}"));
            // Without an answer it may be either.
            let Ok(answer) = request.send().await else { return };
            assert_eq!(answer.status(), 204);
        } else {
            acknowledged.lock().unwrap().insert(id, upload["sha256"].as_str().unwrap().to_owned());
        }
    }
}

#[tokio::test]
async fn no_orphans_after_kill_9() {
    let (kills, seed) = (number("ROLLCALL_TEST_FILE_KILLS", 8), number("ROLLCALL_TEST_SEED", 15));
    let dir = tempfile::tempdir().unwrap();
    let variables = [("ROLLCALL_SESSION_LIMIT", "0"), ("ROLLCALL_LOG", "warn"), ("ROLLCALL_UPLOAD_QUOTA", "0")];
    let program = Program::start(dir.path(), &variables).await;
    let first = Client::new(program.address, "");
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(first.rpc("set_up", &fields).await.status, 200);
    let eve = json!({"username": "eve", "role": "admin", "email": "eve@example.org"});
    assert_eq!(first.post("/api/v1/admin/users", eve).await.status, 201);
    program.kill();
    let asks = "INSERT INTO upload_subscriptions (id, user_id, mail, at_minute, created_at) \
                SELECT randomblob(16), id, 'at_once', 480, 0 FROM users WHERE username = 'eve'";
    Database::open(dir.path()).await.run(asks).await;
    let mut dice = Dice::new(seed);
    let acknowledged = Acknowledged::default();
    let mut cut = 0;
    for kill in 0..kills {
        let program = Program::start(dir.path(), &variables).await;
        let client = Client::new(program.address, "");
        client.set_cookie(first.cookie());
        let client = Arc::new(client);
        let mut tasks = JoinSet::new();
        for _ in 0..3 {
            tasks.spawn(load(Arc::clone(&client), Arc::clone(&acknowledged), Dice::new(dice.next())));
        }
        tokio::time::sleep(Duration::from_millis(50 + dice.below(400) as u64)).await;
        program.kill();
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        cut += files_in(dir.path(), "files.partial").len();
        let program = Program::start(dir.path(), &variables).await;
        check(dir.path(), &acknowledged, kill).await;
        program.kill();
    }
    println!("{kills} kills, {cut} files cut, {} acknowledged, 0 orphans", acknowledged.lock().unwrap().len());
    assert!(!acknowledged.lock().unwrap().is_empty(), "there was a load");
}

async fn check(dir: &std::path::Path, acknowledged: &Acknowledged, kill: u64) {
    let database = Database::open(dir).await;
    let mut rows =
        database.texts("SELECT lower(hex(id)) || ' ' || lower(hex(sha256)) || ' ' || size FROM uploads").await;
    rows.sort();
    let mut there: Vec<String> = files_in(dir, "files")
        .iter()
        .map(|file| {
            let content = std::fs::read(file).unwrap();
            let id = file.file_name().unwrap().to_str().unwrap().replace('-', "");
            format!("{id} {} {}", data_encoding::HEXLOWER.encode(&Sha256::digest(&content)), content.len())
        })
        .collect();
    there.sort();
    assert_eq!(rows, there, "rows and files after kill {kill}");
    assert!(files_in(dir, "files.partial").is_empty(), "partial files after kill {kill}");
    assert_eq!(database.number("SELECT count(*) FROM unkept_files").await, 0, "after kill {kill}");
    let told = "(SELECT count(*) FROM notices n JOIN mails m ON m.id = n.mail_id WHERE n.upload_id = f.id)";
    let wrong = database.number(&format!("SELECT count(*) FROM uploads f WHERE {told} <> 1")).await;
    assert_eq!(wrong, 0, "uploads told of otherwise than once after kill {kill}");
    for (id, hash) in acknowledged.lock().unwrap().iter() {
        let row = format!("{} {hash} ", id.replace('-', ""));
        assert!(rows.iter().any(|r| r.starts_with(&row)), "{id} was acknowledged and lost by kill {kill}");
    }
}
