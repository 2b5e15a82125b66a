//! The second factor: setting it up, signing in with it, and getting rid of it.

use domain::{
    Actor, ApiError, ErrorCode,
    time::{MINUTE, SECOND},
};
use services::{SignedIn, second_factor::State};

use crate::{
    app_code::code,
    world::{PASSWORD, World, each, from, unlimited},
};

/// Somebody with a second factor: the key, the back-up codes, a session.
async fn enrolled(w: &World, username: &str) -> (String, Vec<String>, SignedIn) {
    w.user(username).await;
    let signed_in = w.sign_in(username, PASSWORD).await.unwrap();
    let (actor, factor) = (signed_in.session.actor(), &w.services.second_factor);
    factor.begin(&actor).await.unwrap();
    let key = factor.enrolment(&actor).await.unwrap().unwrap().secret;
    let backup = factor.confirm(&actor, &code(&key, w.clock.now())).await.unwrap();
    w.clock.advance(30 * SECOND);
    (key, backup, signed_in)
}

/// What strangers get wrong elsewhere is nobody's failure here.
#[tokio::test]
async fn strangers_keep_nobody_from_setting_it_up() {
    each(unlimited(), async |w| {
        for n in 0..101 {
            let ip = format!("192.0.2.{n}");
            let from = services::Origin { ip, user_agent: String::new() };
            assert!(w.services.sessions.sign_in(&format!("nobody-{n}"), "wrong", false, &from, None).await.is_err());
        }
        enrolled(w, "mia").await;
    })
    .await;
}

/// A session that was left open, and the password, are not enough where there is a second factor.
#[tokio::test]
async fn the_password_alone_changes_nothing_once_the_sign_in_is_stale() {
    each(unlimited(), async |w| {
        let (_, _, session) = enrolled(w, "mia").await;
        w.clock.advance(15 * MINUTE);
        let (actor, token) = (session.session.actor(), session.token.expose());
        let new = "purple-otter-sings-92";
        let refused = w.services.accounts.change_password(&actor, token, PASSWORD, new, false).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ReauthRequired);
        assert!(w.sign_in("mia", PASSWORD).await.unwrap_err().code == ErrorCode::SecondFactorRequired);
    })
    .await;
}

/// The first step; the token of the second.
async fn first_step(w: &World, username: &str) -> String {
    let asked = w.sign_in(username, PASSWORD).await.unwrap_err();
    assert_eq!(asked.code, ErrorCode::SecondFactorRequired);
    asked.fields["token"].clone()
}

async fn second_step(w: &World, token: &str, code: &str) -> Result<SignedIn, ApiError> {
    w.services.sessions.second_factor(token, code, &from(), None).await
}

#[tokio::test]
async fn a_code_is_asked_for_and_works_once() {
    each(unlimited(), async |w| {
        let (key, backup, _) = enrolled(w, "mia").await;
        let token = first_step(w, "mia").await;
        assert!(w.check(&token).await.is_none(), "the step's token opens nothing");
        let right = code(&key, w.clock.now());
        let wrong = second_step(w, &token, "000000").await.unwrap_err();
        assert_eq!(second_step(w, "no such step", &right).await.unwrap_err(), wrong, "failures are alike");
        let signed_in = second_step(w, &token, &right).await.unwrap();
        assert!(w.opens(&signed_in).await);
        assert_eq!(second_step(w, &token, &right).await.unwrap_err(), wrong, "a step is taken once");
        let token = first_step(w, "mia").await;
        assert_eq!(second_step(w, &token, &right).await.unwrap_err(), wrong, "a code works once");
        // One step of drift and no more, in either direction.
        for (drift, good) in [(90, false), (-90, false), (30, true)] {
            let drifted = code(&key, w.clock.now().plus(drift * SECOND));
            assert_eq!(second_step(w, &token, &drifted).await.is_ok(), good, "{drift}");
        }
        let token = first_step(w, "mia").await;
        let old = code(&key, w.clock.now());
        assert_eq!(second_step(w, &token, &old).await.unwrap_err(), wrong, "an older code than the last used");
        // Back-up codes, as people type them; each once, and only their hashes are kept.
        let typed = backup[0].to_uppercase().replace('-', " ");
        assert!(second_step(w, &token, &typed).await.is_ok());
        let token = first_step(w, "mia").await;
        assert_eq!(second_step(w, &token, &typed).await.unwrap_err(), wrong);
        assert!(second_step(w, &token, &backup[1]).await.is_ok());
        let actor = w
            .services
            .sessions
            .create(
                &w.services.accounts.card(&Actor::Operator, signed_in.session.card().id).await.unwrap(),
                false,
                &from(),
            )
            .await
            .unwrap();
        let state = w.services.second_factor.state(&actor.session.actor()).await.unwrap();
        assert!(matches!(state, State::On { backup_codes_left: 8, .. }), "{state:?}");
    })
    .await;
}

#[tokio::test]
async fn a_step_has_five_minutes_and_ends_with_the_account_s_password() {
    each(unlimited(), async |w| {
        let (key, _, session) = enrolled(w, "mia").await;
        let late = first_step(w, "mia").await;
        w.clock.advance(5 * MINUTE);
        assert!(second_step(w, &late, &code(&key, w.clock.now())).await.is_err());
        let replaced = first_step(w, "mia").await;
        let (actor, token) = (session.session.actor(), session.token.expose());
        w.services.accounts.change_password(&actor, token, PASSWORD, "purple-otter-sings-92", false).await.unwrap();
        assert!(second_step(w, &replaced, &code(&key, w.clock.now())).await.is_err());
        // A mailed or printed link does not skip it either.
        let link = w.services.accounts.reset_link(&Actor::Operator, "mia").await.unwrap();
        w.services.accounts.reset(link.expose(), PASSWORD, &from()).await.unwrap();
        let disabled = first_step(w, "mia").await;
        w.services.accounts.disable(&Actor::Operator, "mia").await.unwrap();
        assert!(second_step(w, &disabled, &code(&key, w.clock.now())).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn guessing_codes_is_throttled_like_passwords() {
    each(unlimited(), async |w| {
        let (key, ..) = enrolled(w, "mia").await;
        let token = first_step(w, "mia").await;
        let tries = (0..20).map(|n| {
            let (sessions, token) = (w.services.sessions.clone(), token.clone());
            tokio::spawn(async move { sessions.second_factor(&token, &format!("{n:06}"), &from(), None).await })
        });
        let mut codes = vec![];
        for tried in tries.collect::<Vec<_>>() {
            codes.push(tried.await.unwrap().unwrap_err().code);
        }
        assert_eq!(codes.iter().filter(|c| **c == ErrorCode::InvalidCredentials).count(), 10, "all at once or not");
        let right = second_step(w, &token, &code(&key, w.clock.now())).await.unwrap_err();
        assert_eq!(right.code, ErrorCode::TooManyRequests);
    })
    .await;
}

#[tokio::test]
async fn confirming_the_password_asks_for_a_code_too() {
    each(unlimited(), async |w| {
        let (key, _, session) = enrolled(w, "mia").await;
        let (actor, token) = (session.session.actor(), session.token.expose());
        let sessions = &w.services.sessions;
        let asked = sessions.reauth(&actor, token, PASSWORD, None).await.unwrap_err();
        assert!(asked.code == ErrorCode::SecondFactorRequired && asked.fields.contains_key("code"));
        assert!(sessions.reauth(&actor, token, "no", None).await.unwrap_err().code == ErrorCode::Forbidden);
        assert!(sessions.reauth(&actor, token, PASSWORD, Some("000000")).await.is_err());
        assert!(w.opens(&session).await);
        let again = sessions.reauth(&actor, token, PASSWORD, Some(&code(&key, w.clock.now()))).await.unwrap();
        assert!(w.opens(&again).await && !w.opens(&session).await, "row 20: a new token");
    })
    .await;
}

/// Row 29: all of it asks for sudo mode, of administrators too.
#[tokio::test]
async fn changing_it_asks_for_sudo_mode() {
    each(unlimited(), async |w| {
        let (_, _, session) = enrolled(w, "mia").await;
        let admin = w.session(&w.person("ada", "admin", None).await).await;
        let manager = w.session(&w.person("max", "manager", None).await).await;
        let factor = &w.services.second_factor;
        let id = session.session.card().id;
        assert_eq!(factor.reset(&manager.session.actor(), id).await.unwrap_err().code, ErrorCode::Forbidden);
        w.clock.advance(10 * MINUTE);
        let stale = session.session.actor();
        for refused in [
            factor.begin(&stale).await.err(),
            factor.enrolment(&stale).await.err(),
            factor.confirm(&stale, "000000").await.err(),
            factor.new_backup_codes(&stale).await.err(),
            factor.turn_off(&stale).await.err(),
            factor.reset(&admin.session.actor(), id).await.err(),
        ] {
            assert_eq!(refused.map(|e| e.code), Some(ErrorCode::ReauthRequired));
        }
        let again = w.session(&w.services.accounts.card(&Actor::Operator, id).await.unwrap()).await.session.actor();
        assert_eq!(factor.begin(&again).await.unwrap_err().code, ErrorCode::Conflict, "it is on");
        assert_eq!(factor.new_backup_codes(&again).await.unwrap().len(), 10);
        factor.turn_off(&again).await.unwrap();
        assert_eq!(factor.state(&again).await, Ok(State::Off));
        assert!(w.sign_in("mia", PASSWORD).await.is_ok());
        assert_eq!(factor.reset_of(&Actor::Operator, "mia").await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(factor.reset_of(&Actor::Operator, "nobody").await.unwrap_err().code, ErrorCode::NotFound);
        for action in ["second_factor_on", "backup_codes_made", "second_factor_off"] {
            let text = format!("SELECT action FROM audit WHERE action = '{action}' AND actor = 'mia'");
            assert_eq!(w.text(&text).await.as_deref(), Some(action));
        }
    })
    .await;
}

/// Until a code proved that the app has the secret, nothing is asked for.
#[tokio::test]
async fn what_is_only_begun_asks_for_nothing() {
    each(unlimited(), async |w| {
        w.user("mia").await;
        let actor = w.sign_in("mia", PASSWORD).await.unwrap().session.actor();
        let factor = &w.services.second_factor;
        assert!(factor.enrolment(&actor).await.unwrap().is_none());
        factor.begin(&actor).await.unwrap();
        let first = factor.enrolment(&actor).await.unwrap().unwrap();
        assert!(first.uri.starts_with("otpauth://totp/Rollcall:mia?secret="), "{}", first.uri);
        factor.begin(&actor).await.unwrap();
        let second = factor.enrolment(&actor).await.unwrap().unwrap();
        assert_ne!(first.secret, second.secret);
        assert!(factor.confirm(&actor, &code(&first.secret, w.clock.now())).await.is_err());
        assert!(w.sign_in("mia", PASSWORD).await.is_ok());
        factor.confirm(&actor, &code(&second.secret, w.clock.now())).await.unwrap();
        assert!(factor.enrolment(&actor).await.unwrap().is_none(), "it is never shown again");
        assert!(w.sign_in("mia", PASSWORD).await.is_err());
    })
    .await;
}

/// The second factor of a role's people: who has none is signed out when it begins, and lacks it from then on.
#[tokio::test]
async fn a_role_may_ask_for_one() {
    each(unlimited(), async |w| {
        let (_, _, with) = enrolled(w, "mia").await;
        w.user("tom").await;
        let without = w.sign_in("tom", PASSWORD).await.unwrap();
        let admin = w.session(&w.person("ada", "admin", None).await).await;
        let sessions = &w.services.sessions;
        let change = async |roles: &str, dry_run| {
            let changes = [("second_factor_roles".to_owned(), Some(roles.to_owned()))].into();
            w.services.settings.change(&admin.session.actor(), changes, dry_run).await
        };
        assert!(change("member, nobody", false).await.unwrap_err().fields.contains_key("second_factor_roles"));
        let preview = change("member, manager", true).await.unwrap();
        assert_eq!((preview.sessions.would_end, preview.sessions.own), (1, false));
        assert_eq!(preview.sessions.who[0].username, "tom");
        assert!(w.opens(&without).await);
        change("member, manager", false).await.unwrap();
        assert!(!w.opens(&without).await && w.opens(&with).await && w.opens(&admin).await);
        assert!(!sessions.lacks_second_factor(&with.session.actor()));
        let reason = w.text("SELECT ended_reason FROM sessions WHERE ended_at IS NOT NULL").await;
        assert_eq!(reason.as_deref(), Some("revoked"));

        let tom = w.sign_in("tom", PASSWORD).await.unwrap();
        assert!(sessions.lacks_second_factor(&tom.session.actor()));
        // Another setting ends nobody who is about to set theirs up.
        let idle = [("session_idle".to_owned(), Some("2h".to_owned()))].into();
        w.services.settings.change(&Actor::Operator, idle, false).await.unwrap();
        assert!(w.opens(&tom).await);
        let factor = &w.services.second_factor;
        factor.begin(&tom.session.actor()).await.unwrap();
        let key = factor.enrolment(&tom.session.actor()).await.unwrap().unwrap().secret;
        assert!(sessions.lacks_second_factor(&tom.session.actor()), "one that is only begun is none");
        factor.confirm(&tom.session.actor(), &code(&key, w.clock.now())).await.unwrap();
        assert!(!sessions.lacks_second_factor(&tom.session.actor()), "the same session");
        factor.reset_of(&Actor::Operator, "tom").await.unwrap();
        assert!(sessions.lacks_second_factor(&tom.session.actor()));

        // Whoever is promoted into such a role signs in again, and lacks one.
        let eve = w.session(&w.person("eve", "teacher", None).await).await;
        let id = eve.session.card().id;
        assert!(!sessions.lacks_second_factor(&eve.session.actor()));
        let edit = domain::people::UserEdit { role: Some("manager".to_owned()), ..Default::default() };
        w.services.accounts.edit(&Actor::Operator, "eve", edit).await.unwrap();
        assert!(!w.opens(&eve).await);
        let eve = w.session(&w.services.accounts.card(&Actor::Operator, id).await.unwrap()).await;
        assert!(sessions.lacks_second_factor(&eve.session.actor()));
        change("", false).await.unwrap();
        assert!(!sessions.lacks_second_factor(&eve.session.actor()));
    })
    .await;
}

/// A command beside the server turns one off: the server's sessions learn of it.
#[tokio::test]
async fn another_process_hears_of_it() {
    each(unlimited(), async |w| {
        let (_, _, mia) = enrolled(w, "mia").await;
        let beside = w.another(false).await;
        beside.services.second_factor.reset_of(&Actor::Operator, "mia").await.unwrap();
        w.services.sessions.follow(0).await.unwrap();
        assert!(!mia.session.card().second_factor);
        beside.close().await;
    })
    .await;
}
