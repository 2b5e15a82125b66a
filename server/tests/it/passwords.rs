//! What a password may be, how it is kept, and how it is changed.

use domain::{Actor, time::HOUR};
use serde_json::json;

use crate::harness::{Answer, App, Client, PASSWORD, database, settings};

const NEW: &str = "purple-otter-sings-92";

async fn change(client: &Client, current: &str, new: &str, end_others: bool) -> Answer {
    client.post("/api/v1/auth/password", json!({"current": current, "new": new, "end_others": end_others})).await
}

/// Row 1: counted in characters, long ones welcome, nothing cut or folded.
#[tokio::test]
async fn passwords_are_taken_as_they_are() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    assert_eq!(change(&mia, PASSWORD, "elevenchars", false).await.status, 422);
    assert_eq!(change(&mia, PASSWORD, &"wide ".repeat(52), false).await.status, 422, "260 characters");
    let admin = app.signed_in("ada", "admin", None).await;
    assert_eq!(change(&admin, PASSWORD, "seldom-14-kiwi", false).await.status, 422, "admins need fifteen");

    let long = format!("Grünes Boot 🦀 {} Ende", "weit draußen im Nebel ".repeat(5));
    assert!((120..=140).contains(&long.chars().count()));
    assert_eq!(change(&mia, PASSWORD, &long, false).await.status, 204);
    let sign_in = async |password: &str| app.anonymous().log_in("mia", password).await.status.as_u16();
    assert_eq!(sign_in(&long).await, 200);
    assert_eq!(sign_in(&long.chars().take(72).collect::<String>()).await, 401);
    assert_eq!(sign_in(&long.to_lowercase()).await, 401);
    assert_eq!(sign_in(&format!("{long} ")).await, 401);
    assert_eq!(sign_in(long.trim_end_matches("Ende")).await, 401);
    assert_eq!(change(&mia, &long, "twelve:kiwis", false).await.status, 204);
    assert_eq!(sign_in("twelve:kiwis").await, 200);
}

/// Row 2: what everybody tries first is refused, and so is what is known of the account and of us.
#[tokio::test]
async fn passwords_that_are_easy_to_guess_are_refused() {
    let app = App::start().await;
    let mia = app.signed_in("bilal.khan", "student", None).await;
    for bad in [
        "123456789012",
        "password1234",
        "passwordpassword",
        "qwertyuiopas",
        "iloveyou1234",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "letmeinletmein",
        "welcome12345",
        "football1234",
        "111111111111",
        "princess1234",
        "adminadminadmin",
        "P@ssw0rd1234",
        "qwerty123456",
        "abc123abc123",
        "monkeymonkey",
        "dragon123456",
        "bilal.khan.1",
        "bilal.khan@example.org",
        "rollcall1234",
        "rollcallrollcall",
    ] {
        let answer = change(&mia, PASSWORD, bad, false).await;
        assert_eq!(answer.status, 422, "{bad}");
        assert!(answer.json()["error"]["fields"].as_object().is_some_and(|f| !f.is_empty()), "{}", answer.text);
    }
    assert!(mia.is_signed_in().await);
}

/// Row 3: argon2id with the parameters of today, raised at the next sign-in when they were weaker.
#[tokio::test]
async fn hashes_are_argon2id_and_are_raised() {
    let app = App::start().await;
    app.person("mia", "student", None).await;
    let database = app.database().await;
    let hash = async || database.texts("SELECT password_hash FROM users WHERE username = 'mia'").await.remove(0);
    assert!(hash().await.starts_with(TODAY), "{}", hash().await);
    // The same password, hashed with m=1024, t=1.
    database.run(&format!("UPDATE users SET password_hash = '{WEAK}' WHERE username = 'mia'")).await;
    assert_eq!(app.anonymous().log_in("mia", "wrong").await.status, 401);
    assert_eq!(hash().await, WEAK);
    assert_eq!(app.anonymous().log_in("mia", PASSWORD).await.status, 200);
    crate::harness::until("raised", async || hash().await.starts_with(TODAY)).await;
    assert_eq!(app.anonymous().log_in("mia", PASSWORD).await.status, 200);
}

const TODAY: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
const WEAK: &str = "$argon2id$v=19$m=1024,t=1,p=1$cm9sbGNhbGwtdGVzdC1hYg$yJNd8mqPM0tXs+xv8G5kQ93OxlUm0NJ5E82JA8yo3x4";

/// Row 11: the current password is asked, this session's token changes, the others end when asked.
#[tokio::test]
async fn changing_the_password_asks_and_rotates() {
    let app = App::start().await;
    let mia = app.signed_in("mia", "student", None).await;
    let other = app.sign_in("mia").await;
    assert_eq!(mia.post("/api/v1/auth/password", json!({"new": NEW})).await.status, 422);
    let wrong = change(&mia, "wrong", NEW, true).await;
    assert_eq!(wrong.status, 403);
    assert!(other.is_signed_in().await, "nothing happened");

    let (old, id) = (mia.cookie(), mia.session_id().await);
    assert_eq!(change(&mia, PASSWORD, NEW, false).await.status, 204);
    assert_ne!(mia.cookie(), old);
    assert_eq!(mia.session_id().await, id, "the same session goes on");
    let stale = app.anonymous();
    stale.set_cookie(old);
    assert!(!stale.is_signed_in().await);
    assert!(other.is_signed_in().await, "not asked to end it");
    assert_eq!(app.anonymous().log_in("mia", PASSWORD).await.status, 401);

    let mut socket = other.socket().await;
    assert_eq!(change(&mia, NEW, PASSWORD, true).await.status, 204);
    assert_eq!(other.get("/api/v1/session").await.status, 401);
    assert_eq!(socket.closed().await, Some(4001));
    assert!(mia.is_signed_in().await);
}

/// Row 9: a reset link is kept as a hash, works once and for an hour, voids the one before, and ends every session.
#[tokio::test]
async fn a_reset_link_works_once_and_for_an_hour() {
    let app = App::frozen(settings(|_| {})).await;
    let mia = app.signed_in("mia", "student", None).await;
    let link = async || app.services.accounts.reset_link(&Actor::Operator, "mia").await.unwrap().expose().to_owned();
    let reset = async |token: &str, password: &str| {
        app.anonymous().rpc("reset_password", &[("token", token), ("password", password)]).await
    };
    let (old, new) = (link().await, link().await);
    assert!(!String::from_utf8_lossy(&database::bytes(app.dir.path())).contains(&new));
    let wrong = reset("wrong", NEW).await;
    assert_eq!(wrong.status, 404);
    let voided = reset(&old, NEW).await;
    assert_eq!((voided.status, voided.body_without_id()), (wrong.status, wrong.body_without_id()), "row 8: one answer");
    assert_eq!(reset(&new, "short").await.status, 422);
    assert!(mia.is_signed_in().await);
    assert_eq!(reset(&new, NEW).await.status, 200, "a bad password did not use it up");
    assert!(!mia.is_signed_in().await);
    assert_eq!(reset(&new, PASSWORD).await.body_without_id(), wrong.body_without_id());
    assert_eq!(app.anonymous().log_in("mia", NEW).await.status, 200);

    let late = link().await;
    app.pass(HOUR).await;
    assert_eq!(reset(&late, PASSWORD).await.body_without_id(), wrong.body_without_id());
    assert_eq!(app.anonymous().get(&format!("/reset?token={late}")).await.status, 404);
}

/// Row 10: an admin can start a reset, but nobody's password passes through an admin's hands.
#[tokio::test]
async fn no_admin_call_takes_a_password() {
    let app = App::start().await;
    let document = app.anonymous().get("/api/v1/openapi.json").await.json();
    let mut bodies = 0;
    for (path, item) in document["paths"].as_object().unwrap().iter().filter(|(p, _)| p.contains("/admin/")) {
        for (_, call) in item.as_object().unwrap() {
            let taken = [&call["requestBody"], &call["parameters"]].map(ToString::to_string).concat();
            assert!(!taken.to_lowercase().contains("password"), "{path}");
            // And what the body is made of, by name.
            for name in taken.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
                let schema = document["components"]["schemas"][name]["properties"].to_string();
                assert!(!schema.to_lowercase().contains("password"), "{path} takes {name}");
                bodies += 1;
            }
        }
    }
    assert!(bodies > 5, "{bodies}");
}
