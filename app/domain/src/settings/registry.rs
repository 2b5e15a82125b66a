//! Every setting: what an admin calls it, what it does, what it takes, and where it sits in `Settings`.
//!
//! To add one: its field in `Settings`, its row here, its flag in the program. The page, REST and the command line find
//! it here.

use super::setting::{Applies, Group, Place, Setting, Takes};
use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// The setting with this key.
pub fn setting(key: &str) -> Option<&'static Setting> {
    ALL.iter().find(|s| s.key == key)
}

const LONG: Takes = Takes::Duration { least: SECOND, most: 3_650 * DAY };
const SHORT: Takes = Takes::Duration { least: SECOND, most: DAY };
/// What is deleted does not come back: an hour is the least a slip may leave.
const KEPT: Takes = Takes::Duration { least: HOUR, most: 36_500 * DAY };

const fn row(
    key: &'static str,
    group: Group,
    title: &'static str,
    about: &'static str,
    takes: Takes,
    place: Place,
) -> Setting {
    Setting { key, group, title, about, takes, applies: Applies::AtOnce, place }
}

pub const ALL: &[Setting] = &[
    row(
        "sudo_for",
        Group::SignIn,
        "Password counts for",
        "Sensitive acts ask for the password again when it was given longer ago than this.",
        Takes::Duration { least: SECOND, most: 60 * MINUTE },
        Place::Duration(|s| &mut s.sudo_for),
    ),
    row(
        "second_factor_roles",
        Group::SignIn,
        "Second factor for",
        "People of these roles must have a second factor: without one they are led to set it up, and nothing else works \
         for them until they have.",
        Takes::Roles,
        Place::Roles(|s| &mut s.second_factor_roles),
    ),
    Setting {
        applies: Applies::ByFlagOnly,
        ..row(
            "login_throttle",
            Group::SignIn,
            "Slow down guessing",
            "Refuses sign-ins for a while after many wrong passwords; off is for measurements only.",
            Takes::Word(&["on", "off"]),
            Place::Throttle,
        )
    },
    row(
        "session_preset",
        Group::Sessions,
        "Preset",
        "Strict signs out after 1 h without activity and 24 h in all, and remembers nobody; choosing one puts the four \
         limits below back to its values.",
        Takes::Word(&["standard", "strict"]),
        Place::Preset,
    ),
    row(
        "session_idle",
        Group::Sessions,
        "Sign out without activity after",
        "A session ends this long after the last page, request or input.",
        LONG,
        Place::Duration(|s| &mut s.lifetimes.idle),
    ),
    row(
        "session_remember",
        Group::Sessions,
        "The same for remembered sign-ins",
        "How long somebody who chose to stay signed in may be away; off offers no such choice.",
        Takes::DurationOrOff { least: SECOND, most: 400 * DAY },
        Place::DurationOrOff(|s| &mut s.lifetimes.remember),
    ),
    row(
        "session_idle_by_role",
        Group::Sessions,
        "The same by role",
        "Roles with a limit of their own, in place of both above.",
        Takes::DurationsOfRoles,
        Place::DurationsOfRoles(|s| &mut s.lifetimes.idle_by_role),
    ),
    row(
        "session_max",
        Group::Sessions,
        "Sign out at the latest after",
        "A session ends this long after the sign-in, whatever happens.",
        LONG,
        Place::Duration(|s| &mut s.lifetimes.max),
    ),
    row(
        "session_max_admin",
        Group::Sessions,
        "The same for admins",
        "Admins sign in again after this long; never later than everybody else.",
        LONG,
        Place::Duration(|s| &mut s.lifetimes.max_admin),
    ),
    row(
        "session_limit",
        Group::Sessions,
        "Sessions per person",
        "How many devices one person may be signed in on at once.",
        Takes::Number { most: 10_000 },
        Place::Number(|s| &mut s.session_limit),
    ),
    row(
        "session_limit_by_role",
        Group::Sessions,
        "The same by role",
        "Roles with a limit of their own.",
        Takes::NumbersOfRoles,
        Place::NumbersOfRoles(|s| &mut s.session_limit_by_role),
    ),
    row(
        "session_limit_policy",
        Group::Sessions,
        "At the limit",
        "A sign-in beyond the limit ends the least recently used session (lru), or is refused.",
        Takes::Word(&["lru", "refuse"]),
        Place::Policy,
    ),
    row(
        "idle_after",
        Group::Presence,
        "Idle after",
        "People are idle after this long without input; also the limit of \"active now\".",
        SHORT,
        Place::Duration(|s| &mut s.presence.idle_after),
    ),
    row(
        "away_after",
        Group::Presence,
        "Away after",
        "People are away after this long without input.",
        SHORT,
        Place::Duration(|s| &mut s.presence.away_after),
    ),
    row(
        "away_as",
        Group::Presence,
        "Show people who are away as",
        "Away keeps them in the list; offline takes them out of it.",
        Takes::Word(&["away", "offline"]),
        Place::Away,
    ),
    row(
        "online_window",
        Group::Presence,
        "Heartbeats count for",
        "A session without a socket counts as connected this long after its last heartbeat.",
        SHORT,
        Place::Duration(|s| &mut s.presence.online_window),
    ),
    row(
        "grace",
        Group::Presence,
        "Grace after a lost connection",
        "How long a connection that is lost may return before its person is offline.",
        SHORT,
        Place::Duration(|s| &mut s.presence.grace),
    ),
    row(
        "hidden_grace",
        Group::Presence,
        "The same for hidden pages",
        "Phones and sleeping tabs take longer to return.",
        SHORT,
        Place::Duration(|s| &mut s.presence.hidden_grace),
    ),
    Setting {
        applies: Applies::AtNextStart,
        ..row(
            "restart_grace",
            Group::Presence,
            "Grace after a restart",
            "How long after a start those who were connected before are unknown and not offline.",
            SHORT,
            Place::Duration(|s| &mut s.presence.restart_grace),
        )
    },
    row(
        "heartbeat",
        Group::Connections,
        "Ping after a silence of",
        "A socket that has kept silent for this long is asked for a sign of life.",
        SHORT,
        Place::Duration(|s| &mut s.heartbeat),
    ),
    row(
        "socket_lost_after",
        Group::Connections,
        "Lost after",
        "A socket without a sign of life for this long is lost.",
        SHORT,
        Place::Duration(|s| &mut s.presence.lost_after),
    ),
    row(
        "sockets_per_session",
        Group::Connections,
        "Sockets per session",
        "How many sockets one session may have open; those that are open stay.",
        Takes::Number { most: 100_000 },
        Place::Number(|s| &mut s.sockets_per_session),
    ),
    row(
        "sockets_per_address",
        Group::Connections,
        "Sockets per address",
        "How many sockets one address may have open; those that are open stay.",
        Takes::Number { most: 1_000_000 },
        Place::Number(|s| &mut s.sockets_per_address),
    ),
    row(
        "upload_limit",
        Group::Files,
        "Size of an upload",
        "A larger file is refused, before it is read where its size is known.",
        Takes::Bytes { least: 1_000 },
        Place::Bytes(|s| &mut s.upload_limit),
    ),
    row(
        "upload_quota",
        Group::Files,
        "Uploads of a person",
        "All uploads of a person together; what is there already stays.",
        Takes::Bytes { least: 0 },
        Place::Bytes(|s| &mut s.upload_quota),
    ),
    row(
        "retention_outputs",
        Group::Retention,
        "Keep outputs for",
        "Reports, exports and other outputs are deleted after this long, within the hour.",
        KEPT,
        Place::Duration(|s| &mut s.retention_outputs),
    ),
    row(
        "retention_events",
        Group::Retention,
        "Keep events for",
        "Events and the history of presence are deleted after this long, within the hour.",
        KEPT,
        Place::Duration(|s| &mut s.retention_events),
    ),
    row(
        "retention_sessions",
        Group::Retention,
        "Keep ended sessions for",
        "Sessions are deleted this long after they ended, within the hour.",
        KEPT,
        Place::Duration(|s| &mut s.retention_sessions),
    ),
    row(
        "retention_ip",
        Group::Retention,
        "Keep addresses for",
        "Addresses are blanked this long after the session ended or the event happened, within the hour.",
        KEPT,
        Place::Duration(|s| &mut s.retention_ip),
    ),
    row(
        "zone",
        Group::Numbers,
        "Days are counted in",
        "The zone by whose midnights days, weeks and months of reports begin; another one counts the days again of which \
         the events are still there.",
        Takes::Zone,
        Place::Zone,
    ),
];

#[cfg(test)]
mod tests {
    use super::{super::Settings, *};

    #[test]
    fn every_value_reads_back_and_keys_are_single() {
        let settings = Settings::default();
        for (i, s) in ALL.iter().enumerate() {
            let mut read = settings.clone();
            s.write(&mut read, &s.text(&settings)).unwrap_or_else(|e| panic!("{}: {e}", s.key));
            assert_eq!(read, settings, "{}", s.key);
            assert!(ALL[..i].iter().all(|other| other.key != s.key), "{}", s.key);
            assert!(s.about.ends_with('.') && !s.title.ends_with('.'), "{}", s.key);
            // Whether there is such a role, the database knows; which zones there are, the server.
            let unknown_here = s.takes == Takes::Roles || s.takes == Takes::Zone && !cfg!(feature = "zones");
            assert!(s.write(&mut read, "nonsense").is_err() || unknown_here, "{}", s.key);
        }
    }

    #[test]
    fn bounds_hold() {
        let mut s = Settings::default();
        let write = |s: &mut Settings, key: &str, text: &str| setting(key).unwrap().write(s, text);
        assert!(write(&mut s, "sudo_for", "61m").unwrap_err().contains("1s to 1h"));
        assert!(write(&mut s, "retention_ip", "59m").is_err());
        assert!(write(&mut s, "session_limit", "-1").is_err() && write(&mut s, "session_limit", "10001").is_err());
        assert!(write(&mut s, "session_remember", "off").is_ok() && s.lifetimes.remember.is_none());
        assert!(write(&mut s, "session_limit_by_role", "member=1").is_ok());
        assert_eq!((s.limit_of("member"), s.limit_of("admin")), (1, 10));
    }
}
