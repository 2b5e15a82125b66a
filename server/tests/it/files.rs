//! Uploads and outputs, from outside.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, App, Client, PATIENCE, Raw, settings, until};

const BOUNDARY: &str = "----rollcall-test";

/// The body of a form with a file, and a label where there is one.
pub(crate) fn form(name: &str, content: &[u8], label: Option<(&str, &str)>) -> Vec<u8> {
    let mut body = vec![];
    if let Some((field, text)) = label {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n").bytes(),
        );
    }
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
    );
    body.extend(head.bytes());
    body.extend(content);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

pub(crate) fn multipart() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

impl Client {
    pub(crate) async fn upload(&self, name: &str, content: &[u8], workflow: Option<&str>) -> Answer {
        self.send_file("/api/v1/uploads", form(name, content, workflow.map(|w| ("workflow", w)))).await
    }

    async fn send_file(&self, path: &str, body: Vec<u8>) -> Answer {
        self.send(self.request(Method::POST, path).header("content-type", multipart()).body(body)).await
    }
}

/// Every file of a folder below the data directory.
pub(crate) fn files_in(dir: &Path, folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join(folder)).into_iter().flatten();
    entries.map(|e| e.unwrap().path()).collect()
}

fn sha256(content: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(content))
}

#[tokio::test]
async fn a_file_comes_and_goes() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let answer = mia.upload("../../Übung.dat", &content, Some("  Month   end ")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let upload = answer.json();
    assert_eq!(upload["name"], "Übung.dat");
    assert_eq!(upload["workflow"], "Month end");
    assert_eq!((&upload["size"], &upload["sha256"]), (&json!(content.len()), &json!(sha256(&content))));
    assert_eq!(upload["content_type"], "application/octet-stream");
    assert!(upload["created_at"].as_str().unwrap().ends_with('Z'));
    let id = upload["id"].as_str().unwrap().to_owned();
    assert_eq!(mia.get(&format!("/api/v1/uploads/{id}")).await.json(), upload);
    assert_eq!(mia.get("/api/v1/uploads").await.json(), json!({"items": [upload], "next": null, "total": 1}));
    // On the disk: one file, under its id.
    assert_eq!(files_in(app.dir.path(), "files"), [app.dir.path().join("files").join(&id)]);
    assert!(files_in(app.dir.path(), "files.partial").is_empty());
    let path = format!("/api/v1/uploads/{id}/content");
    let response = mia.request(Method::GET, &path).send().await.unwrap();
    let headers = response.headers().clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-disposition"), "attachment; filename=\"_bung.dat\"; filename*=UTF-8''%C3%9Cbung.dat");
    assert_eq!(
        (header("x-content-type-options"), header("content-type")),
        ("nosniff".into(), "application/octet-stream".into())
    );
    assert_eq!((header("cache-control"), header("content-length")), ("no-store".into(), content.len().to_string()));
    assert_eq!(response.bytes().await.unwrap(), content);
    for (range, status, from, to) in [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=1199990-", 206, 1_199_990, 1_200_000),
        ("bytes=-5", 206, 1_199_995, 1_200_000),
        ("bytes=100-99999999", 206, 100, 1_200_000),
        ("bytes=0-1,5-6", 200, 0, 1_200_000),
        ("elephants=0-1", 200, 0, 1_200_000),
    ] {
        let response = mia.request(Method::GET, &path).header("range", range).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{range}");
        if status == 206 {
            assert_eq!(response.headers()["content-range"], format!("bytes {from}-{}/1200000", to - 1), "{range}");
        }
        assert_eq!(response.bytes().await.unwrap(), content[from..to], "{range}");
    }
    let beyond = mia.request(Method::GET, &path).header("range", "bytes=1200000-").send().await.unwrap();
    assert_eq!(
        (beyond.status().as_u16(), &beyond.headers()["content-range"]),
        (416, &"bytes */1200000".parse().unwrap())
    );
    assert_eq!(mia.delete(&format!("/api/v1/uploads/{id}")).await.status, 204);
    for path in [format!("/api/v1/uploads/{id}"), path] {
        assert_eq!(mia.get(&path).await.status, 404);
    }
    until("the file goes", async || files_in(app.dir.path(), "files").is_empty()).await;
    let kinds =
        app.database().await.texts("SELECT kind FROM events WHERE kind IN ('upload', 'download') ORDER BY id").await;
    assert_eq!(kinds.iter().filter(|k| *k == "upload").count(), 1, "{kinds:?}");
    assert!(kinds.iter().filter(|k| *k == "download").count() >= 2, "{kinds:?}");
    app.stop().await;
}

/// Row 54: what a name may try.
#[tokio::test]
async fn names_are_harmless() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    for name in [
        "../../x",
        "..\\..\\x",
        "/etc/passwd",
        "a\";x",
        "x\r\nSet-Cookie: a=b",
        "<img src=x onerror=alert(1)>",
        "CON",
        "..",
        "",
        "a%00b",
        "inv\u{202e}gpj.exe",
        "=cmd|' /C calc'!A0",
        &"n".repeat(3_000),
    ] {
        let answer = mia.upload(name, b"words", None).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        let upload = answer.json();
        let known = upload["name"].as_str().unwrap();
        assert!(!known.contains(['/', '\\', '\r', '\n', '\u{202e}']) && known.chars().count() <= 200, "{known}");
        let content = mia.get(&format!("/api/v1/uploads/{}/content", upload["id"].as_str().unwrap())).await;
        assert_eq!((content.status.as_u16(), &*content.text), (200, "words"));
        assert!(content.header("content-disposition").starts_with("attachment; filename=\""), "{name}");
        assert!(content.headers.get("set-cookie").is_none());
    }
    let mut there: Vec<_> = std::fs::read_dir(app.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    there.sort();
    assert!(
        there.iter().all(|n| n.to_string_lossy().starts_with("rollcall.db")
            || ["files", "files.partial", "secret.key"].contains(&&*n.to_string_lossy())),
        "{there:?}"
    );
    assert!(files_in(app.dir.path(), "files").iter().all(|f| f.is_file() && f.file_name().unwrap().len() == 36));
    app.stop().await;
}

/// Row 54: what a picture may be.
#[tokio::test]
async fn a_picture_is_a_picture() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let png = |side: u32| {
        [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &side.to_be_bytes(), &side.to_be_bytes(), &[8, 2, 0, 0, 0, 0, 0, 0, 0]]
            .concat()
    };
    let html = b"<!DOCTYPE html><script>alert(1)</script>".to_vec();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    for (name, content, status) in [
        ("photo.png", png(32), 201),
        ("photo.png", html.clone(), 422),
        ("photo.PNG", svg.clone(), 422),
        ("photo.jpg", png(32), 422),
        ("bomb.png", png(30_000), 422),
        ("bomb", png(30_000), 422),
        ("page.html", html, 201),
        ("drawing.svg", svg, 201),
        ("empty.txt", vec![], 201),
    ] {
        let answer = mia.upload(name, &content, None).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
        if status == 201 && name.ends_with(['l', 'g']) && !name.starts_with("photo") {
            let path = format!("/api/v1/uploads/{}/content", answer.json()["id"].as_str().unwrap());
            assert_eq!(mia.get(&path).await.header("content-type"), "application/octet-stream", "{name}");
        }
    }
    until("no partial file", async || files_in(app.dir.path(), "files.partial").is_empty()).await;
    assert_eq!(files_in(app.dir.path(), "files").len(), 4);
    app.stop().await;
}

/// Limit and quota, with and without a length, to the byte.
#[tokio::test]
async fn limit_and_quota_hold() {
    let app = App::with(settings(|s| {
        s.upload_limit = 100_000;
        s.upload_quota = 250_000;
    }))
    .await;
    let mia = app.signed_in("mia", "student", None).await;
    assert_eq!(mia.upload("a", &vec![1; 100_000], None).await.status, 201);
    for size in [100_001, 200_000, 5_000_000] {
        let answer = mia.upload("b", &vec![1; size], None).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (413, "too_large"), "{size}");
    }
    // Without a length: chunked.
    let body = form("c", &vec![1; 3_000_000], None);
    let chunks =
        futures_util::stream::iter(body.chunks(8192).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>());
    let request = mia.request(Method::POST, "/api/v1/uploads").header("content-type", multipart());
    let answer = mia.send(request.body(reqwest::Body::wrap_stream(chunks))).await;
    assert_eq!(answer.status.as_u16(), 413, "{}", answer.text);
    assert_eq!(mia.upload("d", &vec![1; 100_000], None).await.status, 201);
    let answer = mia.upload("e", &vec![1; 50_001], None).await;
    assert_eq!(answer.status.as_u16(), 413, "{}", answer.text);
    assert!(answer.text.contains("50 kB are left"), "{}", answer.text);
    // Two at once, of which only one fits.
    let (f, g) = (vec![1; 40_000], vec![2; 40_000]);
    let (a, b) = tokio::join!(mia.upload("f", &f, None), mia.upload("g", &g, None));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 413]);
    assert_eq!(mia.upload("h", &vec![1; 10_000], None).await.status, 201);
    until("only what has a row", async || files_in(app.dir.path(), "files").len() == 4).await;
    until("nothing partial", async || files_in(app.dir.path(), "files.partial").is_empty()).await;
    let sum = app.database().await.number("SELECT sum(size) FROM uploads").await;
    assert_eq!(sum, 250_000);
    // Another person has a quota of their own; an admin raises the limit while the server runs.
    let ada = app.signed_in("ada", "admin", None).await;
    let change =
        ada.send(ada.request(Method::PATCH, "/api/v1/admin/settings").json(&json!({"upload_limit": "200kB"}))).await;
    assert_eq!(change.status, 200, "{}", change.text);
    assert_eq!(ada.upload("i", &vec![1; 200_000], None).await.status, 201);
    app.stop().await;
}

/// A length that is beyond the limit is refused before anything is read.
#[tokio::test]
async fn a_length_is_refused_unread() {
    let app = App::with(settings(|s| s.upload_limit = 100_000)).await;
    let mia = app.signed_in("mia", "student", None).await;
    for path in ["/api/v1/uploads", "/api/v1/outputs"] {
        let mut raw = Raw::connect(app.address).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: {}\r\nContent-Length: 5000000000\r\n\r\n",
            app.address,
            mia.cookie().unwrap(),
            multipart()
        );
        assert!(raw.send(head).await);
        let heard = raw.hear(Duration::from_secs(2)).await;
        assert_eq!(heard.statuses(), [413], "{}", heard.text);
        assert!(files_in(app.dir.path(), "files.partial").is_empty());
    }
    app.stop().await;
}

/// Cut off in the middle, wrong lengths, broken forms: nothing is left, and what is wrong is told where it can be.
#[tokio::test]
async fn what_does_not_come_whole_is_not_there() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let body = form("cut.bin", &vec![7; 2_000_000], Some(("workflow", "w")));
    let head = |length: usize| {
        format!(
            "POST /api/v1/uploads HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
            app.address,
            mia.cookie().unwrap(),
            multipart()
        )
    };
    for sent in [0, 10, 500, 100_000, 1_500_000, body.len() - 1] {
        let mut raw = Raw::connect(app.address).await;
        raw.send(head(body.len())).await;
        raw.send(&body[..sent]).await;
        drop(raw);
    }
    // A length that is too short cuts the form.
    let mut raw = Raw::connect(app.address).await;
    raw.send(head(body.len() - 30)).await;
    raw.send(&body[..body.len() - 30]).await;
    assert_eq!(raw.hear(PATIENCE).await.statuses(), [400]);
    until("nothing partial", async || files_in(app.dir.path(), "files.partial").is_empty()).await;
    for (kind, body, status) in [
        (multipart(), form("x", b"", None).replace_all(b"filename=\"x\"", b"filename=\"\""), 422),
        (multipart(), b"--nonsense".to_vec(), 400),
        (multipart(), format!("--{BOUNDARY}--\r\n").into_bytes(), 422),
        (multipart(), form("x", b"1", Some(("workflow", &"w".repeat(2_000)))), 422),
        (multipart(), form("x", b"1", Some(("workflow", "a\u{7}b"))), 422),
        ("application/json".to_owned(), b"{}".to_vec(), 415),
        ("multipart/form-data".to_owned(), body.clone(), 415),
    ] {
        let answer =
            mia.send(mia.request(Method::POST, "/api/v1/uploads").header("content-type", kind).body(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    }
    assert!(files_in(app.dir.path(), "files").is_empty());
    assert_eq!(app.database().await.number("SELECT count(*) FROM uploads").await, 0);
    assert_eq!(app.database().await.number("SELECT count(*) FROM unkept_files").await, 0);
    app.stop().await;
}

trait ReplaceAll {
    fn replace_all(self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl ReplaceAll for Vec<u8> {
    fn replace_all(self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = self.windows(from.len()).position(|w| w == from).unwrap();
        [&self[..at], to, &self[at + from.len()..]].concat()
    }
}

/// 1,000 small files by four clients at once.
#[tokio::test]
async fn a_thousand_small_files() {
    let app = App::start().await;
    let mia = Arc::new(app.signed_in("mia", "student", None).await);
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let mia = Arc::clone(&mia);
            tokio::spawn(async move {
                for n in 0..250 {
                    let name = format!("{client}-{n}.txt");
                    let answer = mia.upload(&name, name.as_bytes(), Some(["a", "b"][n % 2])).await;
                    assert_eq!(answer.status, 201, "{}", answer.text);
                    assert_eq!(answer.json()["sha256"], sha256(name.as_bytes()));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(files_in(app.dir.path(), "files").len(), 1_000);
    assert!(files_in(app.dir.path(), "files.partial").is_empty());
    let mut names = std::collections::HashSet::new();
    let mut cursor = String::new();
    loop {
        let page = mia.get(&format!("/api/v1/uploads?limit=200{cursor}")).await.json();
        for item in page["items"].as_array().unwrap() {
            assert!(names.insert(item["name"].as_str().unwrap().to_owned()));
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names.len(), 1_000);
    app.stop().await;
}

/// A slow client is waited for, is seen by those who watch, and disturbs nobody.
#[tokio::test]
async fn a_slow_client_is_watched() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let mel = app.signed_in("mel", "manager", Some("South")).await;
    let (mut north, mut south) = (max.socket().await, mel.socket().await);
    for socket in [&mut north, &mut south] {
        assert_eq!(socket.join("live:uploads", json!({})).await["status"], "ok");
        assert_eq!(socket.event("live:uploads", "running").await["items"], json!([]));
    }
    let body = form("slow.bin", &vec![3; 400_000], Some(("workflow", "night")));
    let mut raw = Raw::connect(app.address).await;
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        app.address,
        mia.cookie().unwrap(),
        multipart(),
        body.len()
    );
    raw.send(head).await;
    let mut seen: Vec<u64> = vec![];
    for part in body[..300_000].chunks(30_000) {
        raw.send(part).await;
        let running = north.event("live:uploads", "running").await;
        let item = &running["items"][0];
        assert_eq!(
            (&item["name"], &item["workflow"], &item["username"]),
            (&json!("slow.bin"), &json!("night"), &json!("mia"))
        );
        assert_eq!(item["size"], json!(body.len()));
        seen.push(item["received"].as_u64().unwrap());
    }
    assert!(seen.is_sorted() && seen.last() > Some(&100_000), "{seen:?}");
    assert_eq!(max.get("/api/v1/admin/uploads/running").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(mel.get("/api/v1/admin/uploads/running").await.json()["items"], json!([]));
    raw.send(&body[300_000..]).await;
    assert_eq!(raw.hear(PATIENCE).await.statuses(), [201]);
    assert_eq!(north.event("live:uploads", "uploaded").await["name"], "slow.bin");
    let online = async || {
        mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
        let page = max.get("/api/v1/admin/users/online?q=mia").await.json();
        page["users"][0]["recent_uploads"] == json!(["slow.bin"])
    };
    until("it is beside its person", online).await;
    for n in 0..4 {
        assert_eq!(mia.upload(&format!("{n}.txt"), b"x", None).await.status, 201);
    }
    until("the last three", async || {
        let page = max.get("/api/v1/admin/users/online?q=mia").await.json();
        page["users"][0]["recent_uploads"] == json!(["3.txt", "2.txt", "1.txt"])
    })
    .await;
    let app = app.restart(|_| {}).await;
    let mia = app.sign_in("mia").await;
    let max = app.sign_in("max").await;
    mia.post("/api/v1/heartbeat", json!({"idle_ms": 0})).await;
    let page = max.get("/api/v1/admin/users/online?q=mia").await.json();
    assert_eq!(page["users"][0]["recent_uploads"], json!(["3.txt", "2.txt", "1.txt"]), "after a restart");
    app.stop().await;
}

/// Whoever is signed out while they send has sent nothing.
#[tokio::test]
async fn a_session_that_ends_sends_nothing() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let body = form("late.bin", &vec![3; 400_000], None);
    let mut raw = Raw::connect(app.address).await;
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        app.address,
        mia.cookie().unwrap(),
        multipart(),
        body.len()
    );
    raw.send(head).await;
    raw.send(&body[..300_000]).await;
    until("it has begun", async || !files_in(app.dir.path(), "files.partial").is_empty()).await;
    assert!(mia.post("/api/v1/auth/logout", json!({})).await.status.is_success());
    raw.send(&body[300_000..]).await;
    assert_eq!(raw.hear(PATIENCE).await.statuses(), [401]);
    assert!(files_in(app.dir.path(), "files").is_empty());
    until("nothing partial", async || files_in(app.dir.path(), "files.partial").is_empty()).await;
    app.stop().await;
}

/// Who sees what: one's own, an organisation's, everybody's; sums and filters agree with the list.
#[tokio::test]
async fn files_are_seen_by_whom_they_concern() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let ben = app.signed_in("ben", "student", Some("South")).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let ada = app.signed_in("ada", "admin", None).await;
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;".to_vec();
    let mine = mia.upload("mine.gif", &gif, Some("scans")).await.json();
    mia.upload("notes.txt", b"words and words", None).await;
    let his = ben.upload("his_50%.txt", b"others", Some("scans")).await.json();
    for (who, id, status) in [
        (&mia, &mine, 200),
        (&mia, &his, 404),
        (&ben, &mine, 404),
        (&max, &mine, 200),
        (&max, &his, 404),
        (&ada, &his, 200),
    ] {
        let id = id["id"].as_str().unwrap();
        for path in [format!("/api/v1/uploads/{id}"), format!("/api/v1/uploads/{id}/content")] {
            let answer = who.get(&path).await;
            assert_eq!(answer.status.as_u16(), status, "{path}");
            if status == 404 {
                let nobody = who.get(&path.replace(id, crate::routes::NOBODY)).await;
                assert_eq!(answer.json()["error"], nobody.json()["error"]);
            }
        }
    }
    assert_eq!(ben.delete(&format!("/api/v1/uploads/{}", mine["id"].as_str().unwrap())).await.status, 404);
    assert_eq!(max.delete(&format!("/api/v1/uploads/{}", mine["id"].as_str().unwrap())).await.status, 403);
    let found = async |who: &Client, query: &str| {
        let list = who.get(&format!("/api/v1/admin/uploads?{query}")).await.json();
        let sums = who.get(&format!("/api/v1/admin/uploads/summary?{query}")).await.json();
        let items = list["items"].as_array().unwrap();
        assert_eq!((&list["total"], &sums["total"]), (&json!(items.len()), &json!(items.len())), "{query}");
        let bytes: u64 = items.iter().map(|i| i["size"].as_u64().unwrap()).sum();
        assert_eq!(sums["bytes"], json!(bytes), "{query}");
        for group in ["by_user", "by_workflow", "by_day"] {
            let counts = sums[group].as_array().unwrap().iter().map(|g| g["count"].as_u64().unwrap()).sum::<u64>();
            assert_eq!(counts, items.len() as u64, "{query} {group}");
        }
        items.iter().map(|i| i["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let day = |n: i64| app.services.clock.now().plus(n * 86_400_000);
    for (query, names) in [
        (String::new(), vec!["his_50%.txt", "notes.txt", "mine.gif"]),
        ("user=mia".into(), vec!["notes.txt", "mine.gif"]),
        ("workflow=scans".into(), vec!["his_50%.txt", "mine.gif"]),
        ("type=image%2Fgif".into(), vec!["mine.gif"]),
        ("type=text".into(), vec!["his_50%.txt", "notes.txt"]),
        ("type=tex".into(), vec![]),
        ("min_size=15".into(), vec!["notes.txt"]),
        ("max_size=6".into(), vec!["his_50%.txt"]),
        (format!("from={}&to={}", day(-1), day(1)), vec!["his_50%.txt", "notes.txt", "mine.gif"]),
        (format!("from={}", day(1)), vec![]),
        ("q=50%25".into(), vec!["his_50%.txt"]),
        ("q=_".into(), vec!["his_50%.txt"]),
        ("user=nobody".into(), vec![]),
    ] {
        assert_eq!(found(&ada, &query).await, names, "{query}");
    }
    assert_eq!(found(&max, "").await, ["notes.txt", "mine.gif"]);
    assert_eq!(found(&max, "user=ben").await, Vec::<String>::new());
    let sums = ada.get("/api/v1/admin/uploads/summary").await.json();
    assert_eq!(sums["by_user"][0], json!({"username": "mia", "count": 2, "bytes": gif.len() + 15}));
    assert_eq!(sums["by_workflow"][0], json!({"workflow": "scans", "count": 2, "bytes": gif.len() + 6}));
    assert_eq!(sums["by_day"][0]["day"], json!(&app.services.clock.now().to_string()[..10]));
    assert_eq!(ada.get("/api/v1/admin/uploads?cursor=nonsense").await.status, 400);
    // What others fetched is on record; and whoever goes takes their files along.
    let fetched = "SELECT subject FROM audit WHERE action = 'upload_fetched' ORDER BY seq";
    assert_eq!(app.database().await.texts(fetched).await, ["mia", "ben"]);
    app.services.accounts.delete(&domain::Actor::Operator, "mia").await.unwrap();
    until("their files go", async || files_in(app.dir.path(), "files").len() == 1).await;
    assert_eq!(found(&ada, "").await, ["his_50%.txt"]);
    app.stop().await;
}

#[tokio::test]
async fn outputs_are_registered_and_expire() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let answer =
        mia.send_file("/api/v1/outputs", form("report.csv", b"a,b\n1,2\n", Some(("source", "nightly job")))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let output = answer.json();
    assert_eq!((&output["source"], &output["content_type"]), (&json!("nightly job"), &json!("text/csv")));
    let id = output["id"].as_str().unwrap();
    assert_eq!(mia.get("/api/v1/outputs").await.json()["items"], json!([output]));
    assert_eq!(max.get("/api/v1/admin/outputs?source=nightly%20job").await.json()["items"], json!([output]));
    assert_eq!(max.get("/api/v1/outputs").await.json()["items"], json!([]));
    let content = mia.get(&format!("/api/v1/outputs/{id}/content")).await;
    assert_eq!((&*content.text, content.header("content-type")), ("a,b\n1,2\n", "text/csv; charset=utf-8"));
    // Not an upload, by any door.
    assert_eq!(mia.get(&format!("/api/v1/uploads/{id}")).await.status, 404);
    app.pass(91 * 86_400_000).await;
    let app = app.restart(|_| {}).await;
    until("it is gone", async || files_in(app.dir.path(), "files").is_empty()).await;
    app.stop().await;
}

/// What a crash leaves is removed at the next start; what nobody wrote down is left alone, and told.
#[tokio::test]
async fn a_start_clears_up() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let kept = mia.upload("kept.txt", b"kept", None).await.json()["id"].as_str().unwrap().to_owned();
    let dir = app.dir.clone();
    let crashed = uuid::Uuid::from_u128(7);
    app.database().await.run(&format!("INSERT INTO unkept_files (id, at) VALUES (x'{}', 0)", crashed.simple())).await;
    app.stop().await;
    std::fs::write(dir.path().join("files").join(crashed.to_string()), "no row").unwrap();
    std::fs::write(dir.path().join("files.partial").join("half#1"), "half").unwrap();
    let stray = uuid::Uuid::from_u128(8);
    std::fs::write(dir.path().join("files").join(stray.to_string()), "whose?").unwrap();
    let app = App::on(dir.clone()).await;
    let mut names: Vec<String> =
        files_in(dir.path(), "files").iter().map(|f| f.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, [stray.to_string(), kept.clone()]);
    assert!(files_in(dir.path(), "files.partial").is_empty());
    let strays = app.services.files.strays().await.unwrap();
    assert_eq!((strays.files, strays.rows), (1, 0));
    std::fs::remove_file(dir.path().join("files").join(&kept)).unwrap();
    assert_eq!(app.services.files.strays().await.unwrap().rows, 1);
    let mia = app.sign_in("mia").await;
    let answer = mia.get(&format!("/api/v1/uploads/{kept}/content")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    let _: Value = answer.json();
    app.stop().await;
}
