//! What one session brings: its sockets, or its heartbeats without one.

use std::sync::Arc;

use super::super::{Cause, ConnectionId, DeviceRow, clocks::Jump};
use crate::{SessionId, Time, settings::PresenceLimits};

/// How a connection was lost, while it may still return.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Lost {
    pub(super) cause: Cause,
    /// Lost while its page was hidden: away, not present, until it returns or the hidden grace ends.
    pub(super) hidden: bool,
    pub(super) at: Time,
    pub(super) until: Time,
}

impl Lost {
    pub(super) fn new(cause: Cause, at: Time, visible: bool, limits: &PresenceLimits) -> Self {
        // Browsers report a page that is closed as hidden just before: only a connection that broke off is taken for
        // a sleeping page.
        let hidden = !visible && cause != Cause::TabClosed;
        Self { cause, hidden, at, until: at.plus(if hidden { limits.hidden_grace } else { limits.grace }) }
    }
}

#[derive(Clone, Debug)]
pub(in super::super) struct Connection {
    pub(in super::super) id: ConnectionId,
    pub(super) opened_at: Time,
    pub(super) page: Option<String>,
    pub(super) visible: bool,
    pub(super) tabs: u8,
    pub(super) input_at: Time,
    pub(in super::super) seen_at: Time,
    pub(in super::super) lost: Option<Lost>,
}

/// The last `POST /heartbeat` of a session without an open socket.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    pub(super) at: Time,
    pub(super) first_at: Time,
    pub(super) page: Option<String>,
    pub(super) visible: bool,
    pub(super) input_at: Time,
}

/// Connected before the server's start; unknown until it returns or the grace ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restored {
    pub(super) seen_at: Time,
    pub(super) until: Time,
}

/// Something that fell away by time, which may be why a state changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fell {
    Connection(Lost),
    Beat,
    Restored,
    Choice,
}

impl Fell {
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::Connection(lost) => lost.cause,
            Self::Beat => Cause::HeartbeatMissed,
            Self::Restored => Cause::ServerRestart,
            Self::Choice => Cause::ChoiceEnded,
        }
    }
}

/// One session of the person that we have heard of and that is not over.
#[derive(Clone, Debug)]
pub(in super::super) struct Presence {
    pub(in super::super) id: SessionId,
    pub(super) device: Arc<str>,
    pub(super) ip: Arc<str>,
    pub(super) place: Option<Arc<str>>,
    pub(super) signed_in_at: Time,
    pub(in super::super) connections: Vec<Connection>,
    /// Nothing while a socket is open: its closing would void it anyway.
    pub(super) beat: Option<Beat>,
    pub(super) restored: Option<Restored>,
}

impl Presence {
    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty() && self.beat.is_none() && self.restored.is_none()
    }

    /// The socket opened last among those that are not lost.
    pub(super) fn newest_open(&mut self) -> Option<&mut Connection> {
        self.connections.iter_mut().rfind(|c| c.lost.is_none())
    }

    pub(super) fn has_lost(&self) -> bool {
        self.connections.iter().any(|c| c.lost.is_some())
    }

    /// Forgets the connection that was lost last: it is the one that a reload brings back.
    pub(super) fn forget_last_lost(&mut self) {
        let last = |(i, c): (usize, &Connection)| c.lost.map(|l| (l.at, i));
        if let Some((_, i)) = self.connections.iter().enumerate().filter_map(last).max() {
            self.connections.remove(i);
        }
    }

    /// When there was input, by everything that counts: what was lost while hidden does not.
    pub(super) fn inputs(&self) -> impl Iterator<Item = Time> + '_ {
        let counts = |c: &&Connection| c.lost.is_none_or(|l| !l.hidden);
        self.connections.iter().filter(counts).map(|c| c.input_at).chain(self.beat.as_ref().map(|b| b.input_at))
    }

    /// Moves what ages along with clocks that jumped to `now`: nobody gets older by a clock that is set, and what waits
    /// for a sign of life waits longer by the time we were deaf.
    pub(super) fn jump(&mut self, Jump { set, deaf }: Jump, now: Time) {
        for c in &mut self.connections {
            c.seen_at = c.seen_at.plus(set).plus(deaf);
            c.input_at = c.input_at.plus(set);
            c.opened_at = c.opened_at.min(now);
            if let Some(lost) = &mut c.lost {
                lost.at = lost.at.plus(set);
                lost.until = lost.until.plus(set).plus(deaf);
            }
        }
        if let Some(b) = &mut self.beat {
            b.at = b.at.plus(set).plus(deaf);
            b.input_at = b.input_at.plus(set);
            b.first_at = b.first_at.min(now);
        }
        if let Some(r) = &mut self.restored {
            r.seen_at = r.seen_at.min(now);
            r.until = r.until.plus(set).plus(deaf);
        }
    }

    /// Other limits hold from `now` on. What is lost returns within the new grace or not at all; a sign of life that
    /// was not due yet is not missed by a limit that nobody could know of.
    pub(super) fn relimit(&mut self, old: &PresenceLimits, new: &PresenceLimits, now: Time) {
        let sooner = (old.lost_after - new.lost_after).max(0);
        for c in &mut self.connections {
            match &mut c.lost {
                Some(lost) => lost.until = Lost::new(lost.cause, lost.at, !lost.hidden, new).until,
                None if sooner > 0 => c.seen_at = c.seen_at.max(now.plus(sooner)),
                None => {}
            }
        }
    }

    /// Lets the time-driven things happen that are due at `now`; gives what fell away.
    pub(super) fn settle(&mut self, now: Time, limits: &PresenceLimits) -> Option<Fell> {
        let mut fell = None;
        for c in &mut self.connections {
            if c.lost.is_none() && now.since(c.seen_at) > limits.lost_after {
                let at = c.seen_at.plus(limits.lost_after);
                c.lost = Some(Lost::new(Cause::HeartbeatMissed, at, c.visible, limits));
            }
        }
        self.connections.retain(|c| match c.lost {
            Some(lost) if now >= lost.until => {
                fell = Some(Fell::Connection(lost));
                false
            }
            _ => true,
        });
        if self.beat.as_ref().is_some_and(|b| now.since(b.at) > limits.online_window) {
            self.beat = None;
            fell = Some(Fell::Beat);
        }
        if self.restored.is_some_and(|r| now >= r.until) {
            self.restored = None;
            fell = Some(Fell::Restored);
        }
        fell
    }

    /// One row per connection, or one for a session without a socket.
    pub(super) fn rows(&self) -> impl Iterator<Item = DeviceRow> + '_ {
        let row = |connection, page: &Option<String>, visible, connected, online_at, last_input_at, tabs| DeviceRow {
            session_id: self.id,
            connection,
            device: self.device.to_string(),
            page: page.clone(),
            visible,
            connected,
            ip: self.ip.to_string(),
            online_at,
            signed_in_at: self.signed_in_at,
            last_input_at,
            tabs,
        };
        let of = move |c: &Connection| {
            row(Some(c.id), &c.page, c.visible, c.lost.is_none(), c.opened_at, c.input_at, c.tabs)
        };
        let beat = self.beat.as_ref().map(|b| row(None, &b.page, b.visible, true, b.first_at, b.input_at, 1));
        let restored = self.restored.map(|r| row(None, &None, true, false, r.seen_at, r.seen_at, 1));
        self.connections.iter().map(of).chain(beat).chain(restored)
    }
}
