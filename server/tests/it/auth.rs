//! Signing in and out.

use std::time::{Duration, Instant};

use domain::{Actor, session::EndReason, time::MINUTE};
use serde_json::json;
use services::NewUser;

use crate::harness::{Answer, App, PASSWORD, database, settings};

/// Everything of an answer that could tell two failures apart.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let differ = ["date", "x-request-id", "content-length"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !differ.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, answer.body_without_id())
}

#[tokio::test]
async fn signing_in_answers_who_and_until_when() {
    let app = App::frozen(|_| {}).await;
    app.person("mia", "student", Some("North")).await;
    let client = app.anonymous();
    let answer = client.log_in("  MIA ", PASSWORD).await;
    assert_eq!(answer.status, 200, "names are not case-sensitive: {}", answer.text);
    let body = answer.json();
    assert_eq!(body["user"]["username"], "mia");
    assert_eq!((&body["user"]["role"], &body["user"]["organisation"]), (&json!("student"), &json!("North")));
    assert_eq!(body["session"]["created_at"], "2027-01-15T08:00:00.000Z");
    assert_eq!(body["session"]["expires_at"], "2027-01-16T08:00:00.000Z");
    assert_eq!(body["session"]["absolute_expires_at"], "2027-02-14T08:00:00.000Z");
    assert_eq!(client.get("/api/v1/session").await.json(), body);
}

/// Row 5: unknown, wrong, disabled, without a password, empty: one answer.
#[tokio::test]
async fn failures_are_all_alike() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    app.person("dan", "student", None).await;
    app.services.accounts.disable(&Actor::Operator, "dan").await.unwrap();
    app.add(NewUser { username: "nil".into(), ..NewUser::default() }).await;
    let client = app.anonymous();
    let wrong = told(&client.log_in("mia", "purple-otter-sings-90").await);
    assert_eq!(wrong.0, 401);
    assert!(wrong.2.contains("invalid_credentials"));
    for (username, password) in [
        ("nobody", PASSWORD),
        ("dan", PASSWORD),
        ("nil", PASSWORD),
        ("nil", ""),
        ("mia", ""),
        ("nobody", ""),
        ("", ""),
        ("mia\u{0}", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        (&"x".repeat(5_000), PASSWORD),
        ("mia", &"x".repeat(5_000)),
    ] {
        assert_eq!(told(&client.log_in(username, password).await), wrong, "{username:.20}");
    }
    // Through the page's own door as well.
    let wrong = told(&client.rpc("sign_in", &[("username", "mia"), ("password", "wrong")]).await);
    assert_eq!(wrong.0, 401);
    for username in ["nobody", "dan", "nil"] {
        assert_eq!(told(&client.rpc("sign_in", &[("username", username), ("password", "wrong")]).await), wrong);
    }
}

/// Row 6: a name that does not exist costs as much as a wrong password. The release bench compares medians of 300
/// samples within 5 %; here a missing hash, which is thirty times quicker, must not pass.
#[tokio::test]
async fn unknown_names_cost_a_hash_too() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    app.add(NewUser { username: "nil".into(), ..NewUser::default() }).await;
    let client = app.anonymous();
    let arms =
        [("mia", "wrong-password-1"), ("nobody", "wrong-password-1"), ("nil", "wrong-password-1"), ("nobody-else", "")];
    let mut took: [Vec<Duration>; 4] = Default::default();
    for _ in 0..7 {
        for (i, (username, password)) in arms.iter().enumerate() {
            let started = Instant::now();
            assert_eq!(client.log_in(username, password).await.status, 401);
            took[i].push(started.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let [wrong, others @ ..] = took.each_mut().map(median);
    for other in others {
        let ratio = other / wrong;
        assert!((0.25..4.0).contains(&ratio), "{ratio}: {other} against {wrong}");
    }
}

/// Row 7: an account is guarded by name, wherever the tries come from, existing or not, and over a restart.
#[tokio::test]
async fn guessing_is_throttled_by_account() {
    let behind_proxy =
        |s: &mut server::settings::ServeSettings| s.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let app = App::frozen(behind_proxy).await;
    let mia = app.signed_in("mia", "student", None).await;
    let from = |app: &App, n: usize| {
        let mut client = app.anonymous();
        client.forwarded = Some(format!("198.51.100.{n}"));
        client
    };
    for n in 1..=5 {
        for username in ["mia", "nobody"] {
            assert_eq!(from(&app, n).log_in(username, "wrong").await.status, 401, "{n}");
        }
    }
    let app = app.restart(behind_proxy).await;
    for n in 6..=10 {
        for username in ["mia", "nobody"] {
            assert_eq!(from(&app, n).log_in(username, "wrong").await.status, 401, "{n}");
        }
    }
    let known = from(&app, 11).log_in("mia", PASSWORD).await;
    let unknown = from(&app, 11).log_in("nobody", PASSWORD).await;
    assert_eq!((known.status.as_u16(), &*known.code()), (429, "too_many_requests"));
    assert_eq!(told(&known), told(&unknown), "no word on which of them exists");
    let wait: i64 = known.header("retry-after").parse().unwrap();
    assert!((1..=15 * 60 + 1).contains(&wait), "{wait}");
    // Whoever is in stays in, and others can sign in.
    let inside = app.anonymous();
    inside.set_cookie(mia.cookie());
    assert!(inside.is_signed_in().await);
    app.person("ben", "student", None).await;
    assert_eq!(from(&app, 11).log_in("ben", PASSWORD).await.status, 200);
    app.pass(15 * MINUTE + 1_000).await;
    assert_eq!(from(&app, 11).log_in("mia", PASSWORD).await.status, 200, "soft: it ends by itself");
}

/// Row 7: an address is guarded too; successes never count, and other addresses are not touched.
#[tokio::test]
async fn guessing_is_throttled_by_address() {
    let app = App::frozen(|s| s.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    app.person("mia", "student", None).await;
    let mut client = app.anonymous();
    client.forwarded = Some("198.51.100.7".into());
    for _ in 0..12 {
        assert_eq!(client.log_in("mia", PASSWORD).await.status, 200);
    }
    // Ninety failures as they are kept, to save their hashing, and ten real ones after them.
    let ninety = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90) \
                  INSERT INTO sign_in_failures SELECT randomblob(16), randomblob(32), '198.51.100.7', 1800000000000 FROM n";
    app.database().await.run(ninety).await;
    for n in 0..10 {
        let status = client.log_in(&format!("nobody{n}"), "wrong").await.status;
        assert_eq!(status, 401, "{n}");
    }
    let refused = client.log_in("mia", PASSWORD).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    client.forwarded = Some("198.51.100.8".into());
    assert_eq!(client.log_in("mia", PASSWORD).await.status, 200);
}

/// Row 7 for the other doors that take a password: confirming it and changing it.
#[tokio::test]
async fn guessing_from_inside_is_throttled_too() {
    let app = App::frozen(|_| {}).await;
    let mia = app.signed_in("mia", "student", None).await;
    let mut statuses = vec![];
    for n in 0..12 {
        let answer = if n % 2 == 0 {
            mia.post("/api/v1/auth/reauth", json!({"password": "wrong"})).await
        } else {
            mia.post("/api/v1/auth/password", json!({"current": "wrong", "new": "purple-otter-sings-92"})).await
        };
        statuses.push(answer.status.as_u16());
    }
    assert!(statuses[..10].iter().all(|s| [401, 403].contains(s)), "{statuses:?}");
    assert_eq!(statuses[10..], [429, 429]);
    assert!(mia.is_signed_in().await);
}

/// Row 4: hashing is bounded; whoever finds it full is told so, and everything else goes on.
#[tokio::test]
async fn a_storm_of_sign_ins_does_not_stop_the_server() {
    let app = App::with(settings(|s| s.login_throttle = false)).await;
    let client = app.anonymous();
    let tries = (0..70).map(|n| {
        let client = app.anonymous();
        async move { client.log_in(&format!("nobody{n}"), "wrong-password-1").await }
    });
    let storm = tokio::spawn(futures_util::future::join_all(tries));
    let mut worst = Duration::ZERO;
    while !storm.is_finished() {
        let started = Instant::now();
        assert_eq!(client.get("/health/live").await.status, 200);
        worst = worst.max(started.elapsed());
    }
    assert!(worst < Duration::from_secs(2), "health took {worst:?}");
    for answer in storm.await.unwrap() {
        match answer.status.as_u16() {
            401 => {}
            429 | 503 => assert!(!answer.header("retry-after").is_empty()),
            other => panic!("{other}: {}", answer.text),
        }
    }
}

/// Row 10: there is no account nobody made.
#[tokio::test]
async fn a_fresh_server_has_no_account() {
    let app = App::start().await;
    let client = app.anonymous();
    for (username, password) in
        [("admin", "admin"), ("admin", "password"), ("root", "root"), ("rollcall", "rollcall"), ("", "")]
    {
        assert_eq!(client.log_in(username, password).await.status, 401, "{username}");
    }
}

/// Row 10: the one-time link makes the first admin, once.
#[tokio::test]
async fn the_setup_link_works_once() {
    let app = App::start().await;
    let token = app.services.accounts.setup_token().await.unwrap().unwrap();
    let token = token.expose();
    assert!(!String::from_utf8_lossy(&database::bytes(app.dir.path())).contains(token), "only its hash is kept");
    let client = app.anonymous();
    let set_up = async |token: &str, username: &str, password: &str| {
        let fields = [("token", token), ("username", username), ("name", "Ada"), ("password", password)];
        client.rpc("set_up", &fields).await
    };
    assert_eq!(client.get(&format!("/setup?token={token}")).await.status, 200);
    assert_eq!(set_up("wrong", "eve", PASSWORD).await.status, 404);
    assert_eq!(set_up(token, "ada", "fourteen chars").await.status, 422, "row 1: admins need fifteen");
    assert_eq!(set_up(token, "ada", PASSWORD).await.status, 200);
    assert_eq!(client.get("/api/v1/session").await.json()["user"]["role"], "admin");
    client.set_cookie(None);
    let used = set_up(token, "eve", PASSWORD).await;
    assert_eq!(used.status, 404);
    assert_eq!(used.body_without_id(), set_up("wrong", "eve", PASSWORD).await.body_without_id());
    assert_eq!(client.get(&format!("/setup?token={token}")).await.status, 404);
    assert!(app.services.accounts.setup_token().await.unwrap().is_none());
    assert_eq!(client.log_in("eve", PASSWORD).await.status, 401);
}

/// Row 19: a sign-in gives a new token; one that was in the jar, planted or live, is dead.
#[tokio::test]
async fn signing_in_replaces_what_was_in_the_jar() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    app.person("ben", "student", None).await;
    let client = app.anonymous();
    let planted = "A".repeat(43);
    client.set_cookie(Some(format!("rollcall={planted}")));
    assert_eq!(client.log_in("mia", PASSWORD).await.status, 200);
    let mia = client.cookie();
    assert_ne!(client.token(), planted);
    assert_eq!(client.log_in("ben", PASSWORD).await.status, 200);
    assert_eq!(client.get("/api/v1/session").await.json()["user"]["username"], "ben");
    for old in [mia, Some(format!("rollcall={planted}"))] {
        let other = app.anonymous();
        other.set_cookie(old);
        assert_eq!(other.get("/api/v1/session").await.status, 401);
    }
    let reasons = app.database().await.texts("SELECT ended_reason FROM sessions WHERE ended_at IS NOT NULL").await;
    assert_eq!(reasons, [EndReason::Relogin.as_str()]);
}

/// Rows 17 and 24: signing out is a POST, ends the session on the server, and clears what the browser keeps.
#[tokio::test]
async fn signing_out_ends_the_session() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let cookie = mia.cookie();
    assert_eq!(mia.get("/api/v1/auth/logout").await.status, 405);
    assert!(mia.get("/rpc/sign_out").await.status.is_client_error());
    assert!(mia.is_signed_in().await, "a GET changes nothing");
    let answer = mia.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("clear-site-data").contains("\"storage\""));
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    mia.set_cookie(cookie.clone());
    assert_eq!(mia.get("/api/v1/session").await.code(), "unauthenticated");
    assert_eq!(mia.post("/api/v1/auth/logout", json!({})).await.status, 204, "twice is harmless");
    let page = mia.get("/").await;
    assert_eq!(page.status, 303, "nothing to see after going back");
    // The same through the page's form.
    let mia = app.sign_in("mia").await;
    let cookie = mia.cookie();
    let answer = mia.form("sign_out", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/login?done=out"));
    mia.set_cookie(cookie);
    assert!(!mia.is_signed_in().await);
}
