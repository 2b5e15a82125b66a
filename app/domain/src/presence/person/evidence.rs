//! The evidence of a transition, in a sentence for a person.

use super::{
    Person, Presence,
    device::{Fell, Lost},
};
use crate::{
    Time,
    presence::{Cause, State},
    settings::{AwayAs, PresenceLimits},
    time::{DAY, human},
};

impl Person {
    /// Why the state is `state` from `now` on: what happened, and what was known at that moment.
    pub(super) fn evidence(
        &self,
        (state, cause): (State, Cause),
        fell: Option<Fell>,
        now: Time,
        limits: &PresenceLimits,
    ) -> String {
        let alone = self.sessions.iter().all(Presence::is_empty);
        let counted = self.newest_input();
        let head = match (cause, fell) {
            (Cause::NoInput, _) => match counted {
                Some((input, _)) => format!("no input for {}", human(now.since(input))),
                None => cause.words().to_owned(),
            },
            (Cause::Chosen, _) => return format!("chose to be {}", self.chosen.choice.as_str()),
            (Cause::TabOpened, _) if !self.has_open() => "began to send heartbeats".to_owned(),
            (Cause::ServerRestart, _) if state == State::Unknown => {
                return "was connected when the server stopped, and may return".to_owned();
            }
            (Cause::ServerRestart, _) => {
                format!("did not return within {} of the server's restart", human(limits.restart_grace))
            }
            (_, Some(Fell::Connection(lost))) if alone => {
                let grace = if lost.hidden { limits.hidden_grace } else { limits.grace };
                format!("{}, and nothing returned within {}", how(lost, limits), human(grace))
            }
            (Cause::PageHidden, _) => cause.words().to_owned(),
            (_, Some(Fell::Connection(lost))) if lost.cause == Cause::TabClosed => "a tab was closed".to_owned(),
            (_, Some(Fell::Connection(lost))) => how(lost, limits),
            (_, Some(Fell::Beat)) => format!("no heartbeat for {}", human(limits.online_window)),
            (Cause::SignedOut, _) if !alone => "signed out on one of several devices".to_owned(),
            (Cause::Revoked, _) if !alone => "one of the sessions was ended".to_owned(),
            (Cause::Expired, _) if !alone => "one of the sessions expired".to_owned(),
            _ => cause.words().to_owned(),
        };
        if alone {
            return head;
        }
        let input = counted
            .map(|(at, device)| {
                // Within a day the clock alone says which.
                let at = if now.since(at) < DAY { at.clock() } else { at.exact() };
                format!(", the last input in {device} at {at} UTC")
            })
            .unwrap_or_default();
        let hidden = match (state, limits.away_as) {
            (State::Offline, AwayAs::Offline) => "; people who are away are shown as offline",
            _ => "",
        };
        format!("{head}; {}{input}{hidden}", self.open_words())
    }

    fn has_open(&self) -> bool {
        self.sessions.iter().flat_map(|s| &s.connections).any(|c| c.lost.is_none())
    }

    /// `one tab open`, `2 tabs open`, `heartbeats from curl`, `nothing open`.
    fn open_words(&self) -> String {
        let beating = self.sessions.iter().find(|s| s.beat.is_some());
        let open = self.sessions.iter().flat_map(|s| &s.connections).filter(|c| c.lost.is_none());
        match (open.map(|c| usize::from(c.tabs)).sum::<usize>(), beating) {
            (0, Some(s)) => format!("heartbeats from {}", s.device),
            (0, None) => "nothing open".to_owned(),
            (1, _) => "one tab open".to_owned(),
            (n, _) => format!("{n} tabs open"),
        }
    }

    /// The newest input that counts, and its device.
    fn newest_input(&self) -> Option<(Time, &str)> {
        self.sessions.iter().flat_map(|s| s.inputs().map(|at| (at, &*s.device))).max_by_key(|(at, _)| *at)
    }
}

fn how(lost: Lost, limits: &PresenceLimits) -> String {
    let what = match lost.cause {
        Cause::HeartbeatMissed => format!("no sign of life for {}", human(limits.lost_after)),
        cause => cause.words().to_owned(),
    };
    if lost.hidden { format!("{what} while the page was hidden") } else { what }
}
