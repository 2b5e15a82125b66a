//! What happens to a person. Each gives the cause a change of state would have.

use std::sync::Arc;

use super::{
    Person,
    device::{Beat, Connection, Lost, Presence, Restored},
};
use crate::{
    SessionId, Time,
    presence::{Cause, Chosen, ConnectionId, Joined, Report},
    settings::PresenceLimits,
    time::MINUTE,
};

impl Person {
    fn session(&mut self, joined: &Joined) -> &mut Presence {
        self.set_card(&joined.card);
        if let Some(i) = self.sessions.iter().position(|s| s.id == joined.session) {
            return &mut self.sessions[i];
        }
        // Most people have one session with one tab; a vector's own first step is room for four.
        self.sessions.reserve_exact(1);
        self.sessions.push(Presence {
            id: joined.session,
            device: Arc::clone(&joined.device),
            ip: Arc::clone(&joined.ip),
            place: joined.place.clone(),
            signed_in_at: joined.signed_in_at,
            connections: vec![],
            beat: None,
            restored: None,
        });
        self.sessions.last_mut().expect("just pushed")
    }

    /// A socket joined, or joined again. Gives why the person may be better off now.
    pub(in super::super) fn open(&mut self, joined: &Joined, id: ConnectionId, report: Report, now: Time) -> Cause {
        let new = self.is_new(joined, now);
        let session = self.session(joined);
        let input_at = report.input(now).unwrap_or(now);
        let visible = report.visible.unwrap_or(true);
        let tabs = tabs(&report).unwrap_or(1);
        let again = session.connections.iter().position(|c| c.id == id).map(|i| session.connections.remove(i));
        let returned = session.restored.take().is_some() || session.has_lost();
        if again.is_none() {
            // A connection of the same session that was lost is what came back: one reload is not two tabs.
            session.forget_last_lost();
        }
        session.beat = None;
        session.connections.reserve_exact(1);
        session.connections.push(Connection {
            id,
            opened_at: again.map_or(now, |c| c.opened_at),
            page: report.page,
            visible,
            tabs,
            input_at,
            seen_at: now,
            lost: None,
        });
        arrival(returned, new)
    }

    /// A session not here before, signed in within the last minute: its arrival is part of the sign-in.
    fn is_new(&self, joined: &Joined, now: Time) -> bool {
        now.since(joined.signed_in_at) < MINUTE && self.sessions.iter().all(|s| s.id != joined.session)
    }

    /// A client told about itself. Input never goes back.
    pub(in super::super) fn report(&mut self, id: ConnectionId, report: Report, now: Time) -> Cause {
        let Some(session) = self.sessions.iter_mut().find(|s| s.connections.iter().any(|c| c.id == id)) else {
            return Cause::Input;
        };
        session.beat = None;
        let Some(c) = session.connections.iter_mut().find(|c| c.id == id) else { return Cause::Input };
        let returned = c.lost.take().is_some();
        c.seen_at = now;
        if let Some(input) = report.input(now) {
            c.input_at = c.input_at.max(input);
        }
        if let Some(visible) = report.visible {
            c.visible = visible;
        }
        c.tabs = tabs(&report).unwrap_or(c.tabs);
        if report.page.is_some() {
            c.page = report.page;
        }
        if returned { Cause::Returned } else { Cause::Input }
    }

    /// `POST /heartbeat`. `requested_at` is the session's last request that is not a heartbeat.
    pub(in super::super) fn beat(&mut self, joined: &Joined, report: Report, requested_at: Time, now: Time) -> Cause {
        let new = self.is_new(joined, now);
        let session = self.session(joined);
        let input = report.input(now).unwrap_or(requested_at).max(requested_at).min(now);
        if let Some(c) = session.newest_open() {
            // Beside a socket a beat keeps nothing alive, but newer input that it reports is input.
            c.input_at = c.input_at.max(input);
            return Cause::Input;
        }
        let old = session.beat.take();
        let cause = if old.is_some() {
            Cause::Input
        } else {
            arrival(session.restored.take().is_some() || session.has_lost(), new)
        };
        session.beat = Some(Beat {
            at: now,
            first_at: old.as_ref().map_or(now, |b| b.first_at),
            input_at: old.as_ref().map_or(input, |b| b.input_at.max(input)),
            visible: report.visible.or(old.as_ref().map(|b| b.visible)).unwrap_or(true),
            page: report.page.or(old.and_then(|b| b.page)),
        });
        cause
    }

    /// A socket is gone; it may return within its grace. One that was lost before stays lost as it was.
    pub(in super::super) fn close(&mut self, id: ConnectionId, cause: Cause, now: Time, limits: &PresenceLimits) {
        if let Some(c) = self.connection(id).filter(|c| c.lost.is_none()) {
            c.lost = Some(Lost::new(cause, now, c.visible, limits));
        }
    }

    /// Connected at the last proof of life before a restart, and unknown until `until`; unless it is here already.
    pub(in super::super) fn restore(&mut self, joined: &Joined, seen_at: Time, until: Time) {
        let session = self.session(joined);
        if session.connections.is_empty() && session.beat.is_none() {
            session.restored = Some(Restored { seen_at, until });
        }
    }

    /// A session is over: no grace.
    pub(in super::super) fn end(&mut self, session: SessionId) {
        self.sessions.retain(|s| s.id != session);
    }

    /// A choice whose end has passed is none.
    pub(in super::super) fn choose(&mut self, chosen: Chosen, now: Time) {
        self.chosen = if chosen.is_over(now) { Chosen::default() } else { chosen };
    }

    /// Whether they keep their presence from colleagues.
    pub(in super::super) fn keep_private(&mut self, private: bool) {
        self.private = private;
    }
}

/// Tabs behind a connection; what is no such number says nothing.
fn tabs(report: &Report) -> Option<u8> {
    report.tabs.and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0)
}

/// Why a session that was not connected is.
fn arrival(returned: bool, new: bool) -> Cause {
    match (returned, new) {
        (true, _) => Cause::Returned,
        (false, true) => Cause::SignedIn,
        (false, false) => Cause::TabOpened,
    }
}
