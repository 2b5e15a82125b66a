//! The session token and the cookie it travels in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Actor;
use reqwest::Method;
use serde_json::json;
use server::settings::ServeSettings;

use crate::harness::{App, PASSWORD, Raw, always, database};

fn https(s: &mut ServeSettings) {
    s.base_url = Some("https://rollcall.example".parse().unwrap());
}

const N: u32 = 10_000;

/// Row 14: 256 bits from the system, 43 characters, no structure.
#[tokio::test]
async fn tokens_are_256_random_bits() {
    let mut ones = [0_u32; 256];
    let mut seen = std::collections::HashSet::new();
    for _ in 0..N {
        let (token, hash) = services::secret::token();
        let text = token.expose().to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert_eq!((text.len(), bytes.len()), (43, 32));
        assert_eq!(services::secret::hash(&text), hash);
        assert_eq!(format!("{token:?}").find(&text), None, "it does not show itself");
        for (i, one) in ones.iter_mut().enumerate() {
            *one += u32::from(bytes[i / 8] >> (i % 8) & 1);
        }
        assert!(seen.insert(text));
    }
    for (bit, n) in ones.iter().enumerate() {
        assert!((N * 47 / 100..N * 53 / 100).contains(n), "bit {bit}: {n}");
    }
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    assert_eq!(URL_SAFE_NO_PAD.decode(mia.token()).unwrap().len(), 32);
}

/// Row 15: the database knows a hash, and the hash is no token.
#[tokio::test]
async fn only_a_hash_of_the_token_is_kept() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let first = mia.token();
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    app.services.flush().await;
    let kept = database::bytes(app.dir.path());
    let kept = String::from_utf8_lossy(&kept);
    for token in [&first, &mia.token()] {
        assert!(!kept.contains(token.as_str()));
        let raw = URL_SAFE_NO_PAD.decode(token).unwrap();
        assert!(!database::bytes(app.dir.path()).windows(32).any(|w| w == raw), "nor its bytes");
    }
    let stored = app.database().await.texts("SELECT lower(hex(token_hash)) FROM sessions").await;
    let hash = services::secret::hash(&mia.token());
    let forms = [stored[0].clone(), stored[0].to_uppercase(), URL_SAFE_NO_PAD.encode(hash)];
    for form in forms {
        let thief = app.anonymous();
        thief.set_cookie(Some(format!("rollcall={form}")));
        assert_eq!(thief.get("/api/v1/session").await.status, 401, "{form}");
    }
}

/// Row 16: a session has a public id that is no token; `always` looks for tokens in every answer and frame.
#[tokio::test]
async fn ids_of_sessions_are_not_tokens() {
    let app = App::start().await;
    let admin = app.signed_in("ada", "admin", None).await;
    let mut socket = admin.socket().await;
    socket.join("presence:me", json!({})).await;
    socket.join("presence:all", json!({})).await;
    socket.join("live:online", json!({})).await;
    socket.event("live:online", "snapshot").await;
    let id = admin.session_id().await;
    for path in
        ["/", "/account", "/account/devices", "/admin", "/admin/live", "/api/v1/sessions", "/api/v1/admin/sessions"]
    {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        always::holds_no_secret(path, &answer.text);
    }
    let thief = app.anonymous();
    for value in [id.clone(), id.replace('-', "")] {
        thief.set_cookie(Some(format!("rollcall={value}")));
        assert_eq!(thief.get("/api/v1/session").await.status, 401);
    }
}

/// Row 17: over https `__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`, `Path=/`, no `Domain`, and the same when deleted.
#[tokio::test]
async fn the_cookie_has_its_attributes() {
    let app = App::with(https).await;
    app.person("mia", "student", None).await;
    let client = app.anonymous();
    let login = json!({"username": "mia", "password": PASSWORD});
    let check = |set: &str, age: Option<&str>| {
        let mut parts: Vec<&str> = set.split("; ").skip(1).collect();
        parts.sort_unstable();
        let mut wanted = vec!["HttpOnly", "Path=/", "SameSite=Lax", "Secure"];
        wanted.extend(age);
        wanted.sort_unstable();
        assert_eq!(parts, wanted, "{set}");
        assert!(set.starts_with("__Host-rollcall="), "{set}");
    };
    let answer = client.post("/api/v1/auth/login", login).await;
    check(answer.header("set-cookie"), None);
    check(client.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.header("set-cookie"), None);
    let change = json!({"current": PASSWORD, "new": "purple-otter-sings-92"});
    check(client.post("/api/v1/auth/password", change).await.header("set-cookie"), None);
    check(client.post("/api/v1/auth/logout", json!({})).await.header("set-cookie"), Some("Max-Age=0"));
    let remembered = json!({"username": "mia", "password": "purple-otter-sings-92", "remember": true});
    let answer = client.post("/api/v1/auth/login", remembered).await;
    check(answer.header("set-cookie"), Some("Max-Age=1209600"));
    check(
        client.rpc("confirm_password", &[("password", "purple-otter-sings-92")]).await.header("set-cookie"),
        Some("Max-Age=1209600"),
    );
    check(client.rpc("sign_out", &[]).await.header("set-cookie"), Some("Max-Age=0"));
}

/// Row 17: another spelling, another name or two of them are no cookie of ours.
#[tokio::test]
async fn planted_cookies_are_no_session() {
    for (secure, name) in [(false, "rollcall"), (true, "__Host-rollcall")] {
        let app = App::with(|s| {
            if secure {
                https(s);
            }
        })
        .await;
        let mia = app.signed_in("mia", "student", None).await;
        let token = mia.token();
        let with = async |cookies: &[String]| {
            let client = app.anonymous();
            let mut request = client.request(Method::GET, "/api/v1/session");
            for cookie in cookies {
                request = request.header("cookie", cookie);
            }
            client.send(request).await.status.as_u16()
        };
        assert_eq!(with(&[format!("a=b; {name}={token}; c=d")]).await, 200);
        for cookies in [
            vec![format!("{}={token}", name.to_uppercase())],
            vec![format!("__host-rollcall={token}")],
            vec![format!("__Secure-rollcall={token}")],
            vec![format!("{name}={token}; {name}={token}")],
            vec![format!("{name}=planted; {name}={token}")],
            vec![format!("{name}={token}"), format!("{name}=planted")],
            vec![format!("{name}=\"{token}\"")],
            vec![format!("{name}={token}x")],
            vec![format!("{name}={}", &token[..42])],
            vec![format!("{name}=")],
            vec![format!("{name}={}", "x".repeat(6_000))],
            vec![format!(" {name} x={token}")],
        ] {
            assert_eq!(with(&cookies).await, 401, "{cookies:?}");
        }
    }
}

/// Row 18: the cookie is the only place for the token.
#[tokio::test]
async fn the_token_counts_only_in_the_cookie() {
    let app = App::start().await;
    let token = app.signed_in("mia", "student", None).await.token();
    let client = app.anonymous();
    for query in ["token", "session", "rollcall", "access_token", "apikey"] {
        let answer = client.get(&format!("/api/v1/session?{query}={token}")).await;
        assert_eq!(answer.status, 401, "{query}");
    }
    for (name, value) in [
        ("authorization", format!("Bearer {token}")),
        ("x-session", token.clone()),
        ("x-rollcall", token.clone()),
        ("x-auth-token", token.clone()),
        ("cookie2", format!("rollcall={token}")),
    ] {
        let answer = client.send(client.request(Method::GET, "/api/v1/session").header(name, value)).await;
        assert_eq!(answer.status, 401, "{name}");
    }
    let answer = client.post("/api/v1/heartbeat", json!({"rollcall": token, "token": token})).await;
    assert_eq!(answer.status, 401);
    let head = format!("GET /socket/websocket?vsn=2.0.0&token={token}&rollcall={token}&apikey={token} HTTP/1.1");
    let rest = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let host = app.address;
    let protocol = URL_SAFE_NO_PAD.encode(&token);
    let request = format!(
        "{head}\r\nHost: {host}\r\nOrigin: http://{host}\r\n{rest}Connection: Upgrade, close\r\n\
         Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.{protocol}\r\n\r\n"
    );
    assert_eq!(Raw::exchange(app.address, request).await.statuses(), [401]);
}

/// Row 20: a confirmed password gives a new token; the old one is dead at once, its sockets' session goes on.
#[tokio::test]
async fn confirming_the_password_rotates_the_token() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let (old, id) = (mia.cookie(), mia.session_id().await);
    let mut socket = mia.socket().await;
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": "wrong"})).await.status, 403);
    assert_eq!(mia.cookie(), old, "a wrong password changes nothing");
    assert_eq!(mia.post("/api/v1/auth/reauth", json!({"password": PASSWORD})).await.status, 204);
    assert_ne!(mia.cookie(), old);
    assert_eq!(mia.session_id().await, id);
    let stale = app.anonymous();
    stale.set_cookie(old);
    assert_eq!(stale.get("/api/v1/session").await.status, 401);
    socket.heartbeat().await;
    app.services.accounts.disable(&Actor::Operator, "mia").await.unwrap();
    assert_eq!(socket.closed().await, Some(4001), "and it is still that session's socket");
}
