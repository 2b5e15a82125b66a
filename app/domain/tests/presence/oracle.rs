//! "What we say of a person" (product.md), as one would write it without an engine: nothing is kept but a log, and
//! every question is answered from its beginning.

use domain::{
    SessionId, Time, UserId,
    presence::{Choice, ConnectionId, State},
    settings::{AwayAs, PresenceLimits},
};

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Time,
    pub(crate) person: UserId,
    pub(crate) act: Act,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Open {
        session: SessionId,
        connection: ConnectionId,
        input: Time,
        visible: bool,
    },
    /// A frame of any kind: a pong says nothing, a report may say something.
    Frame {
        connection: ConnectionId,
        input: Option<Time>,
        visible: Option<bool>,
    },
    Close {
        connection: ConnectionId,
        left: bool,
    },
    Beat {
        session: SessionId,
        input: Time,
    },
    End {
        session: SessionId,
    },
    Choose {
        choice: Choice,
        until: Option<Time>,
    },
    Restore {
        session: SessionId,
        until: Time,
    },
    /// The account is deleted.
    Forget,
}

#[derive(Clone, Debug)]
struct Socket {
    id: ConnectionId,
    session: SessionId,
    input: Time,
    visible: bool,
    seen: Time,
    closed: Option<(Time, bool)>,
}

impl Socket {
    fn lost_at(&self, t: Time, l: &PresenceLimits) -> Option<Time> {
        let silent = t.0 - self.seen.0 > l.lost_after;
        self.closed.map(|c| c.0).or(silent.then(|| self.seen.plus(l.lost_after)))
    }

    fn hidden(&self) -> bool {
        !self.visible && !self.closed.is_some_and(|(_, left)| left)
    }

    fn gone(&self, t: Time, l: &PresenceLimits) -> bool {
        let grace = if self.hidden() { l.hidden_grace } else { l.grace };
        self.lost_at(t, l).is_some_and(|at| t.0 >= at.0 + grace)
    }
}

/// Everything about one person at one instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    sockets: Vec<Socket>,
    /// Session, when, input.
    beats: Vec<(SessionId, Time, Time)>,
    restored: Vec<(SessionId, Time)>,
    choice: Choice,
    until: Option<Time>,
}

/// What is seen of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) state: State,
    pub(crate) active: bool,
    /// Open sockets; devices in all.
    pub(crate) open: usize,
    pub(crate) devices: usize,
    pub(crate) sessions: usize,
    /// Sockets that are open or may return.
    pub(crate) sockets: usize,
}

pub(crate) fn look(log: &[Entry], person: UserId, t: Time, l: &PresenceLimits) -> Seen {
    let mut p = Person::default();
    for e in log.iter().filter(|e| e.person == person && e.at <= t) {
        p.pass(e.at, l);
        p.act(e, l);
    }
    p.pass(t, l);
    p.seen(t, l)
}

impl Person {
    /// What time alone does.
    fn pass(&mut self, t: Time, l: &PresenceLimits) {
        if self.until.is_some_and(|u| u <= t) {
            (self.choice, self.until) = (Choice::Available, None);
        }
        // Falling silent is a closing too: it voids the session's earlier heartbeats.
        for s in self.sockets.iter().filter(|s| s.closed.is_none()) {
            if let Some(at) = s.lost_at(t, l) {
                self.beats.retain(|b| b.0 != s.session || b.1 > at);
            }
        }
        self.sockets.retain(|s| !s.gone(t, l));
        self.beats.retain(|b| t.0 - b.1.0 <= l.online_window);
        self.restored.retain(|r| t < r.1);
    }

    fn open(&self, session: SessionId, t: Time, l: &PresenceLimits) -> bool {
        self.sockets.iter().any(|s| s.session == session && s.lost_at(t, l).is_none())
    }

    fn act(&mut self, e: &Entry, l: &PresenceLimits) {
        let t = e.at;
        match e.act {
            Act::Open { session, connection, input, visible } => {
                let joined_before = self.sockets.iter().any(|s| s.id == connection);
                self.sockets.retain(|s| s.id != connection);
                // The session's socket that was lost last is the one that comes back.
                let lost = |s: &Socket| s.lost_at(t, l).filter(|_| s.session == session && !joined_before);
                if let Some(last) = self.sockets.iter().filter_map(lost).max() {
                    let back = self.sockets.iter().rposition(|s| lost(s) == Some(last));
                    back.map(|i| self.sockets.remove(i));
                }
                self.restored.retain(|r| r.0 != session);
                self.sockets.push(Socket { id: connection, session, input, visible, seen: t, closed: None });
            }
            Act::Frame { connection, input, visible } => {
                if let Some(s) = self.sockets.iter_mut().find(|s| s.id == connection) {
                    s.closed = None;
                    s.seen = t;
                    s.input = s.input.max(input.unwrap_or(s.input));
                    s.visible = visible.unwrap_or(s.visible);
                }
            }
            Act::Close { connection, left } => {
                if let Some(s) = self.sockets.iter_mut().find(|s| s.id == connection && s.lost_at(t, l).is_none()) {
                    s.closed = Some((t, left));
                    let session = s.session;
                    self.beats.retain(|b| b.0 != session);
                }
            }
            Act::Beat { session, input } if self.open(session, t, l) => {
                let newest = self.sockets.iter_mut().rfind(|s| s.session == session && s.lost_at(t, l).is_none());
                if let Some(s) = newest {
                    s.input = s.input.max(input);
                }
            }
            Act::Beat { session, input } => {
                self.restored.retain(|r| r.0 != session);
                let before = self.beats.iter().filter(|b| b.0 == session).map(|b| b.2).max();
                self.beats.push((session, t, input.max(before.unwrap_or(input))));
            }
            Act::End { session } => {
                self.sockets.retain(|s| s.session != session);
                self.beats.retain(|b| b.0 != session);
                self.restored.retain(|r| r.0 != session);
            }
            Act::Choose { choice, until } => {
                (self.choice, self.until) = (choice, until);
                self.pass(t, l);
            }
            Act::Forget => *self = Self::default(),
            Act::Restore { session, until } => {
                let here =
                    self.sockets.iter().any(|s| s.session == session) || self.beats.iter().any(|b| b.0 == session);
                if !here && t < until {
                    self.restored.retain(|r| r.0 != session);
                    self.restored.push((session, until));
                }
            }
        }
    }

    fn seen(&self, t: Time, l: &PresenceLimits) -> Seen {
        let by_age = |input: Time| match t.0 - input.0 {
            age if age <= l.idle_after => State::Active,
            age if age <= l.away_after => State::Idle,
            _ => State::Away,
        };
        let mut beating: Vec<SessionId> = self.beats.iter().map(|b| b.0).filter(|s| !self.open(*s, t, l)).collect();
        beating.dedup();
        beating.sort();
        beating.dedup();
        let asleep = |s: &&Socket| s.lost_at(t, l).is_some() && s.hidden();
        let inputs: Vec<Time> = (self.sockets.iter().filter(|s| !asleep(s)).map(|s| s.input))
            .chain(self.beats.iter().filter(|b| beating.contains(&b.0)).map(|b| b.2))
            .collect();
        let mut state = inputs.iter().map(|i| by_age(*i)).max().unwrap_or(State::Offline);
        if self.sockets.iter().any(|s| asleep(&s)) {
            state = state.max(State::Away);
        }
        if !self.restored.is_empty() {
            state = state.max(State::Unknown);
        }
        if !inputs.is_empty() {
            match self.choice {
                Choice::Busy => state = State::Busy,
                Choice::Away => state = State::Away,
                Choice::Available | Choice::Invisible => {}
            }
        }
        let online = [State::Busy, State::Active, State::Idle].contains(&state);
        if state == State::Away && l.away_as == AwayAs::Offline {
            state = State::Offline;
        }
        let mut sessions: Vec<SessionId> = (self.sockets.iter().map(|s| s.session))
            .chain(beating.iter().copied())
            .chain(self.restored.iter().map(|r| r.0))
            .collect();
        sessions.sort();
        sessions.dedup();
        Seen {
            state,
            active: online && inputs.iter().any(|i| by_age(*i) == State::Active),
            open: self.sockets.iter().filter(|s| s.lost_at(t, l).is_none()).count(),
            devices: self.sockets.len() + beating.len() + self.restored.len(),
            sessions: sessions.len(),
            sockets: self.sockets.len(),
        }
    }
}
