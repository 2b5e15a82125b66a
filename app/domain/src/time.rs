//! Instants and durations, in milliseconds.

use std::fmt;

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A duration in milliseconds.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. On the wire RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Time(pub i64);

impl Time {
    /// This instant moved by `ms`, held within what a date can say.
    #[must_use]
    pub fn plus(self, ms: Millis) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative when it is later.
    pub fn since(self, earlier: Self) -> Millis {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339, or nothing.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// The beginning in UTC of a day such as `2026-03-02`, or nothing.
    pub fn of_day(day: &str) -> Option<Self> {
        Self::parse(&format!("{day}T00:00:00Z"))
    }

    fn date(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// `14:02:11` in UTC, for sentences.
    pub fn clock(self) -> String {
        let t = self.date();
        format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
    }

    /// `2026-03-02 14:02:11` in UTC, for people; exact.
    pub fn exact(self) -> String {
        let d = self.date();
        format!("{}-{:02}-{:02} {}", d.year(), d.month(), d.day(), self.clock())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected an RFC 3339 time such as 2026-03-02T14:02:11.000Z"))
    }
}

/// A duration as people read it: `38 s`, `4 min`, `3 h 05 min`, `2 d 4 h`. Never "2m": some screen readers say *metre*.
pub fn human(ms: Millis) -> String {
    let s = ms.max(0) / SECOND;
    match s {
        0..60 => format!("{s} s"),
        60..3_600 => format!("{} min", s / 60),
        3_600..86_400 => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_always_written() {
        assert_eq!(Time(1_700_000_000_000).to_string(), "2023-11-14T22:13:20.000Z");
        assert_eq!(Time::parse("2023-11-14T23:13:20.5+01:00"), Some(Time(1_700_000_000_500)));
        assert_eq!(Time::parse("yesterday"), None);
    }

    #[test]
    fn days_are_whole() {
        assert_eq!(Time::of_day("2023-11-14"), Some(Time(1_699_920_000_000)));
        for bad in ["", "2023-11-31", "2023-11", "2023-1-1", "2023-11-14T01:00:00Z", "2023-11-14 "] {
            assert_eq!(Time::of_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(human(-5), "0 s");
        assert_eq!(human(59_999), "59 s");
        assert_eq!(human(185 * MINUTE), "3 h 05 min");
        assert_eq!(human(52 * HOUR), "2 d 4 h");
    }
}
