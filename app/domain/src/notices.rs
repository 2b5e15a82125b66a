//! Being told of uploads: who asked for what, how they are told, and what they were told of.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ApiError, Time, account::Named, files::UploadView};

/// When somebody is written to; the bell rings at once in any case.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailWhen {
    /// A mail a minute at most: what comes meanwhile is in the next one.
    #[default]
    AtOnce,
    /// All of a day in one mail.
    Daily,
    Never,
}

impl MailWhen {
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Daily, Self::Never];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Daily => "daily",
            Self::Never => "never",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == text)
    }
}

/// A time of day, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// When nobody chose another.
    pub const MORNING: Self = Self(8 * 60);

    /// Such as `08:00`, or nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str, max: u16| {
            let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u16>().ok().filter(|n| plain && *n <= max)
        };
        Some(Self(number(hours, 23)? * 60 + number(minutes, 59)?))
    }

    /// As minutes since midnight.
    pub fn of_minutes(minutes: i64) -> Option<Self> {
        u16::try_from(minutes).ok().filter(|m| *m < 24 * 60).map(Self)
    }

    pub fn minutes(self) -> i64 {
        self.0.into()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// What somebody asks to be told of: the uploads of an organisation, of a workflow, of both together; without either, all
/// within their reach.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewSubscription {
    /// Its id.
    pub organisation: Option<Uuid>,
    pub workflow: Option<String>,
    pub mail: MailWhen,
    /// For `daily`: the time of day in the zone of the instance, such as `08:00`, which is also what is meant without one.
    pub at: Option<String>,
}

impl NewSubscription {
    /// The time of day of the daily mail, or what is wrong with it.
    pub fn time(&self) -> Result<TimeOfDay, ApiError> {
        match self.at.as_deref().map(str::trim).filter(|at| !at.is_empty()) {
            None => Ok(TimeOfDay::MORNING),
            Some(at) => TimeOfDay::parse(at).ok_or_else(|| ApiError::invalid("at", "Use a time of day such as 08:00.")),
        }
    }
}

/// What somebody asked to be told of.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: Uuid,
    pub organisation: Option<Named>,
    pub workflow: Option<String>,
    pub mail: MailWhen,
    /// Of the daily mail.
    pub at: Option<String>,
    pub created_at: Time,
}

/// That an upload came, told to somebody who asked.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub id: Uuid,
    pub upload: UploadView,
    pub created_at: Time,
    pub read_at: Option<Time>,
}

/// Unread notices are counted up to here; one more means more.
pub const COUNTED_MAX: u64 = 99;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_plain() {
        assert_eq!(TimeOfDay::parse("08:05").map(|t| (t.minutes(), t.to_string())), Some((485, "08:05".to_owned())));
        for bad in ["", "8:00", "24:00", "12:60", "12", "12:00:00", "+1:00", "noon!", "1２:00"] {
            assert_eq!(TimeOfDay::parse(bad), None, "{bad}");
        }
        assert_eq!(TimeOfDay::of_minutes(1_439).map(|t| t.to_string()).as_deref(), Some("23:59"));
        assert_eq!([TimeOfDay::of_minutes(1_440), TimeOfDay::of_minutes(-1)], [None, None]);
    }
}
