//! Time, other processes, and a database that is away.

use std::time::Duration;

use domain::{
    Actor, ErrorCode,
    presence::{Choice, Chosen, Report},
    settings::Settings,
    time::{DAY, HOUR, SECOND},
};
use services::Which;

use crate::world::{PASSWORD, each, unlimited};

#[tokio::test]
async fn the_clean_up_writes_down_what_time_did_and_deletes_what_is_old() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let ada = w.person("ada", "member", None).await;
        for _ in 0..1_203 {
            w.session(&ada).await;
        }
        w.clock.advance(HOUR);
        let kept = w.session(&ada).await;
        w.clock.advance(23 * HOUR);
        let before = sessions.stats(&Actor::Operator).await.unwrap();
        assert_eq!((before.total, before.now.live, before.ended, before.expired_uncleaned), (1_204, 1, 0, 1_203));
        let done = sessions.clean_up(&Actor::Operator, None).await.unwrap();
        assert_eq!((done.ended, done.deleted), (1_203, 0));
        let after = sessions.stats(&Actor::Operator).await.unwrap();
        assert_eq!((after.now.live, after.ended, after.expired_uncleaned), (1, 1_203, 0));
        assert_eq!((after.average_seconds, after.median_seconds), (Some(0.0), Some(0.0)), "nobody did anything");
        assert!(w.opens(&kept).await);
        w.clock.advance(HOUR);
        let done = sessions.clean_up(&Actor::Operator, Some(30 * 60 * SECOND)).await.unwrap();
        assert_eq!((done.ended, done.deleted), (1, 1_203));
    })
    .await;
}

/// Whoever cannot wait for it is told how far it is; it ends all the same, and is on record.
#[tokio::test]
async fn a_clean_up_goes_on_when_nobody_waits_for_it() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let ada = w.person("ada", "member", None).await;
        for _ in 0..1_203 {
            w.session(&ada).await;
        }
        w.clock.advance(25 * HOUR);
        let done = sessions.clean_up_within(&Actor::Operator, Some(0), Duration::ZERO).await.unwrap();
        assert!(done.more && done.ended < 1_203, "{done:?}");
        let second = sessions.clean_up_within(&Actor::Operator, Some(0), Duration::ZERO).await.unwrap_err();
        assert_eq!(second.code, ErrorCode::Conflict, "{second}");
        let recorded = async || {
            let text = "(SELECT details FROM audit WHERE action = 'sessions_cleaned_up')";
            w.text(&format!("SELECT max(details) FROM {text} AS d")).await
        };
        let details = loop {
            match recorded().await {
                Some(details) => break details,
                None => tokio::task::yield_now().await,
            }
        };
        assert!(details.contains(r#""ended":1203"#) && details.contains(r#""deleted":1203"#), "{details}");
        assert_eq!(sessions.stats(&Actor::Operator).await.unwrap().total, 0);
        // Its turn is over a moment after its record.
        while sessions.clean_up(&Actor::Operator, None).await.is_err_and(|e| e.code == ErrorCode::Conflict) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn addresses_and_events_have_their_time() {
    let settings = Settings { retention_ip: DAY, retention_events: 3 * DAY, ..unlimited() };
    each(settings, async |w| {
        w.session(&w.person("ada", "member", None).await).await;
        let clean = async || w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        let count = async |text: &str| w.text(&format!("SELECT CAST(count(*) AS text) FROM {text}")).await.unwrap();
        w.clock.advance(DAY);
        clean().await;
        w.clock.advance(DAY);
        assert_eq!(count("sessions WHERE ip IS NOT NULL").await, "1");
        clean().await;
        assert_eq!(count("sessions WHERE ip IS NOT NULL").await, "0");
        assert_eq!((count("events WHERE ip IS NOT NULL").await, count("events").await), ("0".into(), "1".into()));
        w.clock.advance(DAY);
        clean().await;
        assert_eq!(count("events").await, "0");
    })
    .await;
}

#[tokio::test]
async fn stats_count_by_role_and_organisation() {
    each(unlimited(), async |w| {
        let ada = w.person("ada", "teacher", Some("One")).await;
        let first = w.session(&ada).await;
        w.clock.advance(60 * SECOND);
        w.session(&ada).await;
        w.session(&w.person("bob", "student", None).await).await;
        w.services.sessions.sign_out(&first.session.actor(), &first.session).await.unwrap();
        let s = w.services.sessions.stats(&Actor::Operator).await.unwrap();
        assert_eq!((s.total, s.now.live, s.ended), (3, 2, 1));
        let roles: Vec<_> = s.now.by_role.iter().map(|(k, n)| (k.as_str(), *n)).collect();
        assert_eq!(roles, [("admin", 0), ("manager", 0), ("member", 0), ("student", 1), ("teacher", 1)]);
        assert_eq!(s.now.by_org.into_iter().collect::<Vec<_>>(), [("One".to_owned(), 1)]);
        assert_eq!((s.average_seconds, s.median_seconds), (Some(60.0), Some(60.0)));
        assert_eq!(s.now.oldest_at, Some(w.clock.now()));
    })
    .await;
}

/// A command beside the server: what it ends is out of the server's memory at the next look, and no ending is missed.
#[tokio::test]
async fn another_process_s_endings_are_followed() {
    each(unlimited(), async |w| {
        let command = w.another(false).await;
        let ada = w.person("ada", "member", None).await;
        let bob = w.person("bob", "member", None).await;
        let (a, b, c) = (w.session(&ada).await, w.session(&ada).await, w.session(&bob).await);
        for s in [&a, &b, &c] {
            assert!(w.opens(s).await);
        }
        let one = Which::Ids(vec![a.session.id]);
        assert_eq!(command.services.sessions.revoke(&Actor::Operator, one, true, false).await.unwrap(), 1);
        command.services.accounts.disable(&Actor::Operator, "ada").await.unwrap();
        let seq = w.services.sessions.follow(0).await.unwrap();
        assert!(!w.opens(&a).await && !w.opens(&b).await && w.opens(&c).await);
        command.services.accounts.delete(&Actor::Operator, "bob").await.unwrap();
        assert!(w.services.sessions.follow(seq).await.unwrap() > seq);
        assert!(!w.opens(&c).await && !c.session.is_live(w.clock.now()));
        command.services.store.close().await;
    })
    .await;
}

/// Somebody who was here, or only chose something, is in the server's memory without a session; deleted by a command,
/// they are no more. Looked for by the server itself, within its half second.
#[tokio::test]
async fn somebody_whom_another_process_deletes_is_forgotten() {
    each(unlimited(), async |w| {
        let (command, presence) = (w.another(false).await, &w.services.presence);
        let mut actors = vec![];
        for name in ["ada", "bob", "cat"] {
            let s = w.session(&w.person(name, "member", None).await).await;
            let busy = Chosen { choice: Choice::Busy, ..Chosen::default() };
            presence.choose(&s.session.actor(), busy).await.unwrap();
            if name != "cat" {
                w.services.heartbeat(&s.session, Report::default()).await.unwrap();
                w.services.sessions.sign_out(&s.session.actor(), &s.session).await.unwrap();
            }
            actors.push(s.session.actor());
        }
        let known = async |n: usize| {
            let me = presence.me(&actors[n]).await.unwrap();
            (me.chosen.choice == Choice::Busy, me.since.is_some())
        };
        assert_eq!((known(0).await, known(1).await, known(2).await), ((true, true), (true, true), (true, false)));
        for name in ["ada", "cat"] {
            command.services.accounts.delete(&Actor::Operator, name).await.unwrap();
        }
        for _ in 0..1_000 {
            if known(2).await == (false, false) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((known(0).await, known(1).await, known(2).await), ((false, false), (true, true), (false, false)));
        command.services.store.close().await;
    })
    .await;
}

/// A command cannot see activity that the server has not written yet, so its clean-up leaves the last moments alone.
#[tokio::test]
async fn a_command_s_clean_up_spares_what_the_server_may_have_extended() {
    each(unlimited(), async |w| {
        let command = w.another(false).await;
        let s = w.session(&w.person("ada", "member", None).await).await;
        w.clock.advance(24 * HOUR - 1);
        w.services.sessions.touch(&s.session, w.clock.now());
        w.clock.advance(5 * SECOND);
        assert_eq!(command.services.sessions.clean_up(&Actor::Operator, None).await.unwrap().ended, 0);
        w.services.sessions.flush().await.unwrap();
        w.clock.advance(10 * SECOND);
        assert_eq!(command.services.sessions.clean_up(&Actor::Operator, None).await.unwrap().ended, 0);
        assert!(w.opens(&s).await);
        command.services.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_never_a_guess() {
    each(Settings::default(), async |w| {
        let ada = w.user("ada").await;
        let known = w.session(&ada).await;
        let next = w.another(false).await;
        next.services.store.close().await;
        let sessions = &next.services.sessions;
        let code = sessions.authenticate(known.token.expose()).await.unwrap_err().code;
        assert_eq!(code, ErrorCode::Unavailable);
        assert_eq!(next.sign_in("ada", PASSWORD).await.unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(sessions.stats(&Actor::Operator).await.unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(
            sessions.sign_out(&known.session.actor(), &known.session).await.unwrap_err().code,
            ErrorCode::Unavailable
        );
        assert!(!next.services.store.is_ready().await && w.services.store.is_ready().await);
        assert!(sessions.authenticate("not a token").await.unwrap().is_none());
    })
    .await;
}
