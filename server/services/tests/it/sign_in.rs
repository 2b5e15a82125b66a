//! Signing in: one answer, throttled, rotated, only hashed at rest.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, phc::PasswordHash},
};
use domain::{
    Actor, ErrorCode,
    settings::Settings,
    time::{HOUR, MINUTE},
};
use services::{Origin, secret};

use crate::world::{PASSWORD, World, each, from, unlimited};

#[tokio::test]
async fn every_kind_of_failure_has_the_same_answer() {
    each(Settings::default(), async |w| {
        w.user("ada").await;
        w.user("off").await;
        w.person("none", "member", None).await;
        w.services.accounts.disable(&Actor::Operator, "off").await.unwrap();
        let mut answers = vec![];
        for (name, password) in [
            ("ada", "wrong wrong wrong"),
            ("ada", ""),
            ("ada", "Correct horse battery staple"),
            ("nobody", PASSWORD),
            ("nobody", ""),
            ("off", PASSWORD),
            ("none", PASSWORD),
            ("none", ""),
            ("\u{0}'; --", PASSWORD),
        ] {
            answers.push(w.sign_in(name, password).await.unwrap_err());
        }
        assert_eq!(answers[0].code, ErrorCode::InvalidCredentials);
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
        assert!(w.sign_in(" ADA ", PASSWORD).await.is_ok());
    })
    .await;
}

async fn fail(w: &World, name: &str, ip: &str) -> ErrorCode {
    let from = Origin { ip: ip.into(), user_agent: String::new() };
    w.services.sessions.sign_in(name, "wrong wrong", false, &from, None).await.unwrap_err().code
}

#[tokio::test]
async fn failures_are_counted_by_account_whatever_the_address_and_over_restarts() {
    each(Settings::default(), async |w| {
        w.user("ada").await;
        let s = w.sign_in("ada", PASSWORD).await.unwrap();
        for name in ["ada", "nobody"] {
            for n in 0..10 {
                assert_eq!(fail(w, name, &format!("192.0.2.{n}")).await, ErrorCode::InvalidCredentials, "{n}");
            }
            assert_eq!(fail(w, name, "192.0.2.99").await, ErrorCode::TooManyRequests);
        }
        let refused = w.sign_in("ada", PASSWORD).await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (ErrorCode::TooManyRequests, Some(15 * 60 + 1)));
        assert!(w.opens(&s).await, "who is in stays in");

        let again = w.another(true).await;
        assert_eq!(fail(&again, "nobody", "192.0.2.98").await, ErrorCode::TooManyRequests);
        w.clock.advance(15 * MINUTE);
        assert!(again.sign_in("ada", PASSWORD).await.is_ok(), "never for longer than the window");
        again.services.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn failures_are_counted_by_address_and_successes_never() {
    let open = Settings { login_throttle: false, ..unlimited() };
    each(unlimited(), async |w| {
        w.user("ada").await;
        for _ in 0..12 {
            assert!(w.sign_in("ada", PASSWORD).await.is_ok());
        }
        for n in 0..100 {
            assert_eq!(fail(w, &format!("name{n}"), "198.51.100.1").await, ErrorCode::InvalidCredentials);
        }
        assert_eq!(fail(w, "name100", "198.51.100.1").await, ErrorCode::TooManyRequests);
        assert_eq!(fail(w, "name100", "198.51.100.2").await, ErrorCode::InvalidCredentials);
        let off = w.another_with(open.clone(), false).await;
        assert_eq!(fail(&off, "name101", "198.51.100.1").await, ErrorCode::InvalidCredentials);
        off.services.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn old_parameters_are_renewed_at_a_sign_in() {
    each(Settings::default(), async |w| {
        w.user("ada").await;
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).unwrap());
        let old: PasswordHash = weak.hash_password(PASSWORD.as_bytes()).unwrap();
        w.sql(&format!("UPDATE users SET password_hash = '{old}'")).await;
        assert!(w.sign_in("ada", PASSWORD).await.is_ok());
        let now = w.text("SELECT password_hash FROM users").await.unwrap();
        assert!(now.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{now}");
        assert!(w.sign_in("ada", PASSWORD).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn tokens_are_new_each_time_and_replace_the_jar_s_old_one() {
    each(Settings::default(), async |w| {
        w.user("ada").await;
        w.user("bob").await;
        let a = w.sign_in("ada", PASSWORD).await.unwrap();
        let jar = Some(a.token.expose());
        let b = w.services.sessions.sign_in("bob", PASSWORD, false, &from(), jar).await.unwrap();
        assert!(!w.opens(&a).await && w.opens(&b).await);
        let reason = w.text("SELECT ended_reason FROM sessions WHERE ended_at IS NOT NULL").await;
        assert_eq!(reason.as_deref(), Some("relogin"));

        let sudo = w.services.sessions.reauth(&b.session.actor(), b.token.expose(), PASSWORD, None).await.unwrap();
        assert_eq!(sudo.session.id, b.session.id);
        assert!(w.opens(&sudo).await && !w.opens(&b).await);
        let wrong =
            w.services.sessions.reauth(&sudo.session.actor(), sudo.token.expose(), "no", None).await.unwrap_err();
        assert_eq!((wrong.code, wrong.fields.contains_key("password")), (ErrorCode::Forbidden, true));
        let stale = w.services.sessions.reauth(&b.session.actor(), b.token.expose(), PASSWORD, None).await.unwrap_err();
        assert_eq!(stale.code, ErrorCode::Unauthenticated);
    })
    .await;
}

#[tokio::test]
async fn sudo_mode_ends_and_returns() {
    each(Settings::default(), async |w| {
        w.user("ada").await;
        let s = w.sign_in("ada", PASSWORD).await.unwrap();
        assert!(s.session.actor().require_fresh(w.clock.now()).is_ok());
        w.clock.advance(10 * MINUTE);
        let stale = w.check(s.token.expose()).await.unwrap().actor();
        assert!(stale.require_fresh(w.clock.now()).is_err());
        assert_eq!(w.services.sessions.end_own_others(&stale).await.unwrap_err().code, ErrorCode::ReauthRequired);
        let sudo = w.services.sessions.reauth(&stale, s.token.expose(), PASSWORD, None).await.unwrap();
        assert!(w.services.sessions.end_own_others(&sudo.session.actor()).await.is_ok());
        let again = w.another(false).await;
        let loaded = again.check(sudo.token.expose()).await.unwrap();
        assert_eq!(loaded.fresh_until(), w.clock.now().plus(10 * MINUTE), "kept over a restart");
        again.services.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn lifetimes_slide_and_are_capped() {
    each(Settings::default(), async |w| {
        let member = w.person("m", "member", None).await;
        let admin = w.person("a", "admin", None).await;
        let m = w.session(&member).await;
        let a = w.session(&admin).await;
        let remembered = w.services.sessions.create(&member, true, &from()).await.unwrap();
        for _ in 0..3 {
            w.clock.advance(23 * HOUR);
            for s in [&m, &a] {
                w.services.sessions.touch(&s.session, w.clock.now());
            }
        }
        assert!(w.opens(&m).await && !w.opens(&a).await && w.opens(&remembered).await);
        w.clock.advance(24 * HOUR);
        assert!(!w.opens(&m).await && w.opens(&remembered).await);
        w.services.sessions.touch(&m.session, w.clock.now());
        assert!(!w.opens(&m).await, "what is over stays over");
    })
    .await;
}

/// Security row 15: every token that was ever issued is nowhere in the files.
#[tokio::test]
async fn only_hashes_are_at_rest() {
    each(unlimited(), async |w| {
        let Some(dir) = &w.dir else { return };
        let ada = w.user("ada").await;
        let mut tokens = vec![w.services.accounts.reset_link(&Actor::Operator, "ada").await.unwrap()];
        tokens.push(w.sign_in("ada", PASSWORD).await.unwrap().token);
        for _ in 0..20 {
            tokens.push(w.session(&ada).await.token);
        }
        let files: Vec<Vec<u8>> =
            dir.path().read_dir().unwrap().map(|f| std::fs::read(f.unwrap().path()).unwrap()).collect();
        let there = |needle: &[u8]| files.iter().any(|f| f.windows(needle.len()).any(|w| w == needle));
        for token in &tokens {
            assert!(!there(token.expose().as_bytes()));
            assert!(there(&secret::hash(token.expose())), "the search finds what is there");
        }
        assert!(!there(PASSWORD.as_bytes()));
    })
    .await;
}

/// Security row 4: beyond the queue there is an answer at once, and no request hangs.
#[tokio::test]
async fn hashing_is_bounded() {
    let settings = Settings { login_throttle: false, ..unlimited() };
    each(settings, async |w| {
        let tries: Vec<_> = (0..150)
            .map(|n| {
                let sessions = w.services.sessions.clone();
                tokio::spawn(async move { sessions.sign_in(&format!("u{n}"), "x", false, &from(), None).await })
            })
            .collect();
        let mut refused = 0;
        for t in tries {
            let e = t.await.unwrap().unwrap_err();
            refused += u32::from(e.code == ErrorCode::Unavailable && e.retry_after == Some(1));
        }
        assert!((1..150).contains(&refused), "{refused}");
    })
    .await;
}

/// Row 7: stolen passwords tried from everywhere, once each, have a limit together; whoever signs in from where somebody
/// did before is not held up.
#[tokio::test]
async fn many_addresses_have_a_limit_together() {
    each(unlimited(), async |w| {
        w.user("mia").await;
        let home = w.sign_in("mia", PASSWORD).await.unwrap();
        let try_from = async |username: &str, password: &str, ip: &str| {
            let from = Origin { ip: ip.into(), ..from() };
            w.services.sessions.sign_in(username, password, false, &from, None).await.map_err(|e| e.code)
        };
        let strangers = "SELECT CAST(count(*) AS text) FROM sign_in_failures WHERE ip = ''";
        assert!(w.sign_in("mia", "wrong").await.is_err());
        assert_eq!(w.text(strangers).await.as_deref(), Some("0"), "from where she signed in");
        assert!(try_from("mia", "wrong", "198.51.100.1").await.is_err());
        assert_eq!(w.text(strangers).await.as_deref(), Some("1"));
        let (id, hash) = if w.dir.is_some() { ("x'", "x'") } else { ("'", r"'\x") };
        let rows: Vec<String> =
            (0..999).map(|n| format!("({id}{n:032x}', {hash}{}', '', {})", "00".repeat(32), w.clock.now().0)).collect();
        w.sql(&format!("INSERT INTO sign_in_failures (id, account, ip, at) VALUES {}", rows.join(", "))).await;
        for (name, password) in [("mia", PASSWORD), ("mia", "wrong"), ("nobody", "wrong")] {
            let refused = try_from(name, password, "198.51.100.2").await;
            assert_eq!(refused.err(), Some(ErrorCode::TooManyRequests), "{name}");
        }
        assert!(w.sign_in("mia", PASSWORD).await.is_ok(), "at home nobody is held up");
        assert!(w.opens(&home).await);
        w.clock.advance(15 * MINUTE);
        assert!(try_from("mia", PASSWORD, "198.51.100.2").await.is_ok(), "for a while only");
    })
    .await;
}
