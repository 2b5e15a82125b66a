//! Reports, from outside: REST, the topic, the page without scripts, and `kill -9` while one is made.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    files::files_in,
    harness::{App, Client, Database, Dice, PASSWORD, Program, until},
};

const REPORTS: &str = "/api/v1/admin/reports";

/// Of today, whatever day that is in UTC by now.
fn asked(app: &App, subject: &str, format: &str) -> Value {
    let today = &app.services.clock.now().exact()[..10];
    json!({"subject": subject, "format": format, "from": today, "to": today})
}

/// The newest report, once it is made.
async fn made(client: &Client) -> Value {
    let newest = async || client.get(REPORTS).await.json()["items"][0].clone();
    until("it is made", async || newest().await["state"] == "done").await;
    newest().await
}

#[tokio::test]
async fn a_report_is_asked_for_followed_and_fetched() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let max = app.signed_in("max", "manager", Some("North")).await;
    let mia = app.signed_in("mia", "student", Some("North")).await;
    mia.upload("one.txt", b"one", Some("Scans")).await;
    let mut socket = ada.socket().await;
    assert_eq!(socket.join("reports:me", json!({})).await["status"], "ok");
    let answer = ada.post(REPORTS, asked(&app, "uploads", "csv")).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    socket.event("reports:me", "events").await;
    let report = made(&ada).await;
    assert_eq!((&report["id"], &report["rows"], &report["rows_total"]), (&answer.json()["id"], &json!(1), &json!(1)));
    let path = format!("/api/v1/outputs/{}/content", report["output"].as_str().unwrap());
    let file = ada.get(&path).await;
    assert!(file.text.contains("one.txt,3,Scans,"), "{}", file.text);
    let outputs = ada.get("/api/v1/outputs").await.json();
    assert_eq!((&outputs["items"][0]["source"], &outputs["total"]), (&json!("Report"), &json!(1)));
    // Nobody else's business.
    assert_eq!(max.get(&path).await.status, 404);
    assert_eq!(max.get(REPORTS).await.json()["items"], json!([]));
    assert_eq!(mia.post(REPORTS, asked(&app, "uploads", "csv")).await.status, 403);
    assert_eq!(max.delete(&format!("{REPORTS}/{}", report["id"].as_str().unwrap())).await.status, 404);
    assert_eq!(ada.delete(&format!("{REPORTS}/{}", report["id"].as_str().unwrap())).await.status, 409);
    // What a page to print holds is an attachment like everything.
    ada.post(REPORTS, asked(&app, "sessions", "html")).await;
    let page = made(&ada).await;
    let sent = ada.request(Method::GET, &format!("/api/v1/outputs/{}/content", page["output"].as_str().unwrap()));
    let sent = sent.send().await.unwrap();
    let header = |name: &str| sent.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("content-type").as_str(), header("x-content-type-options").as_str()),
        ("application/octet-stream", "nosniff")
    );
    assert!(header("content-disposition").starts_with("attachment; filename=\"Sessions, "));
    // The event of it is its person's.
    let events = ada.get("/api/v1/admin/activity?kind=output").await.json();
    assert_eq!((&events["total"], &events["items"][0]["username"]), (&json!(2), &json!("ada")));
}

#[tokio::test]
async fn bad_input_is_answered_with_a_sentence() {
    let app = App::start().await;
    let ada = app.signed_in("ada", "admin", None).await;
    let day = app.services.clock.now().exact()[..10].to_owned();
    for (body, status) in [
        (json!({}), 422),
        (json!({"subject": "everything", "format": "csv", "from": day, "to": day}), 422),
        (json!({"subject": "uploads", "format": "pdf", "from": day, "to": day}), 422),
        (json!({"subject": "uploads", "format": "csv", "from": "yesterday", "to": day}), 422),
        (json!({"subject": "uploads", "format": "csv", "from": "9999-12-31", "to": "9999-12-31"}), 422),
        (
            json!({"subject": "uploads", "format": "csv", "from": day, "to": day, "organisation": uuid::Uuid::nil()}),
            422,
        ),
        (json!({"subject": "uploads", "format": "csv", "from": day, "to": day, "also": 1}), 422),
    ] {
        let answer = ada.post(REPORTS, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.json()["error"]["message"].as_str().unwrap().ends_with('.'), "{}", answer.text);
    }
    let schedules = format!("{REPORTS}/schedules");
    let body = json!({"subject": "sessions", "format": "html", "every": "month", "at": "07:45"});
    let answer = ada.post(&schedules, body.clone()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["at"]), (201, &json!("07:45")), "{}", answer.text);
    let mut wrong = body;
    wrong["at"] = json!("7");
    assert_eq!(ada.post(&schedules, wrong).await.status, 422);
    let id = ada.get(&schedules).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ada.delete(&format!("{schedules}/{id}")).await.status, 204);
    assert_eq!(ada.delete(&format!("{schedules}/{id}")).await.status, 404);

    // A plain form comes back with what is wrong beside its field.
    let fields = [("subject", "uploads"), ("format", "csv"), ("from", "2026-03-02"), ("to", "2026-03-01")];
    let back = ada.form("ask_for_report", &fields).await;
    assert!(back.status.is_redirection(), "{}", back.status);
    let page = ada.page("/admin/reports").await.text;
    assert!(page.contains("None yet.") && page.contains("Nothing is made by itself."));
    let good = [("subject", "uploads"), ("format", "csv"), ("from", &*day), ("to", &*day)];
    assert!(ada.form("ask_for_report", &good).await.status.is_redirection());
    assert_eq!(made(&ada).await["subject"], "uploads");
    assert!(ada.page("/admin/reports").await.text.contains(&format!("Uploads, {day}.csv")));
}

/// Whatever moment it is killed at, there is one output of the report in the end, whole, and nothing besides.
#[tokio::test]
async fn one_output_after_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("ROLLCALL_LOG", "warn"), ("ROLLCALL_UPLOAD_QUOTA", "0")];
    let program = Program::start(dir.path(), &variables).await;
    let client = Client::new(program.address, "");
    let token = program.setup.clone().unwrap();
    let fields = [("token", &*token), ("username", "ada"), ("name", "Ada"), ("password", PASSWORD)];
    assert_eq!(client.rpc("set_up", &fields).await.status, 200);
    program.kill();
    let database = Database::open(dir.path()).await;
    database
        .run(
            "INSERT INTO events (seq, id, at, kind, user_id) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 \
             FROM n WHERE n < 60000) SELECT 1000 + n, randomblob(16), 1772409600000 + n, 'action', \
             (SELECT id FROM users) FROM n",
        )
        .await;
    let mut dice = Dice::new(7);
    for (kill, format) in ["csv", "xlsx", "html", "xlsx", "csv"].into_iter().enumerate() {
        let program = Program::start(dir.path(), &variables).await;
        let again = Client::new(program.address, "");
        again.set_cookie(client.cookie());
        let body = json!({"subject": "activity", "format": format, "from": "2026-03-02", "to": "2026-03-02"});
        assert_eq!(again.post(REPORTS, body).await.status, 202);
        tokio::time::sleep(Duration::from_millis(dice.below(1_500) as u64)).await;
        program.kill();
        // As if the half minute were over for which it held the report.
        database.run("UPDATE reports SET taken_until = 0 WHERE state = 'running'").await;
        let program = Program::start(dir.path(), &variables).await;
        let again = Client::new(program.address, "");
        again.set_cookie(client.cookie());
        assert_eq!(made(&again).await["rows"], 60_000);
        program.kill();
        let rows = database.texts("SELECT lower(hex(sha256)) FROM outputs ORDER BY lower(hex(sha256))").await;
        let hash =
            |file: &std::path::PathBuf| data_encoding::HEXLOWER.encode(&Sha256::digest(std::fs::read(file).unwrap()));
        let mut there: Vec<String> = files_in(dir.path(), "files").iter().map(hash).collect();
        there.sort();
        assert_eq!((rows.len(), &there), (kill + 1, &rows));
        assert_eq!(database.number("SELECT count(*) FROM reports WHERE output_id IS NOT NULL").await, kill as i64 + 1);
    }
}
