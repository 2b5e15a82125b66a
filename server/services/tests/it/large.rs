//! People by the thousand.

use std::time::{Duration, Instant};

use domain::{
    Actor, ErrorCode,
    people::{UserFilter, UserSort},
    session::{EndReason, SessionFilter, SessionSort, SessionState},
    settings::Settings,
    time::DAY,
    useragent::Kind,
};
use services::{History, Which};

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

/// 1,000,000 sessions, 100,000 of them live: first pages and exact counts of every filter within 200 ms in a release
/// build. Minutes to fill, so by hand:
/// `cargo test --release -p services --test it -- --ignored --nocapture a_million`.
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_million_sessions() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let started = Instant::now();
        let history = History { people: 50_000, live: 100_000, expired: 0, ended: 900_000 };
        sessions.load_history(&Actor::Operator, history).await.unwrap();
        println!("filled in {:?}", started.elapsed());
        if w.dir.is_none() {
            // What autovacuum does by itself within a minute or so.
            w.sql("VACUUM ANALYZE").await;
        }
        let f = SessionFilter::default;
        let some = |text: &str| Some(text.to_owned());
        let day_30 = Some(w.clock.now().plus(-30 * DAY));
        let cases = [
            ("everything", f()),
            ("user", SessionFilter { user: some("load-00500"), ..f() }),
            ("role", SessionFilter { role: some("student"), ..f() }),
            ("organisation", SessionFilter { org: some("School 03"), ..f() }),
            ("address", SessionFilter { ip: some("10.0.0.7"), ..f() }),
            ("device", SessionFilter { device: Some(Kind::Phone), ..f() }),
            ("since", SessionFilter { from: day_30, ..f() }),
            ("until", SessionFilter { to: day_30, ..f() }),
            ("common reason", SessionFilter { reason: Some(EndReason::Logout), ..f() }),
            ("seldom reason", SessionFilter { reason: Some(EndReason::UserDisabled), ..f() }),
            ("time's reason", SessionFilter { reason: Some(EndReason::IdleTimeout), ..f() }),
            ("text, few", SessionFilter { q: some("load-0123"), ..f() }),
            ("text, all", SessionFilter { q: some("load"), ..f() }),
            ("text, address", SessionFilter { q: some("10.0.0.7"), ..f() }),
            ("role and device", SessionFilter { role: some("student"), device: Some(Kind::Phone), ..f() }),
        ];
        let mut worst = Duration::ZERO;
        for (name, filter) in cases {
            for (state, label) in [(None, ""), (Some(SessionState::Live), "live"), (Some(SessionState::Ended), "ended")]
            {
                for sort in SessionSort::ALL {
                    let filter = SessionFilter { state, ..filter.clone() };
                    let mut times = vec![];
                    for _ in 0..5 {
                        let started = Instant::now();
                        let page = sessions.list(&Actor::Operator, &filter, sort, 50, None).await.unwrap();
                        times.push((started.elapsed(), page.total.unwrap()));
                    }
                    times.sort_unstable();
                    let (median, total) = times[2];
                    println!("{name} {label} by {}: {median:?} for {total}", sort.as_str());
                    worst = worst.max(median);
                }
            }
        }
        println!("worst {worst:?}");
        let started = Instant::now();
        println!("{:?}", sessions.stats(&Actor::Operator).await.unwrap());
        println!("stats {:?}", started.elapsed());
    })
    .await;
}

/// A small history, so that its shape is known: exact by state, and nothing in it is taken by a clean-up as it is.
#[tokio::test]
async fn a_history_is_as_it_was_asked_for() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let history = History { people: 90, live: 300, expired: 250, ended: 1_450 };
        sessions.load_history(&Actor::Operator, history).await.unwrap();
        let stats = sessions.stats(&Actor::Operator).await.unwrap();
        assert_eq!((stats.total, stats.now.live, stats.expired_uncleaned, stats.ended), (2_000, 300, 250, 1_450));
        assert_eq!((stats.now.by_role.values().sum::<u64>(), stats.now.by_org.values().sum::<u64>()), (300, 300));
        let of = async |reason| {
            let filter = SessionFilter { reason: Some(reason), ..SessionFilter::default() };
            sessions.count(&Actor::Operator, &filter).await.unwrap()
        };
        let mut ended = 0;
        for reason in EndReason::ALL {
            ended += of(reason).await;
        }
        assert_eq!(ended, 1_700, "time has ended those that are not cleaned up yet");
        let all = SessionFilter::default();
        let preview = sessions.revoke(&Actor::Operator, Which::Filter(all.clone()), true, true).await.unwrap();
        assert_eq!(preview, 300);
        let done = sessions.clean_up(&Actor::Operator, None).await.unwrap();
        assert_eq!((done.ended, done.deleted), (250, 0));
        assert_eq!(sessions.revoke(&Actor::Operator, Which::Filter(all), true, false).await.unwrap(), 300);
        let refused = sessions.load_history(&Actor::Operator, history).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict);
    })
    .await;
}

/// More than one transaction's worth: the preview's very number, each batch with its row in the audit log.
#[tokio::test]
async fn everybody_is_ended_in_batches() {
    each(unlimited(), async |w| {
        let sessions = &w.services.sessions;
        let made = sessions.bulk_load(&Actor::Operator, 2_300, "member", false).await.unwrap();
        let which = || Which::Filter(SessionFilter::default());
        assert_eq!(sessions.revoke(&Actor::Operator, which(), true, true).await.unwrap(), 2_300);
        assert_eq!(sessions.revoke(&Actor::Operator, which(), true, false).await.unwrap(), 2_300);
        for (_, token) in made.iter().step_by(500) {
            assert!(w.check(token.expose()).await.is_none());
        }
        let rows =
            "SELECT CAST(count(*) AS text) FROM audit WHERE action = 'sessions_revoked' AND details LIKE '% of 3%'";
        assert_eq!(w.text(rows).await.as_deref(), Some("3"));
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
