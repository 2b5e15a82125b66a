//! Days of a zone: 23, 24 or 25 hours, as its clocks are set.

use std::fmt;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::Time;

/// A zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// A day of some zone, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

/// `num_days_from_ce` of 1970-01-01.
const EPOCH: i64 = 719_163;

impl Day {
    fn of(date: NaiveDate) -> Self {
        Self(i64::from(date.num_days_from_ce()) - EPOCH)
    }

    /// Such as `2026-03-02`, or nothing.
    pub fn parse(text: &str) -> Option<Self> {
        Some(text).filter(|t| t.len() == 10)?.parse().ok().map(Self::of)
    }

    pub(crate) fn is_monday(self) -> bool {
        self.date().weekday() == Weekday::Mon
    }

    /// Of its month.
    pub(crate) fn is_first(self) -> bool {
        self.date().day() == 1
    }

    fn date(self) -> NaiveDate {
        i32::try_from(self.0 + EPOCH).ok().and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or_default()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Zone {
    /// By its name, such as `Europe/Berlin`.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The day an instant falls on.
    pub fn day(self, at: Time) -> Day {
        let utc = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        Day::of(utc.with_timezone(&self.0).date_naive())
    }

    /// An instant as its clocks show it, with how far they are from UTC (RFC 3339): `2026-03-02T09:00:00.000+01:00`.
    pub fn local(self, at: Time) -> String {
        let utc = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        utc.with_timezone(&self.0).to_rfc3339_opts(SecondsFormat::Millis, false)
    }

    /// When the day begins: at midnight, or where the clocks leave midnight out, as soon as they say that it is that day.
    pub fn begin(self, day: Day) -> Time {
        self.at(day, 0)
    }

    /// When the clocks show this minute of the day; where they leave it out, as soon as they have gone past it.
    pub(crate) fn at(self, day: Day, minute: i64) -> Time {
        let mut local = day.date().and_time(NaiveTime::MIN) + TimeDelta::minutes(minute);
        // All changes of clocks are of whole quarters of an hour; one zone once left a whole day out.
        for _ in 0..=2 * 24 * 4 {
            if let Some(at) = self.0.from_local_datetime(&local).earliest() {
                return Time(at.timestamp_millis());
            }
            local += TimeDelta::minutes(15);
        }
        Time(local.and_utc().timestamp_millis())
    }

    /// The first time after `now` at which the clocks show this minute of a day.
    pub fn next(self, minute: i64, now: Time) -> Time {
        let today = self.day(now);
        let days = [today, Day(today.0 + 1)].map(|day| self.at(day, minute));
        days.into_iter().find(|at| *at > now).unwrap_or_else(|| self.at(Day(today.0 + 2), minute))
    }

    /// From its first instant to that of the next day.
    pub fn span(self, day: Day) -> (Time, Time) {
        let next = Day::of(day.date().checked_add_days(Days::new(1)).unwrap_or_default());
        (self.begin(day), self.begin(next))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::HOUR;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    /// The number of people of each of three days.
    fn v2(name: &str) -> [Vec<char>; 3] {
        let told = [
            ('a', "2026-03-01T22:30:00Z"),
            ('a', "2026-03-01T23:30:00Z"),
            ('b', "2026-03-02T10:00:00Z"),
            ('c', "2026-03-02T23:30:00Z"),
        ];
        ["2026-03-01", "2026-03-02", "2026-03-03"].map(|day| {
            let on = told.iter().filter(|(_, t)| zone(name).day(at(t)).to_string() == day);
            let mut who: Vec<char> = on.map(|(who, _)| *who).collect();
            who.dedup();
            who
        })
    }

    #[test]
    fn v2_days_are_of_the_zone() {
        assert_eq!(v2("UTC"), [vec!['a'], vec!['b', 'c'], vec![]]);
        assert_eq!(v2("Europe/Berlin"), [vec!['a'], vec!['a', 'b'], vec!['c']]);
        assert_eq!(v2("America/New_York"), [vec!['a'], vec!['b', 'c'], vec![]]);
    }

    #[test]
    fn v4_days_are_as_long_as_clocks_make_them() {
        for (name, day, from, hours) in [
            ("Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23),
            ("Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25),
            ("Asia/Kolkata", "2026-05-05T12:00:00Z", "2026-05-04T18:30:00Z", 24),
            // Midnight is left out, comes twice, and a whole day is left out.
            ("America/Sao_Paulo", "2017-10-15T12:00:00Z", "2017-10-15T03:00:00Z", 23),
            ("America/Havana", "2025-11-02T12:00:00Z", "2025-11-02T04:00:00Z", 25),
        ] {
            let zone = zone(name);
            let (begin, end) = zone.span(zone.day(at(day)));
            assert_eq!((begin, end.since(begin)), (at(from), hours * HOUR), "{name} {day}");
        }
        let apia = zone("Pacific/Apia");
        let left_out = Day(apia.day(at("2011-12-29T12:00:00Z")).0 + 1);
        assert_eq!((left_out.to_string().as_str(), apia.span(left_out).0), ("2011-12-30", apia.span(left_out).1));
    }

    #[test]
    fn times_of_day_are_the_clocks() {
        for (name, now, next) in [
            ("UTC", "2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z"),
            ("Europe/Berlin", "2026-03-28T07:30:00Z", "2026-03-29T06:00:00Z"),
            ("America/New_York", "2026-03-02T08:00:00Z", "2026-03-02T13:00:00Z"),
            ("Asia/Kolkata", "2026-03-02T02:00:00Z", "2026-03-02T02:30:00Z"),
        ] {
            assert_eq!(zone(name).next(8 * 60, at(now)), at(next), "{name} {now}");
        }
        // Half past two is left out in spring, and comes twice in autumn: then the first counts.
        let berlin = zone("Europe/Berlin");
        assert_eq!(berlin.next(150, at("2026-03-29T00:00:00Z")), at("2026-03-29T01:00:00Z"));
        assert_eq!(berlin.next(150, at("2026-10-25T00:00:00Z")), at("2026-10-25T00:30:00Z"));
        assert_eq!(berlin.next(150, at("2026-10-25T00:30:00Z")), at("2026-10-26T01:30:00Z"));
    }

    #[test]
    fn zones_have_names() {
        assert_eq!(Zone::parse("Europe/Berlin").map(Zone::name), Some("Europe/Berlin"));
        assert!(Zone::parse("Berlin").is_none() && Zone::parse("").is_none() && Zone::parse("+01:00").is_none());
        assert_eq!(Zone::default().name(), "UTC");
        assert_eq!(zone("Europe/Berlin").local(at("2026-07-01T22:30:00Z")), "2026-07-02T00:30:00.000+02:00");
        assert_eq!(Day::parse("1970-01-02"), Some(Day(1)));
        assert_eq!(["2026-02-30", "", "2026-3-1", "tomorrow!!"].map(Day::parse), [None; 4]);
    }

    proptest! {
        #[test]
        fn every_instant_is_in_its_day(ms in 0_i64..4_000_000_000_000, which in 0_usize..6) {
            let names = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Havana"];
            let zone = zone(names[which]);
            let day = zone.day(Time(ms));
            let (begin, end) = zone.span(day);
            prop_assert!(begin.0 <= ms && ms < end.0, "{} {day}", zone.name());
            prop_assert_eq!(zone.begin(Day(day.0 + 1)), end);
            let next = zone.next(ms % 1_440, Time(ms));
            prop_assert!(next.0 > ms && next.0 <= ms + 51 * HOUR, "{} {next}", zone.name());
        }
    }
}
