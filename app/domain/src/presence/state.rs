//! The words of presence.

use serde::{Deserialize, Serialize};

use crate::{ApiError, Time, settings::PresenceLimits, time::human};

/// One open socket; unique for the life of the process.
pub type ConnectionId = u64;

/// What we say of a person. The order is the order of merging: the best of all connections wins.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Offline,
    /// We cannot tell; never a polite word for offline.
    Unknown,
    Away,
    Idle,
    Active,
    Busy,
}

impl State {
    /// Best first, as lists and counts show them.
    pub const ALL: [Self; 6] = [Self::Busy, Self::Active, Self::Idle, Self::Away, Self::Unknown, Self::Offline];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Away => "away",
            Self::Unknown => "unknown",
            Self::Offline => "offline",
        }
    }

    /// The word a person reads.
    pub fn word(self) -> &'static str {
        match self {
            Self::Busy => "Busy",
            Self::Active => "Active",
            Self::Idle => "Idle",
            Self::Away => "Away",
            Self::Unknown => "Unknown",
            Self::Offline => "Offline",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// The headline number "Online": busy + active + idle.
    pub fn is_online(self) -> bool {
        self >= Self::Idle
    }
}

/// Why a state began.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    SignedIn,
    TabOpened,
    Input,
    NoInput,
    PageHidden,
    Chosen,
    ChoiceEnded,
    TabClosed,
    ConnectionLost,
    HeartbeatMissed,
    SignedOut,
    Revoked,
    Expired,
    UserDisabled,
    NodeLost,
    ServerRestart,
    Returned,
}

impl Cause {
    pub const ALL: [Self; 17] = [
        Self::SignedIn,
        Self::TabOpened,
        Self::Input,
        Self::NoInput,
        Self::PageHidden,
        Self::Chosen,
        Self::ChoiceEnded,
        Self::TabClosed,
        Self::ConnectionLost,
        Self::HeartbeatMissed,
        Self::SignedOut,
        Self::Revoked,
        Self::Expired,
        Self::UserDisabled,
        Self::NodeLost,
        Self::ServerRestart,
        Self::Returned,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::TabOpened => "tab_opened",
            Self::Input => "input",
            Self::NoInput => "no_input",
            Self::PageHidden => "page_hidden",
            Self::Chosen => "chosen",
            Self::ChoiceEnded => "choice_ended",
            Self::TabClosed => "tab_closed",
            Self::ConnectionLost => "connection_lost",
            Self::HeartbeatMissed => "heartbeat_missed",
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::UserDisabled => "user_disabled",
            Self::NodeLost => "node_lost",
            Self::ServerRestart => "server_restart",
            Self::Returned => "returned",
        }
    }

    /// The cause in words, as the end of "Idle: …".
    pub fn words(self) -> &'static str {
        match self {
            Self::SignedIn => "signed in",
            Self::TabOpened => "opened a tab",
            Self::Input => "input",
            Self::NoInput => "no input",
            Self::PageHidden => "the connection was lost while the page was hidden",
            Self::Chosen => "chosen",
            Self::ChoiceEnded => "the choice ended",
            Self::TabClosed => "the last tab was closed",
            Self::ConnectionLost => "the connection was lost",
            Self::HeartbeatMissed => "no sign of life",
            Self::SignedOut => "signed out",
            Self::Revoked => "the session was ended",
            Self::Expired => "the session expired",
            Self::UserDisabled => "the account was disabled",
            Self::NodeLost => "the node fell silent",
            Self::ServerRestart => "the server has just restarted",
            Self::Returned => "returned",
        }
    }
}

/// What a person may choose to be.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Automatic.
    #[default]
    Available,
    Busy,
    Away,
    Invisible,
}

impl Choice {
    pub const ALL: [Self; 4] = [Self::Available, Self::Busy, Self::Away, Self::Invisible];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Away => "away",
            Self::Invisible => "invisible",
        }
    }
}

/// A manual choice with its message and its end. `PUT /presence/me`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    pub choice: Choice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A status message is shown in one line of a table.
pub const MESSAGE_MAX: usize = 140;
/// 9999-12-31T23:59:59Z: RFC 3339 can write no later year, and what goes out must be readable.
const UNTIL_MAX: Time = Time(253_402_300_799_000);
/// A page is a path in somebody's app; longer ones are refused rather than cut.
pub const PAGE_MAX: usize = 512;

impl Chosen {
    /// The choice with its message trimmed, or what is wrong with it.
    pub fn check(mut self, now: Time) -> Result<Self, ApiError> {
        self.message = self.message.map(|m| m.trim().to_owned()).filter(|m| !m.is_empty());
        if self.message.as_ref().is_some_and(|m| m.chars().count() > MESSAGE_MAX || m.chars().any(char::is_control)) {
            return Err(ApiError::invalid("message", format!("Use at most {MESSAGE_MAX} characters on one line.")));
        }
        if self.until.is_some_and(|t| t <= now || t > UNTIL_MAX) {
            return Err(ApiError::invalid("until", "Use a time in the future, or none."));
        }
        Ok(self)
    }

    pub fn is_over(&self, now: Time) -> bool {
        self.until.is_some_and(|t| t <= now)
    }
}

/// What a client says of itself: the payload of a join and of `meta`, and of `POST /heartbeat`. All of it optional.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_at: Option<Time>,
    /// Milliseconds since the last input; wins over `input_at`, since it needs no common clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<i64>,
    /// How many tabs share the connection, 1 to 99; one unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tabs: Option<i64>,
}

/// More tabs than this behind one connection are a mistake.
const TABS_MAX: i64 = 99;

impl Report {
    /// The report, or what is wrong with it.
    pub fn check(self) -> Result<Self, ApiError> {
        if self.page.as_ref().is_some_and(|p| p.chars().count() > PAGE_MAX || p.chars().any(char::is_control)) {
            return Err(ApiError::invalid("page", format!("Use at most {PAGE_MAX} characters on one line.")));
        }
        if self.idle_ms.is_some_and(|ms| ms < 0) {
            return Err(ApiError::invalid("idle_ms", "Use a number of milliseconds from 0."));
        }
        if self.tabs.is_some_and(|n| !(1..=TABS_MAX).contains(&n)) {
            return Err(ApiError::invalid("tabs", format!("Use a number from 1 to {TABS_MAX}.")));
        }
        Ok(self)
    }

    /// When the client says the last input was, as of `now`; the future is now, and nothing was before 1970, so that
    /// every date that goes out can be read again.
    pub fn input(&self, now: Time) -> Option<Time> {
        let ago = |ms: i64| now.plus(ms.saturating_neg());
        self.idle_ms.map(ago).or(self.input_at).map(|t| t.max(Time(0)).min(now))
    }
}

/// A change of state, or of who may know of it, with its evidence in a sentence.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    pub state: State,
    pub at: Time,
    pub cause: Cause,
    /// What was known at that moment, for a person: "no input for 5 min; 2 tabs open, the last input in Firefox on
    /// Linux at 13:47:00".
    pub evidence: String,
    /// From then on invisible; only admins are told of it at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
}

/// "Idle begins after 5 min without input, away after 15 min": the limits in force, in words.
pub fn limits_sentence(l: &PresenceLimits) -> String {
    format!("Idle begins after {} without input, away after {}.", human(l.idle_after), human(l.away_after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_wire() {
        for s in State::ALL {
            assert_eq!(serde_json::to_value(s).unwrap(), s.as_str());
        }
        for c in Cause::ALL {
            assert_eq!(serde_json::to_value(c).unwrap(), c.as_str());
        }
        for c in Choice::ALL {
            assert_eq!(serde_json::to_value(c).unwrap(), c.as_str());
        }
        assert!(State::ALL.is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn input_in_the_future_is_now() {
        let r = Report { input_at: Some(Time(2_000)), ..Report::default() };
        assert_eq!(r.input(Time(1_000)), Some(Time(1_000)));
        let r = Report { input_at: Some(Time(900)), idle_ms: Some(300), ..Report::default() };
        assert_eq!(r.input(Time(1_000)), Some(Time(700)));
        assert_eq!(Report::default().input(Time(1_000)), None);
    }

    #[test]
    fn tabs_are_a_small_number() {
        let of = |n: i64| Report { tabs: Some(n), ..Report::default() }.check();
        assert!(of(1).is_ok() && of(99).is_ok());
        assert!([i64::MIN, -1, 0, 100, i64::MAX].into_iter().all(|n| of(n).is_err()));
    }

    #[test]
    fn choices_are_checked() {
        let c = |message: &str| Chosen { message: Some(message.into()), ..Chosen::default() }.check(Time(0));
        assert_eq!(c("  ").unwrap().message, None);
        assert!(c(&"x".repeat(141)).is_err());
        assert!(Chosen { until: Some(Time(0)), ..Chosen::default() }.check(Time(0)).is_err());
        let late = Time::parse("9999-12-31T23:59:59-01:00");
        assert!(Chosen { until: late, ..Chosen::default() }.check(Time(0)).is_err());
    }
}
