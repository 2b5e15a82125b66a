//! Settings that change while the server runs: what is in force, what it does to sessions, who hears of it.

use domain::{
    Actor, ErrorCode, Level,
    settings::{Fixed, Settings},
    time::{HOUR, MINUTE},
};
use services::Changes;

use crate::world::{World, each, from};

fn to(pairs: &[(&str, &str)]) -> Changes {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned()))).collect()
}

async fn change(w: &World, pairs: &[(&str, &str)]) -> domain::settings::Changed {
    w.services.settings.change(&Actor::Operator, to(pairs), false).await.unwrap()
}

#[tokio::test]
async fn a_preview_says_what_the_change_then_does() {
    each(Settings::default(), async |w| {
        let (ada, bob) = (w.person("ada", "member", None).await, w.person("bob", "member", None).await);
        let old = [w.session(&ada).await, w.session(&ada).await, w.session(&bob).await];
        w.clock.advance(HOUR + MINUTE);
        let recent = w.session(&bob).await;
        // In memory alone: what the change judges by is what is known.
        w.services.sessions.touch(&old[0].session, w.clock.now());
        w.clock.advance(MINUTE);
        let hour = to(&[("session_idle", "1h")]);
        let would = w.services.settings.change(&Actor::Operator, hour.clone(), true).await.unwrap();
        assert_eq!((would.sessions.would_end, would.sessions.people, would.sessions.sooner), (2, 2, 2));
        assert_eq!(would.sessions.next[0].ends_at, w.clock.now().plus(HOUR - MINUTE));
        assert_eq!(would.changes["session_idle"], ("24h".to_owned(), "1h".to_owned()));
        for s in &old {
            assert!(w.opens(s).await, "a preview does nothing");
        }
        let did = w.services.settings.change(&Actor::Operator, hour, false).await.unwrap();
        assert_eq!(did.sessions, would.sessions);
        let open = [w.opens(&old[0]).await, w.opens(&old[1]).await, w.opens(&old[2]).await, w.opens(&recent).await];
        assert_eq!(open, [true, false, false, true]);
        let reason =
            w.text("SELECT min(ended_reason || ' ' || ended_by) FROM sessions WHERE ended_at IS NOT NULL").await;
        assert_eq!(reason.as_deref(), Some("idle_timeout operator"));
        w.clock.advance(HOUR - MINUTE);
        assert!(!w.opens(&old[0]).await && !w.opens(&recent).await, "the new limit holds for those that stayed");
        assert!(
            w.text("SELECT details FROM audit WHERE action = 'settings_changed'").await.unwrap().contains("\"1h\"")
        );
    })
    .await;
}

/// A command beside the server changes nothing by itself, and knows all the same what will follow.
#[tokio::test]
async fn a_command_previews_what_the_server_will_do() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let old = [w.session(&ada).await, w.session(&ada).await];
        w.services.flush().await;
        let beside = w.another(false).await;
        let one = to(&[("session_limit", "1")]);
        let would = beside.services.settings.change(&Actor::Operator, one.clone(), true).await.unwrap();
        assert_eq!((would.sessions.would_end, would.sessions.who[0].username.as_str()), (1, "ada"));
        assert_eq!(w.text("SELECT action FROM audit WHERE action = 'settings_changed'").await, None);
        beside.services.settings.change(&Actor::Operator, one, false).await.unwrap();
        w.services.settings.follow(-1).await.unwrap();
        let open = [w.opens(&old[0]).await, w.opens(&old[1]).await];
        assert_eq!(open.iter().filter(|open| **open).count(), 1);
        beside.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_over_stays_over_however_long_sessions_last() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let s = w.session(&ada).await;
        w.clock.advance(25 * HOUR);
        assert!(!w.opens(&s).await);
        change(w, &[("session_idle", "30d")]).await;
        assert!(!w.opens(&s).await);
        let mut longer = w.settings.clone();
        longer.lifetimes.idle = 48 * HOUR;
        let next = w.another_with(longer, true).await;
        assert!(!next.opens(&s).await, "nor after a restart");
        next.services.store.close().await;
        let fresh = w.session(&ada).await;
        w.clock.advance(29 * 24 * HOUR);
        assert!(w.opens(&fresh).await);
    })
    .await;
}

#[tokio::test]
async fn limits_and_lifetimes_of_roles() {
    each(Settings { session_limit: 0, ..Settings::default() }, async |w| {
        let (ada, bob) = (w.person("ada", "member", None).await, w.person("bob", "manager", None).await);
        let mut all = vec![];
        for _ in 0..3 {
            all.push((w.session(&ada).await, w.session(&bob).await));
            w.clock.advance(MINUTE);
        }
        let did = change(w, &[("session_limit_by_role", "member=1")]).await;
        assert_eq!((did.sessions.would_end, did.sessions.people), (2, 1));
        assert_eq!([w.opens(&all[0].0).await, w.opens(&all[2].0).await, w.opens(&all[0].1).await], [false, true, true]);
        w.session(&ada).await;
        assert!(!w.opens(&all[2].0).await, "the limit holds at the next sign-in");
        change(w, &[("session_idle_by_role", "manager=10m")]).await;
        w.clock.advance(7 * MINUTE);
        assert!(!w.opens(&all[0].1).await && w.opens(&all[2].1).await);
        let refused =
            w.services.settings.change(&Actor::Operator, to(&[("session_limit_by_role", "nobody=1")]), false).await;
        assert!(refused.unwrap_err().fields["session_limit_by_role"].contains("nobody"));

        // A role that a setting names keeps its name, or its limits would be gone.
        let directory = &w.services.directory;
        let role = directory.add_role(&Actor::Operator, "Guest Teacher", Level::Member).await.unwrap();
        change(w, &[("session_limit_by_role", "Guest Teacher=1")]).await;
        assert_eq!(w.services.settings.now().limit_of("Guest Teacher"), 1);
        let renamed = async || directory.edit_role(&Actor::Operator, role.id, Some("Guest"), None).await;
        assert_eq!(renamed().await.unwrap_err().code, ErrorCode::Conflict);
        let deleted = directory.delete_role(&Actor::Operator, role.id, None, false).await;
        assert_eq!(deleted.unwrap_err().code, ErrorCode::Conflict);
        change(w, &[("session_limit_by_role", "")]).await;
        assert!(renamed().await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn one_switch_is_strict_and_back() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let kept = w.services.sessions.create(&ada, true, &from()).await.unwrap();
        assert!(kept.remembered);
        change(w, &[("session_idle", "2h")]).await;
        change(w, &[("session_preset", "strict")]).await;
        assert_eq!(w.services.settings.now().lifetimes, domain::settings::Lifetimes::strict());
        assert_eq!(kept.session.idle(), HOUR);
        assert!(!w.services.sessions.create(&ada, true, &from()).await.unwrap().remembered);
        let back = Changes::from([("session_preset".to_owned(), None)]);
        w.services.settings.change(&Actor::Operator, back, false).await.unwrap();
        assert_eq!(w.services.settings.now().lifetimes, domain::settings::Lifetimes::default());
    })
    .await;
}

#[tokio::test]
async fn another_process_reaches_the_server_and_what_is_fixed_stays() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let s = w.session(&ada).await;
        w.clock.advance(2 * HOUR);
        let command = w.another(false).await;
        change(&command, &[("session_idle", "1h"), ("idle_after", "2m")]).await;
        w.services.settings.follow(0).await.unwrap();
        let now = w.services.settings.now();
        assert_eq!((now.lifetimes.idle, now.presence.idle_after), (HOUR, 2 * MINUTE));
        assert!(!w.opens(&s).await);
        let list = w.services.settings.list(&Actor::Operator).await.unwrap();
        let idle = list.iter().find(|v| v.key == "session_idle").unwrap();
        assert_eq!((&*idle.value, &*idle.default, idle.changed_by.as_deref()), ("1h", "24h", Some("operator")));
        command.services.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn nonsense_and_what_is_fixed_are_refused_whole() {
    each(Settings::default(), async |w| {
        let settings = &w.services.settings;
        for (pairs, field) in [
            (&[("session_idle", "soon"), ("session_limit", "3")][..], "session_idle"),
            (&[("nothing", "1")], "nothing"),
            (&[("login_throttle", "off")], "login_throttle"),
            (&[("idle_after", "20m")], "idle_after"),
            (&[("heartbeat", "1m")], "heartbeat"),
            (&[("retention_sessions", "1s")], "retention_sessions"),
        ] {
            let e = settings.change(&Actor::Operator, to(pairs), false).await.unwrap_err();
            assert_eq!(e.code, ErrorCode::Invalid);
            assert!(e.fields.contains_key(field), "{field}: {:?}", e.fields);
        }
        assert_eq!(*settings.now(), Settings::default());
        assert!(settings.change(&Actor::Anonymous, to(&[]), true).await.is_err());
        let ada = w.session(&w.person("ada", "manager", Some("North")).await).await;
        let e = settings.change(&ada.session.actor(), to(&[("grace", "1m")]), true).await.unwrap_err();
        assert_eq!(e.code, ErrorCode::Forbidden);
        let root = w.session(&w.person("root", "admin", None).await).await;
        w.clock.advance(11 * MINUTE);
        let asked = settings.change(&root.session.actor(), to(&[("grace", "1m")]), false).await.unwrap_err();
        assert_eq!(asked.code, ErrorCode::ReauthRequired, "no exemption for admins");

        let fixed = Fixed::from([("grace".to_owned(), "--grace".to_owned())]);
        let next = w.fixing(fixed).await;
        let e = next.services.settings.change(&Actor::Operator, to(&[("grace", "1m")]), false).await.unwrap_err();
        assert!(e.fields["grace"].contains("--grace"));
        next.services.store.close().await;
    })
    .await;
}
