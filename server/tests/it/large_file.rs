//! A large file moves the server's memory by next to nothing.
//!
//! `ROLLCALL_TEST_FILE_BYTES` says how large, 100 MB by default.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::Method;
use sha2::{Digest, Sha256};

use crate::{
    files::multipart,
    harness::{Client, PASSWORD, Program},
};

/// The promise, whatever the size.
const GROWTH_MAX: u64 = 16 * 1024 * 1024;
const PIECE: usize = 64 * 1024;

fn piece(n: u64) -> Vec<u8> {
    vec![(n ^ (n >> 8)) as u8; PIECE]
}

#[tokio::test]
async fn memory_stays_flat() {
    let bytes: u64 = std::env::var("ROLLCALL_TEST_FILE_BYTES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000_000);
    let pieces = bytes / PIECE as u64;
    let dir = tempfile::tempdir().unwrap();
    let variables = [("ROLLCALL_UPLOAD_LIMIT", "10GB"), ("ROLLCALL_UPLOAD_QUOTA", "0"), ("ROLLCALL_LOG", "warn")];
    let program = Arc::new(Program::start(dir.path(), &variables).await);
    let client = Client::new(program.address, "");
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(client.rpc("set_up", &fields).await.status, 200);
    // What the first request of its kind costs is not the file's.
    for n in 0..5 {
        assert_eq!(client.upload("warm.bin", &vec![n; 3_000_000], None).await.status, 201);
    }
    let before = program.memory();
    let over = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn({
        let (over, program) = (Arc::clone(&over), Arc::clone(&program));
        async move {
            let mut most = 0;
            while !over.load(SeqCst) {
                most = most.max(program.memory());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            most
        }
    });
    let edges = crate::files::form("large.bin", b"", None);
    let at = edges.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    let (head, tail) = (edges[..at].to_vec(), edges[at..].to_vec());
    let middle = futures_util::stream::iter(0..pieces).map(piece);
    let body = futures_util::stream::iter([head]).chain(middle).chain(futures_util::stream::iter([tail]));
    let request = client.request(Method::POST, "/api/v1/uploads").header("content-type", multipart());
    let answer = request.body(reqwest::Body::wrap_stream(body.map(Ok::<_, std::io::Error>))).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let upload: serde_json::Value = answer.json().await.unwrap();
    let mut hash = Sha256::new();
    (0..pieces).for_each(|n| hash.update(piece(n)));
    assert_eq!(upload["sha256"], data_encoding::HEXLOWER.encode(&hash.finalize()));
    assert_eq!(upload["size"], pieces * PIECE as u64);
    // And back.
    let path = format!("/api/v1/uploads/{}/content", upload["id"].as_str().unwrap());
    let mut back = client.request(Method::GET, &path).send().await.unwrap();
    let mut received = 0;
    while let Some(chunk) = back.chunk().await.unwrap() {
        received += chunk.len() as u64;
    }
    assert_eq!(received, pieces * PIECE as u64);
    over.store(true, SeqCst);
    let most = watch.await.unwrap();
    println!("{bytes} bytes up and down: memory {before} before, {most} at most, {} more", most.saturating_sub(before));
    assert!(most.saturating_sub(before) < GROWTH_MAX, "{before} before, {most} at most");
}
