//! Sessions: when one is live, when it ends and why, and what is shown of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Level, Time,
    settings::Lifetimes,
    useragent::{Device, Kind},
};

/// Why a session is over.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    Logout,
    Revoked,
    IdleTimeout,
    AbsoluteTimeout,
    Limit,
    Relogin,
    PasswordChange,
    RoleChange,
    UserDisabled,
    UserDeleted,
}

impl EndReason {
    pub const ALL: [Self; 10] = [
        Self::Logout,
        Self::Revoked,
        Self::IdleTimeout,
        Self::AbsoluteTimeout,
        Self::Limit,
        Self::Relogin,
        Self::PasswordChange,
        Self::RoleChange,
        Self::UserDisabled,
        Self::UserDeleted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::IdleTimeout => "idle_timeout",
            Self::AbsoluteTimeout => "absolute_timeout",
            Self::Limit => "limit",
            Self::Relogin => "relogin",
            Self::PasswordChange => "password_change",
            Self::RoleChange => "role_change",
            Self::UserDisabled => "user_disabled",
            Self::UserDeleted => "user_deleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// The times that decide whether a session is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub created_at: Time,
    /// The last input or the last request that is not a heartbeat.
    pub last_activity_at: Time,
    /// How long it may stay without activity.
    pub idle: i64,
    /// When it ends whatever happens.
    pub absolute_expires_at: Time,
    pub ended: bool,
}

impl Span {
    /// A session of somebody of `role`, which has `level`, that begins at `now`.
    pub fn begin(now: Time, role: &str, level: Level, remembered: bool, lifetimes: &Lifetimes) -> Self {
        Self {
            created_at: now,
            last_activity_at: now,
            idle: lifetimes.idle_of(role, remembered),
            absolute_expires_at: now.plus(lifetimes.absolute(level)),
            ended: false,
        }
    }

    /// The earlier of the idle and the absolute end.
    pub fn expires_at(&self) -> Time {
        self.last_activity_at.plus(self.idle).min(self.absolute_expires_at)
    }

    /// **The** predicate: a session that would authenticate a request at `now`. The same in SQL: `store::session::LIVE`.
    pub fn is_live(&self, now: Time) -> bool {
        !self.ended && now < self.expires_at()
    }

    /// Why a session that is no longer live by its times is not.
    pub fn timeout(&self) -> EndReason {
        if self.absolute_expires_at <= self.last_activity_at.plus(self.idle) {
            EndReason::AbsoluteTimeout
        } else {
            EndReason::IdleTimeout
        }
    }
}

/// A session as lists show it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    pub id: Uuid,
    pub user_id: Uuid,
    pub username: String,
    pub name: String,
    pub role: String,
    pub organisation: Option<String>,
    /// `live` or `ended`, by the one predicate.
    pub state: SessionState,
    pub created_at: Time,
    pub last_activity_at: Time,
    pub last_seen_at: Time,
    pub expires_at: Time,
    pub absolute_expires_at: Time,
    pub ended_at: Option<Time>,
    pub ended_reason: Option<EndReason>,
    /// A username, `operator`, or nothing when time ended it.
    pub ended_by: Option<String>,
    pub remembered: bool,
    /// The session that asks.
    pub current: bool,
    pub browser: String,
    pub os: String,
    pub device: Kind,
    pub ip: String,
    /// Where the address is, when a place file is configured.
    pub place: Option<String>,
}

impl SessionView {
    /// `Firefox on Linux`.
    pub fn device_label(&self) -> String {
        Device { browser: self.browser.clone(), os: self.os.clone(), kind: self.device }.label()
    }
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    Live,
    Ended,
}

impl SessionState {
    pub const ALL: [Self; 2] = [Self::Live, Self::Ended];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// Which sessions: the same for lists, counts and bulk acts, so that they agree.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionFilter {
    /// A username.
    pub user: Option<String>,
    pub role: Option<String>,
    /// An organisation's id or name.
    pub org: Option<String>,
    pub ip: Option<String>,
    pub device: Option<Kind>,
    pub state: Option<SessionState>,
    pub reason: Option<EndReason>,
    /// Started at or after.
    pub from: Option<Time>,
    /// Started before.
    pub to: Option<Time>,
    /// Part of a name, a username or an address.
    pub q: Option<String>,
}

/// The order of a list of sessions; ties by id.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionSort {
    /// Newest sign-in first.
    #[default]
    Started,
    /// Most recently active first.
    Activity,
}

impl SessionSort {
    pub const ALL: [Self; 2] = [Self::Started, Self::Activity];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Activity => "activity",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// `rollcall sessions stats`. Lengths in seconds, of ended sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionStats {
    pub total: u64,
    pub ended: u64,
    /// Over by their times, and not yet marked by the clean-up.
    pub expired_uncleaned: u64,
    pub average_seconds: Option<f64>,
    pub median_seconds: Option<f64>,
    #[serde(flatten)]
    pub now: LiveStats,
}

/// Live sessions in numbers, which take a look at those alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveStats {
    pub live: u64,
    /// By role; every role, zeros too.
    pub by_role: std::collections::BTreeMap<String, u64>,
    /// By organisation's name.
    pub by_org: std::collections::BTreeMap<String, u64>,
    /// When the oldest began.
    pub oldest_at: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, HOUR};

    #[test]
    fn a_session_slides_up_to_its_absolute_end() {
        let l = Lifetimes::default();
        let mut s = Span::begin(Time(0), "member", Level::Member, false, &l);
        assert_eq!(s.expires_at(), Time(24 * HOUR));
        assert!(s.is_live(Time(24 * HOUR - 1)) && !s.is_live(Time(24 * HOUR)));
        s.last_activity_at = Time(30 * DAY - HOUR);
        assert_eq!(s.expires_at(), Time(30 * DAY));
        assert_eq!(s.timeout(), EndReason::AbsoluteTimeout);
        s.ended = true;
        assert!(!s.is_live(Time(0)));
    }

    #[test]
    fn admins_have_a_day() {
        let s = Span::begin(Time(0), "admin", Level::Admin, true, &Lifetimes::default());
        assert_eq!(s.expires_at(), Time(24 * HOUR));
    }

    #[test]
    fn reasons_have_one_word_everywhere() {
        for r in EndReason::ALL {
            assert_eq!(EndReason::parse(r.as_str()), Some(r));
            assert_eq!(serde_json::to_value(r).unwrap(), r.as_str());
        }
    }
}
