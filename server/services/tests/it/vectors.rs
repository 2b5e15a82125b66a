//! The numbers people are shown, by the vectors that say what they mean, through what writes and reads them. V2 and V13
//! are beside the events they are about, V9 beside the traffic; V15 for all tables at once is beside the writer.

use std::time::Duration;

use domain::{
    Actor, Time,
    activity::{Change, Visit, lengths},
    settings::{Lifetimes, Settings},
    time::{DAY, MINUTE, SECOND},
    traffic::Seen,
};
use services::{SignedIn, traffic::Range};

use crate::world::{World, each, unlimited};

const IP: &str = "192.0.2.9";

fn at(w: &World, text: &str) {
    to(w, Time::parse(text).unwrap());
}

fn to(w: &World, at: Time) {
    w.clock.advance(at.since(w.clock.now()));
}

async fn number(w: &World, text: &str) -> i64 {
    w.text(&format!("SELECT CAST(({text}) AS text)")).await.unwrap().parse().unwrap()
}

/// V1 through the writer, as it is told and in other orders, in one batch and in one for each event (V15).
#[tokio::test]
async fn v1_visits_in_whatever_order_they_are_told() {
    each(unlimited(), async |w| {
        for (n, order) in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 4, 5, 2, 1]].into_iter().enumerate() {
            let [a, b] =
                [w.person(&format!("a{n}"), "member", None).await, w.person(&format!("b{n}"), "member", None).await];
            let who: [SignedIn; 2] = [w.session(&a).await, w.session(&b).await];
            // Long after the sign-ins, which are visits of their own.
            w.clock.advance(DAY);
            let begin = w.clock.now();
            for i in order {
                let (of, minute, is_view) =
                    [(0, 0, true), (0, 5, true), (0, 20, false), (0, 50, true), (0, 81, true), (1, 0, true)][i];
                to(w, begin.plus(minute * MINUTE));
                let (activity, s) = (&w.services.activity, &who[of].session);
                if is_view { activity.page_seen(s, IP, "/", None) } else { activity.done(s, IP, "saved", None) }
                    .unwrap();
                if n > 0 {
                    activity.flush().await.unwrap();
                }
            }
            let mut found: Vec<Visit> = vec![];
            for s in &who {
                found.extend(w.services.activity.own_visits(&s.session.actor(), begin).await.unwrap());
            }
            let of: Vec<_> = found.iter().map(|v| (v.length() / SECOND, v.events)).collect();
            assert_eq!(of, [(3_000, 4), (0, 1), (0, 1)], "{order:?}");
            let l = lengths(&found);
            assert_eq!((l.mean, l.median), (1_000 * SECOND, 0));
            assert_eq!(found.iter().filter(|v| v.is_bounce()).count(), 2);
            let day = format!(
                "SELECT sum(active_s) FROM user_day d JOIN users u ON u.id = d.user_id WHERE u.username LIKE '%{n}'"
            );
            assert_eq!(number(w, &day).await, 3_000);
            w.clock.advance(DAY);
        }
    })
    .await;
}

/// A visit over midnight is cut there, by the days of the zone, and again by those of another.
#[tokio::test]
async fn active_seconds_are_of_the_zones_days() {
    each(unlimited(), async |w| {
        at(w, "2027-03-01T22:30:00Z");
        let s = w.session(&w.person("ada", "member", None).await).await;
        for _ in 0..5 {
            w.clock.advance(20 * MINUTE);
            w.services.activity.page_seen(&s.session, IP, "/", None).unwrap();
            w.services.activity.flush().await.unwrap();
        }
        let all = "SELECT CAST(count(*) AS text) || ':' || CAST(min(active_s) AS text) || ',' || CAST(max(active_s) AS text) FROM user_day";
        assert_eq!(w.text(all).await.as_deref(), Some("2:600,5400"));
        let berlin = Settings { zone: "Europe/Berlin".to_owned(), ..unlimited() };
        let next = w.another_with(berlin, true).await;
        counted(w, "Europe/Berlin").await;
        assert_eq!(w.text(all).await.as_deref(), Some("2:1800,4200"));
        // Their events may go: what was counted of them stays.
        w.sql("DELETE FROM events").await;
        assert_eq!(number(w, "SELECT sum(active_s) FROM user_day").await, 6_000);
        assert_eq!(number(w, "SELECT count(*) FROM visits").await, 1);
        next.services.store.close().await;
    })
    .await;
}

async fn counted(w: &World, zone: &str) {
    let state = format!("SELECT count(*) FROM activity_days WHERE zone = '{zone}' AND from_day IS NULL");
    while number(w, &state).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The visits that a database without them is given are those it would have.
#[tokio::test]
async fn a_database_from_before_gets_the_same_visits() {
    each(unlimited(), async |w| {
        for name in ["ada", "bob"] {
            let s = w.session(&w.person(name, "member", None).await).await;
            for minutes in [1, 29, 30, 31, 0, 600, 20, 45] {
                w.clock.advance(minutes * MINUTE);
                w.services.activity.page_seen(&s.session, IP, "/", None).unwrap();
            }
            w.services.activity.done(&s.session, IP, "saved", None).unwrap();
        }
        w.services.activity.flush().await.unwrap();
        let visits = "SELECT string_agg(t, ' ') FROM (SELECT CAST(from_at AS text) || CAST(to_at AS text) || ':' || \
                      CAST(first_seq AS text) || CAST(session_id = (SELECT session_id FROM events WHERE seq = first_seq) AS text) || \
                      CAST(events AS text) || CAST(views AS text) || CAST(actions AS text) AS t FROM visits ORDER BY 1) x";
        let days = "SELECT string_agg(t, ' ') FROM (SELECT CAST(day AS text) || ':' || CAST(active_s AS text) AS t FROM user_day ORDER BY 1) x";
        let before = (w.text(visits).await, w.text(days).await);
        assert_eq!(number(w, "SELECT count(*) FROM visits").await, 8);
        for text in [
            "DROP TABLE visits",
            "ALTER TABLE user_day DROP COLUMN active_s",
            "DELETE FROM seaql_migrations WHERE version = 'm0019_visits'",
        ] {
            w.sql(text).await;
        }
        let next = w.another(true).await;
        counted(w, "UTC").await;
        assert_eq!((w.text(visits).await, w.text(days).await), before);
        next.services.store.close().await;
    })
    .await;
}

/// V8, with the cards' ten seconds: the mean and the percentiles are those of five requests.
#[tokio::test]
async fn v8_traffic() {
    each(unlimited(), async |w| {
        let (begin, traffic) = (w.clock.now(), &w.services.traffic);
        for (at, ms) in [(0, 12), (200, 20), (900, 40), (1_100, 8), (3_000, 120)] {
            to(w, begin.plus(at));
            traffic.record(&Seen { route: "GET /", status: 200, took_us: ms * 1_000, asker: None, bot: false });
        }
        to(w, begin.plus(5 * SECOND));
        let near = |value: Option<f64>, exact: f64| (value.unwrap() - exact).abs() <= exact * 0.02;
        let now = traffic.current(&Actor::Operator).await.unwrap().figures;
        assert!((now.current_rps - 0.5).abs() < 1e-9 && now.requests_today == 5, "{now:?}");
        assert!(near(now.avg_response_ms, 40.0) && near(now.p50_response_ms, 20.0) && near(now.p95_response_ms, 120.0));
        traffic.flush().await.unwrap();
        let next = w.another(true).await;
        let kept = next.services.traffic.shown(&Actor::Operator, Range::Day).await.unwrap().report.total.durations;
        assert_eq!((kept.n(), kept.mean_ms()), (5, Some(40.0)));
        assert!(near(kept.quantile_ms(0.5), 20.0) && near(kept.quantile_ms(0.95), 120.0));
        next.services.store.close().await;
    })
    .await;
}

/// V10: how long sessions were, whenever it was noticed that they had run out.
#[tokio::test]
async fn v10_lengths_of_sessions() {
    let lifetimes = Lifetimes { idle: 30 * MINUTE, ..Lifetimes::default() };
    each(Settings { lifetimes, ..unlimited() }, async |w| {
        let (sessions, ada) = (&w.services.sessions, w.person("ada", "member", None).await);
        at(w, "2027-03-01T09:00:00Z");
        let first = w.session(&ada).await;
        for minute in ["09:20", "09:40"] {
            at(w, &format!("2027-03-01T{minute}:00Z"));
            sessions.touch(&first.session, w.clock.now());
        }
        sessions.sign_out(&first.session.actor(), &first.session).await.unwrap();
        at(w, "2027-03-01T10:00:00Z");
        let second = w.session(&ada).await;
        at(w, "2027-03-01T10:10:00Z");
        sessions.touch(&second.session, w.clock.now());
        sessions.flush().await.unwrap();
        at(w, "2027-03-01T10:40:00Z");
        assert_eq!(sessions.clean_up(&Actor::Operator, None).await.unwrap().ended, 1);
        at(w, "2027-03-01T11:00:00Z");
        w.session(&ada).await;
        at(w, "2027-03-01T11:30:00Z");
        assert_eq!(sessions.clean_up(&Actor::Operator, None).await.unwrap().ended, 1);
        at(w, "2027-03-01T12:00:00Z");
        w.session(&ada).await;
        let stats = sessions.stats(&Actor::Operator).await.unwrap();
        assert_eq!((stats.average_seconds, stats.median_seconds), (Some(1_000.0), Some(600.0)));
        assert_eq!((stats.ended, stats.now.live), (3, 1));
        let took = "SELECT CAST(dur_ms AS text) FROM events WHERE kind = 'logout'";
        assert_eq!(w.text(took).await.as_deref(), Some("2400000"), "told with the sign-out, too");
    })
    .await;
}

/// V14, of people of two days as they are read, and of the bounces among visits.
#[tokio::test]
async fn v14_change() {
    each(unlimited(), async |w| {
        at(w, "2027-03-01T12:00:00Z");
        let mut all = vec![];
        for n in 0..120 {
            all.push(w.session(&w.person(&format!("p{n}"), "member", None).await).await);
        }
        // Signed in the day before all that is compared.
        let mut said = vec![];
        for (day, people) in [(3, 100), (4, 120), (5, 0), (6, 5), (7, 0)] {
            at(w, &format!("2027-03-0{day}T12:00:00Z"));
            for s in &all[..people] {
                w.services.activity.page_seen(&s.session, IP, "/", None).unwrap();
            }
            let today = w.services.activity.today(&Actor::Operator, 1).await.unwrap();
            assert_eq!(today.active, people as u64);
            said.push(Change::of_counts(today.active_before, today.active).text());
        }
        assert_eq!(said, ["new", "+20 %", "−100 %", "new", "−100 %"]);
        // Two visits of five are bounces, then one of two.
        let (s, mut shares) = (&all[0].session, vec![]);
        for bounces in [&[true, true, false, false, false][..], &[true, false]] {
            w.clock.advance(DAY);
            let since = w.clock.now();
            for bounce in bounces {
                w.clock.advance(31 * MINUTE);
                w.services.activity.page_seen(s, IP, "/", None).unwrap();
                if !bounce {
                    w.services.activity.done(s, IP, "saved", None).unwrap();
                }
            }
            let visits = w.services.activity.own_visits(&s.actor(), since).await.unwrap();
            let n = visits.iter().filter(|v| v.is_bounce()).count();
            shares.push(n as f64 / visits.len() as f64 * 100.0);
        }
        assert_eq!(Change::of_percentages(shares[0], shares[1]).text(), "+10 pt");
    })
    .await;
}
