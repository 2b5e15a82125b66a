//! When a schedule is due, and of which period.

use super::Every;
use crate::{
    Time,
    activity::{Day, Zone},
};

/// No period has more days.
const DAYS: i64 = 31;

impl Every {
    /// Whether a period begins on this day.
    fn begins(self, day: Day) -> bool {
        match self {
            Self::Day => true,
            Self::Week => day.is_monday(),
            Self::Month => day.is_first(),
        }
    }

    /// The first time after `now` at which it is due, at this minute of the day.
    pub fn next(self, zone: Zone, minute: i64, now: Time) -> Time {
        let today = zone.day(now).0;
        let days = (today..=today + DAYS + 1).map(Day).filter(|day| self.begins(*day));
        let mut times = days.map(|day| zone.at(day, minute));
        times.find(|at| *at > now).unwrap_or_else(|| zone.next(minute, now))
    }

    /// The newest whole period that was over when it was due last: its first day and its last. Of several that were
    /// missed, it is the last one.
    pub fn period(self, zone: Zone, minute: i64, now: Time) -> (Day, Day) {
        let today = zone.day(now).0;
        let due = (0..=DAYS + 1).map(|n| Day(today - n)).find(|day| self.begins(*day) && zone.at(*day, minute) <= now);
        let due = due.unwrap_or(Day(today));
        let first = (1..=DAYS).map(|n| Day(due.0 - n)).find(|day| self.begins(*day)).unwrap_or(Day(due.0 - 1));
        (first, Day(due.0 - 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn each_is_due_when_its_period_is_over() {
        let berlin = zone("Europe/Berlin");
        for (every, now, next, first, last) in [
            // 2026-03-29 has 23 hours there; six o'clock is six o'clock.
            (Every::Day, "2026-03-28T06:00:00Z", "2026-03-29T04:00:00Z", "2026-03-27", "2026-03-27"),
            (Every::Day, "2026-03-29T04:00:00Z", "2026-03-30T04:00:00Z", "2026-03-28", "2026-03-28"),
            (Every::Week, "2026-11-22T12:00:00Z", "2026-11-23T05:00:00Z", "2026-11-09", "2026-11-15"),
            (Every::Week, "2026-11-23T05:00:00Z", "2026-11-30T05:00:00Z", "2026-11-16", "2026-11-22"),
            (Every::Week, "2026-11-23T04:59:59Z", "2026-11-23T05:00:00Z", "2026-11-09", "2026-11-15"),
            (Every::Month, "2026-01-31T12:00:00Z", "2026-02-01T05:00:00Z", "2025-12-01", "2025-12-31"),
            (Every::Month, "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z", "2026-02-01", "2026-02-28"),
        ] {
            let now = at(now);
            assert_eq!(every.next(berlin, 360, now), at(next), "{every:?} {now}");
            let (a, b) = every.period(berlin, 360, now);
            assert_eq!((a.to_string().as_str(), b.to_string().as_str()), (first, last), "{every:?} {now}");
        }
    }

    #[test]
    fn what_was_missed_for_weeks_is_the_last_one() {
        let (first, last) = Every::Day.period(Zone::default(), 360, at("2026-11-22T12:00:00Z"));
        assert_eq!((first.to_string(), last.to_string()), ("2026-11-21".into(), "2026-11-21".into()));
    }

    proptest! {
        #[test]
        fn periods_follow_each_other(ms in 1_000_000_000_000_i64..2_000_000_000_000, minute in 0_i64..1_440, which in 0_usize..12) {
            let every = Every::ALL[which % 3];
            let zone = zone(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia"][which / 3]);
            let now = Time(ms);
            let next = every.next(zone, minute, now);
            prop_assert!(next > now && every.next(zone, minute, Time(next.0 - 1)) == next);
            // Over when it is due, and the one after it begins where it ends.
            let (first, last) = every.period(zone, minute, now);
            prop_assert!(first <= last && zone.span(last).1 <= now);
            let (after, _) = every.period(zone, minute, next);
            prop_assert_eq!(after.0, last.0 + 1);
        }
    }
}
