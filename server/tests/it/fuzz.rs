//! Rows 46 and 62: ten thousand requests and frames that mean little. No 5xx, no panic, no change by whoever may not,
//! and the server lives. The seed is fixed, so that what fails once fails again.

use std::collections::BTreeMap;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use server::access::{Route, routes};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    harness::{App, Client, Dice, PATIENCE, Raw, raw::frame, settings},
    routes::{concrete, is_page},
};

const REQUESTS: usize = 5_000;
const FRAMES: usize = 5_000;

const TEXTS: [&str; 24] = [
    "",
    " ",
    "0",
    "-1",
    "null",
    "true",
    "ada",
    "../../etc/passwd",
    "' OR 1=1 --",
    "%00",
    "\u{0}",
    "\u{202e}\u{feff}",
    "<script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "9999999999999999999999",
    "1e309",
    "NaN",
    "2027-13-45T99:99:99Z",
    "01890000-0000-7000-8000-000000000000",
    "ÿ\u{1F980}",
    "%",
    "_",
    "\\",
];

fn text(dice: &mut Dice) -> String {
    match dice.below(12) {
        0 => dice.of(&TEXTS).repeat(dice.below(400)),
        1 => String::from_utf8_lossy(&dice.bytes(20)).into_owned(),
        _ => (*dice.of(&TEXTS)).to_owned(),
    }
}

const NAMES: [&str; 22] = [
    "username",
    "password",
    "current",
    "new",
    "end_others",
    "remember",
    "page",
    "visible",
    "input_at",
    "idle_ms",
    "choice",
    "message",
    "until",
    "filter",
    "ids",
    "include_own",
    "dry_run",
    "limit",
    "sort",
    "offset",
    "window",
    "q",
];

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(dice.below(2) == 0),
        2 => json!(dice.next() as i64),
        3 => json!(f64::from_bits(dice.next())),
        4 | 5 => Value::String(text(dice)),
        6 => (0..dice.below(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => {
            Value::Object((0..dice.below(5)).map(|_| ((*dice.of(&NAMES)).to_owned(), value(dice, depth - 1))).collect())
        }
    }
}

/// Text for a header: whatever a client library lets through.
fn header(dice: &mut Dice) -> Vec<u8> {
    text(dice).into_bytes().into_iter().filter(|b| *b >= 0x20 && *b != 0x7f).take(2_000).collect()
}

fn random_request(client: &Client, dice: &mut Dice, paths: &[String]) -> reqwest::RequestBuilder {
    let mut path = match dice.below(12) {
        0 => format!("/{}", app::routes::escape(&text(dice))),
        1 => format!("{}/{}", dice.of(paths), app::routes::escape(&text(dice))),
        _ => dice.of(paths).clone(),
    };
    for n in 0..dice.below(3) {
        let (name, value) = (*dice.of(&NAMES), app::routes::escape(&text(dice)));
        path.push(if n == 0 && !path.contains('?') { '?' } else { '&' });
        path.extend([name, "=", &value]);
    }
    path.truncate(6_000);
    let method =
        Method::from_bytes(dice.of(&["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]).as_bytes()).unwrap();
    let mut request = client.request(method, &path);
    for _ in 0..dice.below(3) {
        let name = *dice.of(&[
            "accept",
            "user-agent",
            "x-forwarded-for",
            "accept-encoding",
            "accept-language",
            "if-none-match",
            "range",
            "origin",
        ]);
        request = request.header(name, header(dice));
    }
    match dice.below(5) {
        0 => request,
        1 => request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(app::routes::escape(&text(dice)).replace("%3D", "=")),
        2 => {
            let n = dice.below(300);
            request.header("content-type", "application/json").body(dice.bytes(n))
        }
        _ => request.json(&value(dice, 3)),
    }
}

#[tokio::test]
async fn five_thousand_requests_do_no_harm() {
    let app = App::frozen(|_| {}).await;
    let member = app.signed_in("mia", "student", Some("North")).await;
    app.signed_in("ada", "admin", None).await;
    let nobody = app.anonymous();
    let database = app.database().await;
    let accounts =
        database.texts("SELECT username || role || coalesce(password_hash, '') FROM users ORDER BY id").await;
    let admins = "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND user_id = (SELECT id FROM users WHERE username = 'ada')";
    // Pages less often than calls: what they take is little, and they cost the most.
    let often = |r: &Route| std::iter::repeat_n(concrete(&r.path), if is_page(r) { 1 } else { 5 });
    let paths: Vec<String> = routes().iter().flat_map(often).collect();
    let mut dice = Dice::new(0x0052_6f6c_6c63_616c);
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for n in 0..REQUESTS {
        let client = if n % 4 == 0 { &nobody } else { &member };
        // `send` fails on any 5xx and on anything of the inside.
        let answer = client.send(random_request(client, &mut dice, &paths)).await;
        *seen.entry(answer.status.as_u16()).or_default() += 1;
        nobody.set_cookie(None);
        if member.cookie().is_none() || n % 500 == 0 && !member.is_signed_in().await {
            let card = app
                .services
                .sessions
                .sign_in("mia", crate::harness::PASSWORD, false, &services::Origin::default(), None)
                .await;
            let token = card.unwrap().token.expose().to_owned();
            member.set_cookie(Some(format!("rollcall={token}")));
        }
    }
    assert!(seen.len() >= 8 && seen.keys().all(|s| *s < 500), "{seen:?}");
    assert_eq!(
        database.texts("SELECT username || role || coalesce(password_hash, '') FROM users ORDER BY id").await,
        accounts
    );
    assert_eq!(database.number(admins).await, 1, "nobody who may not ended another's session");
    assert_eq!(nobody.get("/health/live").await.status, 200);
    let pages: Vec<_> = routes().into_iter().filter(is_page).collect();
    assert!(!pages.is_empty());
    assert!(app.services.accounts.roles().await.is_ok());
}

fn random_frame(dice: &mut Dice) -> Message {
    let topics = [
        "presence:me",
        "presence:all",
        "live:online",
        "phoenix",
        "presence:org:01890000-0000-7000-8000-000000000000",
        "realtime:x",
        "",
    ];
    let events = ["phx_join", "phx_leave", "meta", "status", "query", "heartbeat", "presence", "access_token", ""];
    match dice.below(20) {
        0 => {
            let n = dice.below(100);
            Message::Binary(dice.bytes(n).into())
        }
        1 => Message::Text(text(dice).into()),
        2 => Message::Text(value(dice, 4).to_string().into()),
        3 => Message::Ping(dice.bytes(5).into()),
        _ => {
            let reference = |dice: &mut Dice| match dice.below(3) {
                0 => Value::Null,
                1 => json!(dice.below(9)),
                _ => json!(dice.below(9).to_string()),
            };
            let payload = if dice.below(6) == 0 {
                value(dice, 3)
            } else {
                Value::Object((0..dice.below(5)).map(|_| ((*dice.of(&NAMES)).to_owned(), value(dice, 2))).collect())
            };
            let (join_ref, own) = (reference(dice), reference(dice));
            Message::Text(json!([join_ref, own, dice.of(&topics), dice.of(&events), payload]).to_string().into())
        }
    }
}

#[tokio::test]
async fn five_thousand_frames_do_no_harm() {
    let app = App::with(settings(|s| s.sockets_per_session = 0)).await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut watcher = admin.socket().await;
    watcher.join("presence:all", json!({})).await;
    let mut dice = Dice::new(0x0066_7261_6d65_7321);
    let mut codes: BTreeMap<Option<u16>, usize> = BTreeMap::new();
    let (mut sent, mut socket) = (0, admin.socket().await);
    while sent < FRAMES {
        // Few enough at once that most are looked at, rather than refused for being too many.
        for _ in 0..dice.below(40) {
            sent += 1;
            if socket.stream.send(random_frame(&mut dice)).await.is_err() {
                break;
            }
        }
        let asked = json!([null, "the end", "phoenix", "heartbeat", {}]).to_string();
        let _ = socket.stream.send(Message::Text(asked.into())).await;
        let code = timeout(PATIENCE, async {
            loop {
                match socket.stream.next().await {
                    Some(Ok(Message::Text(text))) if text.contains("the end") => return Some(0),
                    Some(Ok(Message::Close(frame))) => return frame.map(|f| u16::from(f.code)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        })
        .await
        .expect("an answer or an end");
        *codes.entry(code).or_default() += 1;
        assert!(code.is_none_or(|c| [0, 1007, 1009, 4008].contains(&c)), "{code:?}");
        socket = admin.socket().await;
    }
    assert!(codes.contains_key(&Some(1007)) && codes.contains_key(&Some(0)), "{codes:?}");
    watcher.heartbeat().await;
    assert!(admin.is_signed_in().await);
}

/// Bytes that are not even frames.
#[tokio::test]
async fn random_bytes_do_no_harm() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut other = admin.socket().await;
    let cookie = admin.cookie().unwrap();
    let mut dice = Dice::new(7);
    for n in 0..200 {
        let length = 1 + dice.below(200);
        let bytes = dice.bytes(length);
        let mut raw = if n % 2 == 0 {
            let mut raw = Raw::upgrade(app.address, &cookie).await;
            raw.send(if n % 4 == 0 { bytes } else { frame(0x81, &bytes) }).await;
            raw
        } else {
            let mut raw = Raw::connect(app.address).await;
            raw.send(bytes).await;
            raw
        };
        // It may be waiting for more; then it hears the end of what we say.
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut raw.stream).await;
        assert!(raw.hear(PATIENCE).await.closed, "{n}");
    }
    other.heartbeat().await;
    assert!(admin.is_signed_in().await);
}
