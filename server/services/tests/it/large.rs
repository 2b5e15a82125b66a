//! People by the thousand.

use std::time::Instant;

use domain::{
    Actor, ErrorCode,
    people::{UserFilter, UserSort},
    session::{SessionFilter, SessionSort, SessionState},
    settings::Settings,
};

use crate::world::{each, unlimited};

#[tokio::test]
async fn test_people_are_made_with_live_sessions() {
    each(Settings::default(), async |w| {
        let sessions = &w.services.sessions;
        let made = sessions.bulk_load(&Actor::Operator, 1_500, "member", false).await.unwrap();
        assert_eq!((made.len(), made[0].0.as_str(), made[1_499].0.as_str()), (1_500, "load-00001", "load-01500"));
        for (name, token) in made.iter().step_by(300) {
            let s = w.check(token.expose()).await.unwrap();
            assert_eq!((&s.card().username, s.card().role.as_str()), (name, "member"));
        }
        assert_eq!(
            sessions.bulk_load(&Actor::Operator, 2, "member", false).await.unwrap().len(),
            2,
            "again, for new sessions"
        );
        w.person("ada", "member", None).await;
        let refused = sessions.bulk_load(&Actor::Operator, 1, "member", false).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict);
        assert!(sessions.bulk_load(&Actor::Operator, 1, "member", true).await.is_ok());
    })
    .await;
}

/// 1,000,000 sessions, 100,000 of them live and 50,000 over but not cleaned up: first pages and exact counts within
/// 200 ms in a release build, and by the right indexes. Minutes to fill, so by hand:
/// `cargo test --release -p services --test it -- --ignored --nocapture a_million`.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_million_sessions() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        sessions.bulk_load(&Actor::Operator, 100_000, "member", false).await.unwrap();
        let hash = if w.dir.is_some() {
            ("randomblob(32)", "randomblob(16)")
        } else {
            ("sha256(gen_random_uuid()::text::bytea)", "gen_random_uuid()")
        };
        for n in 1..=9 {
            let back = n * 200_000_000_i64;
            let (end, reason) = if n == 9 {
                ("NULL", "NULL")
            } else {
                ("expires_at - 43200000", "'logout'")
            };
            let limit = if n == 9 { "WHERE idle_ms > 0 AND ended_at IS NULL LIMIT 50000" } else { "WHERE ended_at IS NULL LIMIT 106250" };
            w.sql(&format!(
                "INSERT INTO sessions (id, token_hash, user_id, created_at, last_activity_at, last_seen_at, idle_ms, \
                 absolute_expires_at, expires_at, fresh_until, remembered, connected, ip, browser, os, device, ended_at, \
                 ended_reason, ended_by) SELECT {}, {}, user_id, created_at - {back}, last_activity_at - {back}, \
                 last_seen_at - {back}, idle_ms, absolute_expires_at - {back}, expires_at - {back}, fresh_until, \
                 remembered, connected, ip, browser, os, device, {end} - {back}, {reason}, NULL FROM sessions {limit}",
                hash.1, hash.0
            ))
            .await;
        }
        let stats = sessions.stats(&Actor::Operator).await.unwrap();
        println!("{stats:?}");
        let f = SessionFilter::default;
        let cases = [
            ("all", f()),
            ("live", SessionFilter { state: Some(SessionState::Live), ..f() }),
            ("ended", SessionFilter { state: Some(SessionState::Ended), ..f() }),
            ("live q", SessionFilter { state: Some(SessionState::Live), q: Some("load-0123".into()), ..f() }),
            ("role", SessionFilter { role: Some("member".into()), ..f() }),
            ("ended q", SessionFilter { state: Some(SessionState::Ended), q: Some("load-0123".into()), ..f() }),
            ("user", SessionFilter { user: Some("load-00500".into()), ..f() }),
            ("ip", SessionFilter { ip: Some("10.0.0.1".into()), ..f() }),
        ];
        for (name, filter) in cases {
            for sort in [SessionSort::Started, SessionSort::Activity] {
                let mut times = vec![];
                for _ in 0..20 {
                    let started = Instant::now();
                    let page = sessions.list(&Actor::Operator, &filter, sort, 50, None).await.unwrap();
                    times.push((started.elapsed(), page.total));
                }
                times.sort_unstable();
                println!("{name} {sort:?}: median {:?} worst {:?} of {:?}", times[10].0, times[19].0, times[0].1);
            }
        }
        let started = Instant::now();
        sessions.stats(&Actor::Operator).await.unwrap();
        println!("stats {:?}", started.elapsed());
    })
    .await;
}

/// 100,000 people: first pages, exact counts and searches in every order within 100 ms in a release build. Minutes to
/// fill, so by hand: `cargo test --release -p services --test it -- --ignored --nocapture a_hundred_thousand`.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_hundred_thousand_people() {
    each(unlimited(), async |w| {
        let accounts = &w.services.accounts;
        w.services.sessions.bulk_load(&Actor::Operator, 100_000, "member", false).await.unwrap();
        for n in 0..5 {
            w.person(&format!("chief-{n}"), "admin", Some("North")).await;
        }
        let f = UserFilter::default;
        let cases = [
            ("all", f()),
            ("few by name", UserFilter { q: Some("load-0123".into()), ..f() }),
            ("many by name", UserFilter { q: Some("load-".into()), ..f() }),
            ("nobody", UserFilter { q: Some("zzz".into()), ..f() }),
            ("many of a role", UserFilter { role: Some("member".into()), ..f() }),
            ("few of a role", UserFilter { role: Some("admin".into()), ..f() }),
            ("organisation", UserFilter { org: Some("North".into()), ..f() }),
            ("disabled", UserFilter { disabled: Some(true), ..f() }),
            ("dormant", UserFilter { signed_in_before: Some(w.clock.now()), ..f() }),
            ("offline", UserFilter { state: Some(domain::presence::State::Offline), ..f() }),
        ];
        for (name, filter) in cases {
            for sort in UserSort::ALL {
                let mut times = vec![];
                for _ in 0..10 {
                    let started = Instant::now();
                    let page = accounts.list(&Actor::Operator, &filter, sort, 50, None).await.unwrap();
                    times.push((started.elapsed(), page.total));
                }
                times.sort_unstable();
                println!("{name} {sort:?}: median {:?} worst {:?} of {:?}", times[5].0, times[9].0, times[0].1);
            }
        }
    })
    .await;
}
