//! Activity, written behind: newest wins, nothing is poisoned, nobody waits.

use std::{sync::Arc, time::Duration};

use domain::{
    Actor,
    settings::Settings,
    time::{HOUR, MINUTE},
};
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::world::{BEGIN, each, unlimited};

#[tokio::test]
async fn the_newest_wins_and_moves_the_end() {
    each(Settings::default(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let s = w.session(&ada).await;
        w.clock.advance(HOUR);
        let (sessions, now) = (&w.services.sessions, w.clock.now());
        sessions.touch(&s.session, now);
        sessions.touch(&s.session, now.plus(-MINUTE));
        sessions.flush().await.unwrap();
        let row = "SELECT CAST(last_activity_at AS text) || ' ' || CAST(expires_at AS text) FROM sessions";
        let expected = format!("{} {}", now.0, now.plus(24 * HOUR).0);
        assert_eq!(w.text(row).await.as_deref(), Some(expected.as_str()));
        // Somebody else wrote a newer time: an older one does not undo it.
        w.sql(&format!("UPDATE sessions SET last_activity_at = {}", now.plus(MINUTE).0)).await;
        sessions.touch(&s.session, now.plus(1));
        sessions.flush().await.unwrap();
        let kept = w.text("SELECT CAST(last_activity_at AS text) FROM sessions").await.unwrap();
        assert_eq!(kept, now.plus(MINUTE).0.to_string());
    })
    .await;
}

#[tokio::test]
async fn a_sign_of_life_extends_nothing() {
    each(Settings::default(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await;
        let end = s.session.expires_at();
        w.clock.advance(HOUR);
        w.services.sessions.seen(&s.session, w.clock.now());
        w.services.sessions.flush().await.unwrap();
        assert_eq!(s.session.expires_at(), end);
        let seen = w.text("SELECT CAST(last_seen_at AS text) FROM sessions").await.unwrap();
        assert_eq!(seen, w.clock.now().0.to_string());
        assert_eq!(w.text("SELECT CAST(expires_at AS text) FROM sessions").await.unwrap(), end.0.to_string());
        // Once a minute is enough for the database; memory knows each.
        w.clock.advance(MINUTE - 1);
        w.services.sessions.seen(&s.session, w.clock.now());
        w.services.sessions.flush().await.unwrap();
        assert_eq!(s.session.last_seen(), w.clock.now());
        assert_eq!(w.text("SELECT CAST(last_seen_at AS text) FROM sessions").await.unwrap(), seen);
    })
    .await;
}

#[tokio::test]
async fn a_missing_row_harms_no_other() {
    each(unlimited(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let mut all = vec![];
        for _ in 0..30 {
            all.push(w.session(&ada).await);
        }
        w.clock.advance(MINUTE);
        for s in &all {
            w.services.sessions.touch(&s.session, w.clock.now());
        }
        let rest: Vec<String> = all[10..].iter().map(|s| s.session.id.simple().to_string()).collect();
        let list = rest.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
        let id = if w.dir.is_some() { "lower(hex(id))" } else { "replace(CAST(id AS text), '-', '')" };
        assert_eq!(w.sql(&format!("DELETE FROM sessions WHERE {id} NOT IN ({list})")).await, 10);
        w.services.sessions.flush().await.unwrap();
        let written =
            format!("SELECT CAST(count(*) AS text) FROM sessions WHERE last_activity_at = {}", w.clock.now().0);
        assert_eq!(w.text(&written).await.as_deref(), Some("20"));
    })
    .await;
}

#[tokio::test]
async fn a_database_that_stalls_holds_up_no_request_and_loses_nothing() {
    each(Settings::default(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await;
        assert!(w.opens(&s).await);
        let other = w.raw().await;
        let txn = other.begin().await.unwrap();
        txn.execute_unprepared("UPDATE counters SET value = value").await.unwrap();
        txn.execute_unprepared("UPDATE sessions SET fresh_until = fresh_until").await.unwrap();
        w.clock.advance(HOUR);
        w.services.sessions.touch(&s.session, w.clock.now());
        let sessions = w.services.sessions.clone();
        let flushing = tokio::spawn(async move { sessions.flush().await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        let started = tokio::time::Instant::now();
        for _ in 0..1_000 {
            w.clock.advance(1);
            w.services.sessions.touch(&s.session, w.clock.now());
            assert!(w.opens(&s).await);
        }
        assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
        assert!(!flushing.is_finished());
        flushing.abort();
        txn.rollback().await.unwrap();
        w.services.sessions.flush().await.unwrap();
        let kept = w.text("SELECT CAST(last_activity_at AS text) FROM sessions").await.unwrap();
        assert_eq!(kept, w.clock.now().0.to_string());
    })
    .await;
}

#[tokio::test]
async fn a_restart_knows_who_was_connected() {
    each(Settings::default(), async |w| {
        let here = w.session(&w.person("ada", "member", None).await).await;
        let gone = w.session(&w.person("bob", "member", None).await).await;
        for s in [&here, &gone] {
            s.session.set_connected(true);
        }
        w.clock.advance(MINUTE);
        w.services.sessions.seen(&here.session, w.clock.now());
        gone.session.set_connected(false);
        w.services.sessions.flush().await.unwrap();
        let next = w.another(true).await;
        let before = next.services.sessions.connected_before().await.unwrap();
        assert_eq!(before.len(), 1);
        assert_eq!((before[0].0.id, before[0].1), (here.session.id, BEGIN.plus(MINUTE)));
        let same = next.check(here.token.expose()).await.unwrap();
        assert!(Arc::ptr_eq(&same, &before[0].0), "one object per session");
        next.services.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn lists_agree_with_what_memory_knows() {
    each(Settings::default(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await;
        w.clock.advance(23 * HOUR);
        w.services.sessions.touch(&s.session, w.clock.now());
        w.clock.advance(23 * HOUR);
        assert!(w.opens(&s).await);
        assert_eq!(w.services.sessions.own(&s.session.actor()).await.unwrap().len(), 1);
        let stats = w.services.sessions.stats(&Actor::Operator).await.unwrap();
        assert_eq!((stats.now.live, stats.expired_uncleaned), (1, 0));
        assert!(w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap().ended == 0 && w.opens(&s).await);
    })
    .await;
}
