//! What a setting is: its group, what it takes, when it counts, and how it is read and written.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    AwayAs, LimitPolicy, Preset, Settings,
    text::{duration, duration_text, durations_of_roles, numbers_of_roles, of_roles_text, roles, zone},
};
use crate::{
    files::{bytes_of, exact_text},
    time::Millis,
};

/// As an admin looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Group {
    SignIn,
    Sessions,
    Presence,
    Connections,
    Files,
    Retention,
    Numbers,
}

impl Group {
    pub const ALL: [Self; 7] =
        [Self::SignIn, Self::Sessions, Self::Presence, Self::Connections, Self::Files, Self::Retention, Self::Numbers];

    pub fn word(self) -> &'static str {
        match self {
            Self::SignIn => "Sign-in",
            Self::Sessions => "Sessions",
            Self::Presence => "Presence",
            Self::Connections => "Connections",
            Self::Files => "Files",
            Self::Retention => "Retention",
            Self::Numbers => "Numbers",
        }
    }
}

/// When a new value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Applies {
    AtOnce,
    /// When the server starts the next time.
    AtNextStart,
    /// It takes a flag, a variable or the settings file.
    ByFlagOnly,
}

/// What a value may be, with its least and its most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Duration {
        least: Millis,
        most: Millis,
    },
    /// `off` too.
    DurationOrOff {
        least: Millis,
        most: Millis,
    },
    Number {
        most: u32,
    },
    /// A size such as `100MB`; where the least is 0, that is no limit.
    Bytes {
        least: u64,
    },
    Word(&'static [&'static str]),
    DurationsOfRoles,
    NumbersOfRoles,
    Roles,
    Zone,
}

impl Takes {
    /// The bounds, in words.
    pub fn bounds(self) -> String {
        match self {
            Self::Duration { least, most } => format!("{} to {}", duration_text(least), duration_text(most)),
            Self::DurationOrOff { least, most } => {
                format!("off, or {} to {}", duration_text(least), duration_text(most))
            }
            Self::Number { most } => format!("0 to {most}; 0 is no limit"),
            Self::Bytes { least: 0 } => "a size such as 5GB; 0 is no limit".to_owned(),
            Self::Bytes { least } => format!("a size such as 100MB, at least {}", exact_text(least)),
            Self::Word(words) => words.join(" or "),
            Self::DurationsOfRoles => "role=duration, separated by commas".to_owned(),
            Self::NumbersOfRoles => "role=number, separated by commas; 0 is no limit".to_owned(),
            Self::Roles => "roles, separated by commas".to_owned(),
            Self::Zone => "a zone of the IANA database, such as Europe/Berlin".to_owned(),
        }
    }

    /// What values are counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Duration { .. } | Self::DurationOrOff { .. } | Self::DurationsOfRoles => "duration",
            Self::Number { .. } | Self::NumbersOfRoles => "number",
            Self::Bytes { .. } => "size",
            Self::Word(_) => "word",
            Self::Roles => "roles",
            Self::Zone => "zone",
        }
    }
}

/// Where it sits.
pub(super) enum Place {
    Duration(fn(&mut Settings) -> &mut Millis),
    DurationOrOff(fn(&mut Settings) -> &mut Option<Millis>),
    Number(fn(&mut Settings) -> &mut u32),
    Bytes(fn(&mut Settings) -> &mut u64),
    Preset,
    Policy,
    Away,
    Throttle,
    DurationsOfRoles(fn(&mut Settings) -> &mut BTreeMap<String, Millis>),
    NumbersOfRoles(fn(&mut Settings) -> &mut BTreeMap<String, u32>),
    Roles(fn(&mut Settings) -> &mut BTreeSet<String>),
    Zone,
}

pub struct Setting {
    /// The flag's name with `_`, and the key of the settings file.
    pub key: &'static str,
    pub group: Group,
    pub title: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    pub takes: Takes,
    pub applies: Applies,
    pub(super) place: Place,
}

impl Setting {
    /// The value, as people write it.
    pub fn text(&self, s: &Settings) -> String {
        let mut s = s.clone();
        match &self.place {
            Place::Duration(at) => duration_text(*at(&mut s)),
            Place::DurationOrOff(at) => at(&mut s).map_or_else(|| "off".to_owned(), duration_text),
            Place::Number(at) => at(&mut s).to_string(),
            Place::Bytes(at) => exact_text(*at(&mut s)),
            Place::Preset => if s.preset == Preset::Strict { "strict" } else { "standard" }.to_owned(),
            Place::Policy => if s.session_limit_policy == LimitPolicy::Refuse { "refuse" } else { "lru" }.to_owned(),
            Place::Away => if s.presence.away_as == AwayAs::Offline { "offline" } else { "away" }.to_owned(),
            Place::Throttle => if s.login_throttle { "on" } else { "off" }.to_owned(),
            Place::DurationsOfRoles(at) => of_roles_text(at(&mut s), |ms| duration_text(*ms)),
            Place::NumbersOfRoles(at) => of_roles_text(at(&mut s), u32::to_string),
            Place::Roles(at) => at(&mut s).iter().cloned().collect::<Vec<_>>().join(", "),
            Place::Zone => s.zone,
        }
    }

    /// Puts a value in its place, or tells what it takes.
    pub fn write(&self, s: &mut Settings, text: &str) -> Result<(), String> {
        let text = text.trim();
        match &self.place {
            Place::Duration(at) => *at(s) = self.within(duration(text)?)?,
            Place::DurationOrOff(at) => {
                *at(s) = if text == "off" { None } else { Some(self.within(duration(text)?)?) };
            }
            Place::Number(at) => *at(s) = self.number(text.parse().ok())?,
            Place::Bytes(at) => *at(s) = self.bytes(bytes_of(text)?)?,
            Place::Preset => s.preset = [Preset::Standard, Preset::Strict][self.word(text)?],
            Place::Policy => s.session_limit_policy = [LimitPolicy::Lru, LimitPolicy::Refuse][self.word(text)?],
            Place::Away => s.presence.away_as = [AwayAs::Away, AwayAs::Offline][self.word(text)?],
            Place::Throttle => s.login_throttle = self.word(text)? == 0,
            Place::DurationsOfRoles(at) => *at(s) = durations_of_roles(text)?,
            Place::NumbersOfRoles(at) => *at(s) = numbers_of_roles(text)?,
            Place::Roles(at) => *at(s) = roles(text)?,
            Place::Zone => s.zone = zone(text)?,
        }
        Ok(())
    }

    fn within(&self, ms: Millis) -> Result<Millis, String> {
        match self.takes {
            Takes::Duration { least, most } | Takes::DurationOrOff { least, most } if ms < least || ms > most => {
                Err(format!("use {} to {}", duration_text(least), duration_text(most)))
            }
            _ => Ok(ms),
        }
    }

    fn number(&self, n: Option<u32>) -> Result<u32, String> {
        match (n, self.takes) {
            (Some(n), Takes::Number { most }) if n <= most => Ok(n),
            _ => Err(format!("use a whole number, {}", self.takes.bounds())),
        }
    }

    fn bytes(&self, n: u64) -> Result<u64, String> {
        match self.takes {
            Takes::Bytes { least } if n >= least => Ok(n),
            _ => Err(format!("use {}", self.takes.bounds())),
        }
    }

    fn word(&self, text: &str) -> Result<usize, String> {
        let Takes::Word(words) = self.takes else { return Err("this takes no word".to_owned()) };
        words.iter().position(|w| *w == text).ok_or_else(|| format!("use {}", words.join(" or ")))
    }
}
