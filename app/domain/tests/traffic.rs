//! Numbers of traffic: V8 and V9 of what numbers mean, and what may be added up.

use domain::{
    Time,
    access::Reach,
    time::{HOUR, MINUTE, SECOND},
    traffic::{Asker, Callers, Durations, Recent, Report, Row, SLOT, Seen, Series, Slots, Tally, class, slot_of},
};
use proptest::prelude::*;
use uuid::Uuid;

const BEGIN: Time = Time(1_800_000_000_000);

fn seen(route: &str, status: u16, ms: u64) -> Seen<'_> {
    Seen { route, status, took_us: ms * 1_000, asker: None, bot: false }
}

fn is_near(value: Option<f64>, exact: f64) -> bool {
    value.is_some_and(|v| (v - exact).abs() <= exact * 0.02)
}

/// V8: five requests over five seconds.
#[test]
fn v8_rate_mean_and_percentiles() {
    let mut recent = Recent::default();
    for (at, ms) in [(0, 12), (200, 20), (900, 40), (1_100, 8), (3_000, 120)] {
        recent.record(BEGIN.plus(at), &seen("GET /", 200, ms));
    }
    let point = recent.last(BEGIN.plus(5 * SECOND), 5);
    assert_eq!((point.requests, point.rps, point.avg_ms), (5, 1.0, Some(40.0)));
    assert!(is_near(point.p50_ms, 20.0) && is_near(point.p95_ms, 120.0), "{point:?}");
    // What was asked just now counts at once, over the time there was.
    recent.record(BEGIN.plus(5_500), &seen("GET /", 500, 1));
    let point = recent.last(BEGIN.plus(5_500), 5);
    assert_eq!((point.requests, point.errors, point.refused), (6, 1, 0));
    assert!((point.rps - 6.0 / 5.5).abs() < 1e-9);
}

/// V9: 100 requests of 10 ms and one of 1000 ms are 19.8 ms, by whatever way they are added up.
#[test]
fn v9_a_mean_is_never_a_mean_of_means() {
    let (mut a, mut b) = (Durations::default(), Durations::default());
    (0..100).for_each(|_| a.record(10_000));
    b.record(1_000_000);
    a.add(&b);
    let near = |mean: Option<f64>| (mean.unwrap() - 19.801).abs() < 0.001;
    assert!(near(a.mean_ms()));

    let mut recent = Recent::default();
    let row =
        |slot: Time, durations: &Durations| Row { slot, route: "GET /".into(), class: 2, durations: durations.clone() };
    let mut minute = Durations::default();
    for _ in 0..100 {
        recent.record(BEGIN, &seen("GET /", 200, 10));
        minute.record(10_000);
    }
    recent.record(BEGIN.plus(MINUTE), &seen("GET /", 200, 1_000));
    assert!(near(recent.last(BEGIN.plus(2 * MINUTE), 120).avg_ms));

    let from = slot_of(BEGIN);
    let report = Report::of(
        [row(from, &minute), row(from.plus(SLOT), &b)],
        from,
        from.plus(2 * SLOT),
        2 * SLOT,
        from.plus(SLOT),
    );
    let rate = 101.0 * 1_000.0 / SLOT as f64;
    assert!((report.points[0].rps - rate).abs() < 1e-9, "a step that goes on is as long as it has lasted");
    assert!(near(report.points[0].avg_ms) && near(report.total.durations.mean_ms()));
    assert!(near(report.routes[0].durations.mean_ms()));
    assert!(is_near(report.points[0].p50_ms, 10.0) && is_near(report.routes[0].durations.quantile_ms(1.0), 1_000.0));
}

proptest! {
    /// Percentiles are those of the values by nearest rank, within a bucket, also after a way through the database.
    #[test]
    fn percentiles_are_near(mut values in prop::collection::vec(1_u64..600_000_000, 1..400), q in 0.01_f64..=1.0) {
        let mut whole = Durations::default();
        let (mut odd, mut even) = (Durations::default(), Durations::default());
        for (i, v) in values.iter().enumerate() {
            whole.record(*v);
            if i % 2 == 0 { even.record(*v) } else { odd.record(*v) }
        }
        even.add(&Durations::stored(odd.n(), odd.sum_us(), odd.max_us(), &odd.to_bytes()));
        values.sort_unstable();
        let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
        let exact = values[rank - 1] as f64 / 1_000.0;
        for d in [&whole, &even] {
            prop_assert!((d.quantile_ms(q).unwrap() - exact).abs() <= exact * 0.02 + 0.001, "{:?} {exact}", d.quantile_ms(q));
            prop_assert_eq!((d.n(), d.sum_us(), d.max_us()), (whole.n(), whole.sum_us(), whole.max_us()));
        }
    }

    /// Nothing is lost or counted twice between the steps of a series.
    #[test]
    fn a_series_adds_up(times in prop::collection::vec(0_i64..600_000, 0..200), step in 1_i64..90) {
        let mut times = times;
        times.sort_unstable();
        let mut recent = Recent::default();
        for t in &times {
            recent.record(BEGIN.plus(*t), &seen("GET /", 200, 5));
        }
        let now = BEGIN.plus(600 * SECOND + 90 * SECOND);
        let points = recent.series(now, step, 700 / step + 2);
        prop_assert_eq!(points.iter().map(|p| p.requests).sum::<u64>(), times.len() as u64);
        prop_assert!(points.windows(2).all(|p| p[1].at.since(p[0].at) == step * SECOND));
    }
}

#[test]
fn nothing_has_no_mean() {
    let point = Recent::default().last(BEGIN, 10);
    assert_eq!((point.requests, point.rps, point.avg_ms, point.p95_ms), (0, 0.0, None, None));
    // A blob nobody can read costs the percentiles, not the mean.
    let harmed = Durations::stored(2, 10_000, 6_000, b"nonsense");
    assert_eq!((harmed.n(), harmed.mean_ms(), harmed.max_ms()), (2, Some(5.0), Some(6.0)));
}

#[test]
fn what_is_no_request_stands_apart() {
    let mut tally = Tally::default();
    let asker = Some(Asker { user: Uuid::from_u128(1), organisation: None });
    tally.record(&seen("GET /pkg/{*path}", 404, 1));
    tally.record(&seen("GET /socket/websocket", 101, 1));
    tally.record(&seen("HEAD /health/live", 200, 1));
    tally.record(&Seen { asker, ..seen("GET /api/v1/session", 200, 1) });
    tally.record(&seen("GET /login", 200, 1));
    tally.record(&Seen { bot: true, ..seen("not found", 404, 1) });
    let p = tally.point(BEGIN, SECOND);
    assert_eq!((p.requests, p.errors, p.refused, p.anonymous, p.bots), (3, 0, 1, 1, 1));
    assert_eq!((p.files, p.sockets, p.health), (1, 1, 1));
    assert_eq!(Series::of("GET /sockets-and-shoes"), Series::Requests);
    assert_eq!([0, 101, 204, 302, 404, 503, 999].map(class), [1, 1, 2, 3, 4, 5, 5]);
}

#[test]
fn only_an_hour_of_seconds_is_kept() {
    let mut recent = Recent::default();
    for second in 0..4_000 {
        recent.record(BEGIN.plus(second * SECOND), &seen("GET /", 200, 1));
    }
    let now = BEGIN.plus(4_000 * SECOND);
    assert!((3_600..=3_602).contains(&recent.last(now, 9_999).requests), "{}", recent.last(now, 9_999).requests);
    // A clock that was set back does no harm.
    recent.record(BEGIN, &seen("GET /", 200, 1));
    assert_eq!(recent.newest(now).requests, 2);
}

#[test]
fn slots_are_written_once_they_changed_and_let_go_once_they_are_over() {
    let mut slots = Slots::default();
    slots.record(BEGIN, &seen("GET /", 200, 1));
    slots.record(BEGIN, &seen("GET /", 404, 1));
    slots.record(BEGIN, &seen("GET /", 200, 3));
    let mut rows = slots.changed();
    rows.sort_by_key(|r| r.class);
    let is = |r: &Row| (r.slot, r.class, r.durations.n());
    assert_eq!(rows.iter().map(is).collect::<Vec<_>>(), [(slot_of(BEGIN), 2, 2), (slot_of(BEGIN), 4, 1)]);
    slots.wrote(&rows, BEGIN);
    assert!(slots.changed().is_empty() && slots.rows().len() == 2);
    // What came while it was written is written again, whole.
    slots.record(BEGIN, &seen("GET /", 200, 5));
    let again = slots.changed();
    assert_eq!(again.iter().map(is).collect::<Vec<_>>(), [(slot_of(BEGIN), 2, 3)]);
    let later = BEGIN.plus(HOUR);
    slots.wrote(&rows, later);
    assert_eq!(slots.changed().len(), 1, "not written yet, so not let go");
    slots.wrote(&again, later);
    assert!(slots.rows().is_empty());
    // After a restart within the slot it goes on where it was.
    for row in again {
        slots.load(row);
    }
    assert!(slots.changed().is_empty());
    slots.record(BEGIN, &seen("GET /", 200, 7));
    assert_eq!((slots.changed()[0].durations.n(), slots.changed()[0].durations.sum_us()), (4, 16_000));
}

#[test]
fn callers_are_counted_for_an_hour() {
    let (mut callers, [a, b, north, south]) = (Callers::default(), [1, 2, 3, 4].map(Uuid::from_u128));
    let [of_a, of_b] = [(a, north), (b, south)].map(|(user, o)| Asker { user, organisation: Some(o) });
    callers.record(BEGIN, of_a);
    callers.record(BEGIN.plus(10 * MINUTE), of_a);
    callers.record(BEGIN.plus(10 * MINUTE), of_b);
    let all = Reach::Everything;
    assert_eq!(callers.top(BEGIN.plus(10 * MINUTE), all, 9), [(a, 2), (b, 1)]);
    for (reach, expected) in [(Reach::Organisation(south), vec![(b, 1)]), (Reach::Nothing, vec![])] {
        assert_eq!(callers.top(BEGIN.plus(10 * MINUTE), reach, 1), expected);
    }
    assert_eq!(callers.top(BEGIN.plus(60 * MINUTE), all, 9), [(a, 1), (b, 1)]);
    assert_eq!(callers.top(BEGIN.plus(60 * MINUTE), all, 1), [(a, 1)]);
    callers.record(BEGIN.plus(69 * MINUTE), of_b);
    assert_eq!(callers.top(BEGIN.plus(69 * MINUTE), all, 9), [(b, 2), (a, 1)]);
    callers.record(BEGIN.plus(5 * HOUR), of_b);
    assert_eq!(callers.top(BEGIN.plus(5 * HOUR), all, 9), [(b, 1)]);
}

#[test]
fn slots_begin_where_they_should() {
    let at = Time::parse("2026-03-02T14:37:12.345Z").unwrap();
    assert_eq!(slot_of(at).to_string(), "2026-03-02T14:30:00.000Z");
    assert_eq!(slot_of(slot_of(at)), slot_of(at));
}
