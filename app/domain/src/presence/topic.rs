//! The Phoenix Presence topics: their names, whose presence each carries, and to whose eyes.

use std::fmt;

use uuid::Uuid;

use super::{Colleague, PersonRow};
use crate::{OrganisationId, Reach, TeamId};

/// Whose presence a topic carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Everybody,
    Organisation(OrganisationId),
    Team(TeamId),
    /// The people of an organisation for each other.
    People(OrganisationId),
}

/// A Phoenix Presence topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    pub scope: Scope,
    /// Under its name in the Supabase dialect.
    pub realtime: bool,
}

impl Topic {
    pub fn parse(text: &str) -> Option<Self> {
        let realtime = text.strip_prefix("realtime:");
        let scope = match realtime.or_else(|| text.strip_prefix("presence:")) {
            Some("all") => Scope::Everybody,
            Some(rest) => match rest.split_once(':')? {
                ("org", id) => Scope::Organisation(Uuid::parse_str(id).ok()?),
                ("team", id) => Scope::Team(Uuid::parse_str(id).ok()?),
                _ => return None,
            },
            None => Scope::People(Uuid::parse_str(text.strip_prefix("people:org:")?).ok()?),
        };
        let topic = Self { scope, realtime: realtime.is_some() };
        // Frames go out under one spelling, so a client must have joined under it to hear them.
        (topic.to_string() == text).then_some(topic)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialect = if self.realtime { "realtime" } else { "presence" };
        match self.scope {
            Scope::Everybody => write!(f, "{dialect}:all"),
            Scope::Organisation(id) => write!(f, "{dialect}:org:{id}"),
            Scope::Team(id) => write!(f, "{dialect}:team:{id}"),
            Scope::People(id) => write!(f, "people:org:{id}"),
        }
    }
}

/// What a watcher is to those watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Eyes {
    /// Of the console, as far as it reaches: every connection, with page and device.
    Console(Reach),
    /// Of colleagues: name, state and message.
    Colleague,
}

/// Watchers of a topic who are shown the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Audience {
    pub topic: Topic,
    pub eyes: Eyes,
}

impl Audience {
    pub fn includes(self, row: &PersonRow) -> bool {
        let carried = match self.topic.scope {
            Scope::Everybody => true,
            Scope::Organisation(id) | Scope::People(id) => row.organisation_id == Some(id),
            Scope::Team(id) => row.team_ids.contains(&id),
        };
        let seen = match self.eyes {
            Eyes::Console(reach) => reach.sees(row),
            Eyes::Colleague => Colleague::is_seen(row),
        };
        carried && seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_one_spelling() {
        let id = "01890000-0000-7000-8000-00000000000a";
        for text in [
            "presence:all".to_owned(),
            "realtime:all".to_owned(),
            format!("presence:org:{id}"),
            format!("realtime:org:{id}"),
            format!("presence:team:{id}"),
            format!("realtime:team:{id}"),
            format!("people:org:{id}"),
        ] {
            assert_eq!(Topic::parse(&text).map(|t| t.to_string()), Some(text));
        }
        for text in [
            "",
            "presence",
            "presence:",
            "presence:me",
            "presence:org:",
            "presence:org:x",
            "people:all",
            "people:team:01890000-0000-7000-8000-00000000000a",
            "realtime:people:org:01890000-0000-7000-8000-00000000000a",
            "presence:org:01890000-0000-7000-8000-00000000000A",
            "presence:org:0189000000007000800000000000000a",
            "realtime:presence:all",
            "PRESENCE:ALL",
            "presence:all ",
            "presence:all:",
        ] {
            assert_eq!(Topic::parse(text), None, "{text}");
        }
    }
}
