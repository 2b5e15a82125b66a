//! Settings that contradict each other.

use super::{LimitPolicy, Settings, duration_text as said};

/// Two settings that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    pub keys: [&'static str; 2],
    pub sentence: String,
    /// Presence would lie: such settings are refused. The others do no harm beyond being of no effect.
    pub fatal: bool,
}

/// Everything in these settings that does not go together.
pub fn contradictions(s: &Settings) -> Vec<Contradiction> {
    let (l, p) = (&s.lifetimes, &s.presence);
    let mut found = vec![];
    let mut when = |wrong: bool, fatal: bool, keys, sentence: String| {
        if wrong {
            found.push(Contradiction { keys, sentence, fatal });
        }
    };
    when(
        p.idle_after > p.away_after,
        true,
        ["idle_after", "away_after"],
        format!("Idle begins after {}, later than away after {}.", said(p.idle_after), said(p.away_after)),
    );
    when(
        s.heartbeat >= p.lost_after,
        true,
        ["heartbeat", "socket_lost_after"],
        format!("A ping every {} comes too late for sockets lost after {}.", said(s.heartbeat), said(p.lost_after)),
    );
    when(
        l.idle > l.max,
        false,
        ["session_idle", "session_max"],
        format!("The limit without activity, {}, is never reached: sessions end after {}.", said(l.idle), said(l.max)),
    );
    when(
        l.remember.is_some_and(|r| r < l.idle),
        false,
        ["session_remember", "session_idle"],
        format!("Remembered sign-ins end sooner than others, which may be inactive for {}.", said(l.idle)),
    );
    when(
        l.remember.is_some_and(|r| r > l.max),
        false,
        ["session_remember", "session_max"],
        format!("No sign-in is remembered for that long: sessions end after {}.", said(l.max)),
    );
    when(
        l.max_admin > l.max,
        false,
        ["session_max_admin", "session_max"],
        format!("Admins are signed out after {} like everybody, not after {}.", said(l.max), said(l.max_admin)),
    );
    when(
        s.session_limit_policy == LimitPolicy::Refuse && s.session_limit == 0 && s.session_limit_by_role.is_empty(),
        false,
        ["session_limit_policy", "session_limit"],
        "Sign-ins at the limit are refused, and there is no limit.".to_owned(),
    );
    when(
        s.retention_ip > s.retention_sessions,
        false,
        ["retention_ip", "retention_sessions"],
        format!("Addresses go with their sessions after {}.", said(s.retention_sessions)),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, HOUR};

    #[test]
    fn the_defaults_agree_and_these_do_not() {
        assert_eq!(contradictions(&Settings::default()), []);
        let strict = Settings { lifetimes: super::super::Lifetimes::strict(), ..Settings::default() };
        assert_eq!(contradictions(&strict), []);
        let mut s = Settings { retention_ip: 400 * DAY, heartbeat: HOUR, ..Settings::default() };
        s.lifetimes.max = HOUR;
        let keys: Vec<_> = contradictions(&s).into_iter().map(|c| (c.keys[0], c.fatal)).collect();
        assert_eq!(
            keys,
            [
                ("heartbeat", true),
                ("session_idle", false),
                ("session_remember", false),
                ("session_max_admin", false),
                ("retention_ip", false)
            ]
        );
    }
}
