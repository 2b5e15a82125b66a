//! Settings that rules depend on, with the defaults of the contract. How they are read (flags, environment, file) is
//! the program's business.
//!
//! - `registry`: every setting with its words, its bounds and its place here. `text`: values as people write them.
//! - `given`: which value is in force: what is fixed, then what an admin chose, then the default.
//! - `sense`: settings that contradict each other. `view`: how they are shown, and what a change does.

mod given;
mod registry;
mod sense;
mod setting;
mod text;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::{
    given::{Fixed, Given, Stored},
    registry::{ALL, setting},
    sense::{Contradiction, contradictions},
    setting::{Applies, Group, Setting, Takes},
    text::{duration, duration_text, durations_of_roles, numbers_of_roles, roles, zone},
    view::{Changed, Consequences, Of, SettingView, Sooner},
};

use crate::{
    Level,
    account::UserCard,
    time::{DAY, HOUR, MINUTE, Millis, SECOND},
};

/// How long sessions last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    pub idle: Millis,
    pub max: Millis,
    pub max_admin: Millis,
    /// Idle limit of a remembered sign-in; nothing when remembering is off.
    pub remember: Option<Millis>,
    /// Idle limits of roles, in place of both.
    pub idle_by_role: BTreeMap<String, Millis>,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            idle: 24 * HOUR,
            max: 30 * DAY,
            max_admin: 24 * HOUR,
            remember: Some(14 * DAY),
            idle_by_role: BTreeMap::new(),
        }
    }
}

impl Lifetimes {
    /// `ROLLCALL_SESSION_PRESET=strict`: 1 h idle, 24 h absolute, no remembering (NIST 800-63B AAL2).
    pub fn strict() -> Self {
        Self { idle: HOUR, max: 24 * HOUR, max_admin: 24 * HOUR, remember: None, idle_by_role: BTreeMap::new() }
    }

    /// What a role without an idle limit of its own has.
    pub fn idle(&self, remembered: bool) -> Millis {
        if remembered { self.remember.unwrap_or(self.idle) } else { self.idle }
    }

    /// A role's own idle limit holds for remembered sign-ins as well: whoever sets it wants those people signed out.
    pub fn idle_of(&self, role: &str, remembered: bool) -> Millis {
        self.idle_by_role.get(role).copied().unwrap_or_else(|| self.idle(remembered))
    }

    /// The shortest idle limit of all.
    pub fn shortest_idle(&self) -> Millis {
        self.idle_by_role.values().copied().chain([self.idle(false), self.idle(true)]).min().unwrap_or(self.idle)
    }

    pub fn absolute(&self, level: Level) -> Millis {
        if level == Level::Admin { self.max_admin.min(self.max) } else { self.max }
    }
}

/// Defaults of the lifetimes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    #[default]
    Standard,
    Strict,
}

impl Preset {
    pub fn lifetimes(self) -> Lifetimes {
        match self {
            Self::Standard => Lifetimes::default(),
            Self::Strict => Lifetimes::strict(),
        }
    }
}

/// What happens at a sign-in beyond the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitPolicy {
    /// End the least recently used session.
    #[default]
    Lru,
    Refuse,
}

/// What people who are away are shown as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AwayAs {
    #[default]
    Away,
    Offline,
}

/// The limits of presence (product.md, "What we say of a person").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceLimits {
    /// Active up to this input age; also the limit of "active now".
    pub idle_after: Millis,
    /// Idle up to this input age.
    pub away_after: Millis,
    pub away_as: AwayAs,
    /// How long a heartbeat without a socket keeps a session connected.
    pub online_window: Millis,
    /// A socket without a sign of life for longer is lost.
    pub lost_after: Millis,
    /// How long a lost or closed connection may return before it counts as gone.
    pub grace: Millis,
    /// The same for a connection lost while its page was hidden; the person is away meanwhile.
    pub hidden_grace: Millis,
    /// How long after a start those who were connected before are unknown.
    pub restart_grace: Millis,
}

impl Default for PresenceLimits {
    fn default() -> Self {
        Self {
            idle_after: 5 * MINUTE,
            away_after: 15 * MINUTE,
            away_as: AwayAs::Away,
            online_window: 5 * MINUTE,
            lost_after: 45 * SECOND,
            grace: 15 * SECOND,
            hidden_grace: 5 * MINUTE,
            restart_grace: 45 * SECOND,
        }
    }
}

/// Everything the services are told at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Where `lifetimes` came from, unless they were given one by one.
    pub preset: Preset,
    pub lifetimes: Lifetimes,
    /// Live sessions per user; 0 = no limit.
    pub session_limit: u32,
    /// Limits of roles, in place of it.
    pub session_limit_by_role: BTreeMap<String, u32>,
    pub session_limit_policy: LimitPolicy,
    /// Sudo mode lasts this long after a sign-in or a confirmed password.
    pub sudo_for: Millis,
    /// Roles whose people must have a second factor.
    pub second_factor_roles: BTreeSet<String>,
    /// Off only for measurements.
    pub login_throttle: bool,
    pub presence: PresenceLimits,
    /// The server's ping.
    pub heartbeat: Millis,
    /// Open sockets of one session, and of one address; 0 = no limit.
    pub sockets_per_session: u32,
    pub sockets_per_address: u32,
    /// Bytes of one uploaded file.
    pub upload_limit: u64,
    /// Bytes of all uploads of a person; 0 = no limit.
    pub upload_quota: u64,
    /// Outputs are deleted after this.
    pub retention_outputs: Millis,
    /// Ended sessions are deleted after this.
    pub retention_sessions: Millis,
    /// Events are deleted after this.
    pub retention_events: Millis,
    /// Addresses of ended sessions and of events are blanked after this.
    pub retention_ip: Millis,
    /// The zone of the IANA database by whose days things are counted.
    pub zone: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preset: Preset::Standard,
            lifetimes: Lifetimes::default(),
            session_limit: 10,
            session_limit_by_role: BTreeMap::new(),
            session_limit_policy: LimitPolicy::Lru,
            sudo_for: 10 * MINUTE,
            second_factor_roles: BTreeSet::new(),
            login_throttle: true,
            presence: PresenceLimits::default(),
            heartbeat: 25 * SECOND,
            sockets_per_session: 20,
            sockets_per_address: 0,
            upload_limit: 100_000_000,
            upload_quota: 5_000_000_000,
            retention_outputs: 90 * DAY,
            retention_sessions: 365 * DAY,
            retention_events: 90 * DAY,
            retention_ip: 30 * DAY,
            zone: "UTC".to_owned(),
        }
    }
}

impl Settings {
    /// Whether a setting names this role.
    pub fn names_role(&self, role: &str) -> bool {
        self.lifetimes.idle_by_role.contains_key(role)
            || self.session_limit_by_role.contains_key(role)
            || self.second_factor_roles.contains(role)
    }

    /// Whether somebody has to set a second factor up before anything else.
    pub fn lacks_second_factor(&self, card: &UserCard) -> bool {
        !card.second_factor && self.second_factor_roles.contains(&card.role)
    }

    /// How many live sessions somebody of `role` may have; 0 = no limit.
    pub fn limit_of(&self, role: &str) -> u32 {
        self.session_limit_by_role.get(role).copied().unwrap_or(self.session_limit)
    }
}
