//! Files in an S3-compatible service: a real one, which `cargo xtask test` starts and `ROLLCALL_TEST_S3` names. Without it
//! these tests hold of nothing, as those of PostgreSQL do.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    files::{form, multipart},
    harness::{Client, Database, Dice, PASSWORD, Program, http, until},
};

/// Nobody may ever read it in a log or an answer.
const SECRET: &str = "a-secret-nobody-may-read";

/// A bucket of this test's own, behind a line that can be cut.
struct Bucket {
    service: String,
    name: String,
    line: SocketAddr,
    is_cut: Arc<AtomicBool>,
    http: reqwest::Client,
}

impl Bucket {
    async fn make(name: &str) -> Option<Self> {
        let service = std::env::var("ROLLCALL_TEST_S3").ok()?;
        let http = http().build().unwrap();
        let name = format!("{name}-{}", std::process::id());
        assert!(http.put(format!("{service}/{name}")).send().await.unwrap().status().is_success());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (line, is_cut) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let (to, cut) = (service.trim_start_matches("http://").to_owned(), Arc::clone(&is_cut));
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let (to, cut) = (to.clone(), Arc::clone(&cut));
                tokio::spawn(async move {
                    let is_cut = async {
                        while !cut.load(SeqCst) {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                    };
                    let through = async {
                        let mut to = TcpStream::connect(to).await?;
                        copy_bidirectional(&mut from, &mut to).await
                    };
                    tokio::select! {
                        () = is_cut => {}
                        _ = through => {}
                    }
                });
            }
        });
        Some(Self { service, name, line, is_cut, http })
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, SeqCst);
    }

    async fn server(&self, dir: &Path, more: &[(&str, &str)]) -> Program {
        let (url, endpoint) = (format!("s3://{}/its/files", self.name), format!("http://{}", self.line));
        let variables = [
            ("ROLLCALL_STORAGE_URL", &*url),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ACCESS_KEY_ID", "a-key-id"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("ROLLCALL_LOG", "info,object_store=debug"),
            ("ROLLCALL_SESSION_LIMIT", "0"),
            ("ROLLCALL_UPLOAD_LIMIT", "1GB"),
            ("ROLLCALL_UPLOAD_QUOTA", "0"),
        ];
        Program::start(dir, &[&variables[..], more].concat()).await
    }

    async fn said(&self, query: &str) -> String {
        let answer = self.http.get(format!("{}/{}?{query}", self.service, self.name)).send().await.unwrap();
        assert!(answer.status().is_success(), "{query}");
        answer.text().await.unwrap()
    }

    /// The ids of all whole files, sorted.
    async fn ids(&self) -> Vec<String> {
        let text = self.said("list-type=2&prefix=its/files/").await;
        let keys = text.split("<Key>its/files/").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys
    }

    /// How many uploads in parts are begun and not completed.
    async fn begun(&self) -> usize {
        self.said("uploads").await.matches("<UploadId>").count()
    }

    fn object(&self, key: &str) -> String {
        format!("{}/{}/its/files/{key}", self.service, self.name)
    }
}

async fn set_up(program: &Program) -> Client {
    let client = Client::new(program.address, "");
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(client.rpc("set_up", &fields).await.status, 200);
    client
}

fn again(program: &Program, before: &Client) -> Client {
    let client = Client::new(program.address, "");
    client.set_cookie(before.cookie());
    client
}

fn keeps_its_secret(dir: &Path) {
    let log = std::fs::read_to_string(dir.join("log")).unwrap();
    for word in [SECRET, "X-Amz-Signature", "Signature=", "a-key-id"] {
        assert!(!log.contains(word), "{word} is in the log: {log}");
    }
}

async fn ids_of_rows(dir: &Path) -> Vec<String> {
    let mut rows = Database::open(dir).await.texts("SELECT lower(hex(id)) FROM uploads").await;
    rows.sort();
    rows
}

#[tokio::test]
async fn a_file_comes_and_goes() {
    let Some(bucket) = Bucket::make("comes").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = bucket.server(dir.path(), &[]).await;
    let ada = set_up(&program).await;
    // One piece; exactly two parts of five MiB and a rest; nothing.
    for size in [1_200_000_u32, 12_000_000, 0] {
        let content: Vec<u8> = (0..size / 4).flat_map(u32::to_le_bytes).collect();
        let answer = ada.upload("../../Übung.dat", &content, Some("Month end")).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let upload = answer.json();
        assert_eq!(upload["sha256"], data_encoding::HEXLOWER.encode(&Sha256::digest(&content)));
        let id = upload["id"].as_str().unwrap();
        assert_eq!(bucket.ids().await, [id]);
        let path = format!("/api/v1/uploads/{id}/content");
        let response = ada.request(Method::GET, &path).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-disposition").starts_with("attachment; "));
        assert_eq!((header("x-content-type-options"), header("content-length")), ("nosniff".into(), size.to_string()));
        assert_eq!(response.bytes().await.unwrap(), content);
        if size > 0 {
            let end = size as usize;
            for (range, from, to) in
                [("bytes=0-99", 0, 100), ("bytes=-5", end - 5, end), ("bytes=1000000-", 1_000_000, end)]
            {
                let response = ada.request(Method::GET, &path).header("range", range).send().await.unwrap();
                assert_eq!(response.status(), 206, "{range}");
                assert_eq!(response.bytes().await.unwrap(), content[from..to], "{range}");
            }
        }
        assert_eq!(ada.delete(&format!("/api/v1/uploads/{id}")).await.status, 204);
        until("the object goes", async || bucket.ids().await.is_empty()).await;
    }
    assert_eq!(bucket.begun().await, 0);
    // A file that is cut goes with what was sent of it.
    let body = form("cut.bin", &vec![7; 16_000_000], None);
    let half = futures_util::stream::iter([Ok(body[..12_000_000].to_vec()), Err(std::io::Error::other("cut"))]);
    let request = ada.request(Method::POST, "/api/v1/uploads").header("content-type", multipart());
    assert!(request.body(reqwest::Body::wrap_stream(half)).send().await.is_err());
    until("its parts go", async || bucket.begun().await == 0).await;
    assert!(bucket.ids().await.is_empty());
    keeps_its_secret(dir.path());
}

/// Outputs whose time is over go from the bucket as well.
#[tokio::test]
async fn old_outputs_go() {
    let Some(bucket) = Bucket::make("old").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = bucket.server(dir.path(), &[("ROLLCALL_RETENTION_OUTPUTS", "1d")]).await;
    let ada = set_up(&program).await;
    let request = ada.request(Method::POST, "/api/v1/outputs").header("content-type", multipart());
    let answer = ada.send(request.body(form("made.txt", b"made", Some(("source", "job"))))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(bucket.ids().await.len(), 1);
    program.kill();
    Database::open(dir.path()).await.run("UPDATE outputs SET created_at = created_at - 200000000").await;
    let _program = bucket.server(dir.path(), &[("ROLLCALL_RETENTION_OUTPUTS", "1d")]).await;
    until("the output goes", async || bucket.ids().await.is_empty()).await;
}

/// What we make ourselves goes there as well: in parts, of which nothing is left when there is no row.
#[tokio::test]
async fn a_report_is_kept_there() {
    let Some(bucket) = Bucket::make("report").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = bucket.server(dir.path(), &[]).await;
    let ada = set_up(&program).await;
    // Events of nine megabytes, which are two parts.
    Database::open(dir.path())
        .await
        .run(
            "INSERT INTO events (seq, id, at, kind, user_id) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 \
             FROM n WHERE n < 100000) SELECT 1000 + n, randomblob(16), 1772409600000 + n, 'action', \
             (SELECT id FROM users) FROM n",
        )
        .await;
    let body = json!({"subject": "activity", "format": "csv", "from": "2026-03-02", "to": "2026-03-02"});
    assert_eq!(ada.post("/api/v1/admin/reports", body).await.status, 202);
    let newest = async || ada.get("/api/v1/admin/reports").await.json()["items"][0].clone();
    until("it is made", async || newest().await["state"] == "done").await;
    let id = newest().await["output"].as_str().unwrap().to_owned();
    assert_eq!(bucket.ids().await, [&*id]);
    let text = ada.get(&format!("/api/v1/outputs/{id}/content")).await.text;
    assert!(text.lines().count() == 100_001 && text.len() > 5 << 20, "{} bytes", text.len());
    assert_eq!(ada.delete(&format!("/api/v1/outputs/{id}")).await.status, 204);
    until("the object goes", async || bucket.ids().await.is_empty()).await;
    assert_eq!(bucket.begun().await, 0);
}

/// Row 66, of the storage: a sentence and 503 while it is away, and nothing to do when it comes back.
#[tokio::test]
async fn a_storage_that_went_away_comes_back() {
    let Some(bucket) = Bucket::make("away").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = bucket.server(dir.path(), &[]).await;
    let ada = set_up(&program).await;
    let kept = ada.upload("kept.bin", b"kept", None).await.json()["id"].as_str().unwrap().to_owned();
    let gone = ada.upload("gone.bin", b"gone", None).await.json()["id"].as_str().unwrap().to_owned();
    bucket.cut(true);
    for size in [10, 12_000_000] {
        let answer = ada.upload("x.bin", &vec![1; size], None).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "unavailable"), "{}", answer.text);
        assert!(answer.text.contains("The storage of files does not answer"), "{}", answer.text);
        assert!(!answer.text.contains(&bucket.name) && !answer.header("retry-after").is_empty(), "{}", answer.text);
    }
    let path = format!("/api/v1/uploads/{kept}/content");
    assert_eq!(ada.get(&path).await.status, 503);
    assert_eq!(ada.delete(&format!("/api/v1/uploads/{gone}")).await.status, 204, "the row goes, the object later");
    assert_eq!(ada.get("/health/live").await.status, 200);
    assert_eq!(ada.get("/api/v1/uploads").await.json()["total"], 1);
    // A server starts without it.
    program.kill();
    let program = bucket.server(dir.path(), &[]).await;
    let ada = again(&program, &ada);
    assert_eq!(ada.get(&path).await.status, 503);
    assert_eq!(bucket.ids().await.len(), 2);
    bucket.cut(false);
    until("downloads again", async || ada.get(&path).await.text == "kept").await;
    assert_eq!(ada.upload("new.bin", &vec![1; 6_000_000], None).await.status, 201);
    assert_eq!(bucket.ids().await.iter().filter(|id| **id == kept).count(), 1);
    keeps_its_secret(dir.path());
}

/// After `kill -9` while files come there is no row without its object, no object without its row, and nothing begun.
#[tokio::test]
async fn no_orphans_after_kill_9() {
    let Some(bucket) = Bucket::make("kill").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = bucket.server(dir.path(), &[]).await;
    let first = set_up(&program).await;
    program.kill();
    let (mut dice, mut acknowledged, mut begun) = (Dice::new(5), vec![], 0);
    for kill in 0..6 {
        let program = bucket.server(dir.path(), &[]).await;
        let loads: Vec<_> = (0..3)
            .map(|_| {
                let (client, mut dice) = (again(&program, &first), Dice::new(dice.next()));
                tokio::spawn(async move {
                    let mut done = vec![];
                    loop {
                        let size = [10, 100_000, 6_000_000, 17_000_000][dice.below(4)];
                        let body = form("x.bin", &vec![3; size], None);
                        let request =
                            client.request(Method::POST, "/api/v1/uploads").header("content-type", multipart());
                        let Ok(answer) = request.body(body).send().await else { return done };
                        let Ok(upload) = answer.json::<serde_json::Value>().await else { return done };
                        done.push(upload["id"].as_str().unwrap().to_owned());
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(150 + dice.below(900) as u64)).await;
        program.kill();
        for load in loads {
            acknowledged.extend(load.await.unwrap());
        }
        begun += bucket.begun().await;
        let program = bucket.server(dir.path(), &[]).await;
        let agree = async || {
            let ids: Vec<_> = bucket.ids().await.iter().map(|id| id.replace('-', "")).collect();
            ids == ids_of_rows(dir.path()).await && bucket.begun().await == 0
        };
        // What was on its way to the service is carried out after the kill, sometimes after the next start: that is
        // looked for once more a minute later.
        let all = async {
            while !agree().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let agreed = tokio::time::timeout(Duration::from_mins(2), all).await;
        assert!(agreed.is_ok(), "after kill {kill}: {:?}, {:?}", bucket.ids().await, ids_of_rows(dir.path()).await);
        let rows = ids_of_rows(dir.path()).await;
        assert!(acknowledged.iter().all(|id| rows.contains(&id.replace('-', ""))), "after kill {kill}");
        program.kill();
    }
    println!("6 kills, {begun} uploads in parts cut, {} acknowledged, 0 orphans", acknowledged.len());
}

/// What the database does not know is left alone; what it knows to be unwanted goes; what is another's is not touched.
#[tokio::test]
async fn a_start_clears_up() {
    let Some(bucket) = Bucket::make("start").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = bucket.server(dir.path(), &[]).await;
    set_up(&program).await;
    program.kill();
    let [strange, unwanted, half] = [1, 2, 3].map(|n| format!("0197c9a0-0000-7000-8000-00000000000{n}"));
    for key in [&strange, &unwanted] {
        assert!(bucket.http.put(bucket.object(key)).body("x").send().await.unwrap().status().is_success());
    }
    // Begun by us, and by another program beside us.
    for key in [bucket.object(&half), bucket.object("not-an-id"), format!("{}/{}/x", bucket.service, bucket.name)] {
        let begun = bucket.http.post(format!("{key}?uploads=")).header("content-length", "0").send().await.unwrap();
        assert!(begun.status().is_success(), "{key} {}", begun.text().await.unwrap());
    }
    assert_eq!(bucket.begun().await, 3);
    let insert = format!("INSERT INTO unkept_files (id, at) VALUES (x'{}', 0)", unwanted.replace('-', ""));
    Database::open(dir.path()).await.run(&insert).await;
    let _program = bucket.server(dir.path(), &[]).await;
    until("the unwanted goes", async || bucket.ids().await == [&*strange]).await;
    assert_eq!(bucket.begun().await, 2);
}

#[tokio::test]
async fn memory_stays_flat() {
    let Some(bucket) = Bucket::make("large").await else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = Arc::new(bucket.server(dir.path(), &[("ROLLCALL_LOG", "warn")]).await);
    let ada = set_up(&program).await;
    for n in 0..3 {
        assert_eq!(ada.upload("warm.bin", &vec![n; 12_000_000], None).await.status, 201);
    }
    let (before, over) = (program.memory(), Arc::new(AtomicBool::new(false)));
    let watch = tokio::spawn({
        let (over, program) = (Arc::clone(&over), Arc::clone(&program));
        async move {
            let mut most = 0;
            while !over.load(SeqCst) {
                most = most.max(program.memory());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            most
        }
    });
    let edges = form("large.bin", b"", None);
    let at = edges.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let (head, tail) = (edges[..at].to_vec(), edges[at..].to_vec());
    let middle = futures_util::stream::iter(0..1_024_u32).map(|n| vec![n as u8; 64 * 1024]);
    let body = futures_util::stream::iter([head]).chain(middle).chain(futures_util::stream::iter([tail]));
    let request = ada.request(Method::POST, "/api/v1/uploads").header("content-type", multipart());
    let answer = request.body(reqwest::Body::wrap_stream(body.map(Ok::<_, std::io::Error>))).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let upload: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(upload["size"], json!(64 << 20));
    let path = format!("/api/v1/uploads/{}/content", upload["id"].as_str().unwrap());
    let mut back = ada.request(Method::GET, &path).send().await.unwrap();
    let mut received = 0;
    while let Some(chunk) = back.chunk().await.unwrap() {
        received += chunk.len();
    }
    assert_eq!(received, 64 << 20);
    over.store(true, SeqCst);
    let most = watch.await.unwrap();
    println!("64 MiB up and down: memory {before} before, {} more at most", most.saturating_sub(before));
    assert!(most.saturating_sub(before) < 16 << 20, "{before} before, {most} at most");
}
