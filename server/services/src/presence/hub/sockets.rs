//! Connections, and what the end of a session does to them.

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    SessionId, Time, UserId,
    presence::{Closing, ConnectionId, Event, Joined, Report},
    session::EndReason,
    wire,
};
use serde_json::json;

use super::{
    super::{Close, Heard, Outbox, registry::Refused},
    Hub,
};
use crate::sessions::LiveSession;

impl Hub {
    pub(in super::super) fn register(
        &mut self,
        session: &Arc<LiveSession>,
        outbox: Arc<Outbox>,
    ) -> Result<ConnectionId, Refused> {
        if self.stopping {
            return Err(Refused::Stopping);
        }
        let s = &self.settings;
        self.registry.add(session, outbox, s.sockets_per_session, s.sockets_per_address, self.clock.now())
    }

    pub(in super::super) fn unregister(&mut self, id: ConnectionId, closing: Closing) {
        self.watchers.remove(id);
        self.say_whether_traffic_is_watched();
        self.apply(Event::Closed { connection: id, closing });
        let last_of = self.registry.remove(id).filter(|_| !self.stopping);
        if let Some(session) = last_of {
            session.set_connected(false);
        }
    }

    pub(in super::super) fn open(&mut self, id: ConnectionId, joined: Joined, report: Report) -> Heard {
        let user = joined.card.id;
        let session = self.registry.get(joined.session).map(|e| Arc::clone(&e.session));
        // A session that ended meanwhile has no entry any more, and must not come back to life here.
        if let Some(session) = session.filter(|s| s.is_live(self.now())) {
            self.apply(Event::Opened { joined, connection: id, report });
            return self.heard(user, &session);
        }
        Heard { state: self.roster.state(user), expires_at: self.now(), retry_within: self.registry.retry_within() }
    }

    pub(in super::super) fn heard(&self, user: UserId, session: &LiveSession) -> Heard {
        let retry_within = self.registry.retry_within();
        Heard { state: self.roster.state(user), expires_at: session.expires_at(), retry_within }
    }

    /// Ends sessions in presence and closes their sockets: no grace, nothing delivered afterwards.
    pub(in super::super) fn end_sessions(&mut self, ended: &[(SessionId, EndReason)]) {
        for (session, reason) in ended {
            let frame = Bytes::from(wire::broadcast("presence:me", "ended", &json!({"reason": reason})));
            let sockets = self.registry.get(*session).map(|e| e.sockets.clone()).unwrap_or_default();
            for (id, outbox) in sockets {
                outbox.close_after(frame.clone(), Close::SESSION_ENDED);
                self.watchers.remove(id);
                self.registry.remove(id);
            }
            self.say_whether_traffic_is_watched();
            self.apply(Event::Ended { session: *session, reason: *reason });
            if *reason == EndReason::UserDeleted {
                self.forget(*session);
            }
        }
    }

    /// Nothing of somebody whose account is deleted stays: watchers see them go, and the rows they were seen in go too.
    fn forget(&mut self, user: UserId) {
        if self.roster.known(user).is_none() {
            return;
        }
        self.apply(Event::Deleted { user });
        self.flush();
        self.recent.clear();
        self.states.clear();
    }

    pub(in super::super) fn restore(&mut self, joined: Joined, seen_at: Time) {
        let until = self.now().plus(self.settings.presence.restart_grace);
        self.apply(Event::Restored { joined, seen_at, until });
    }

    /// Tells the other sockets of a session when it ends now, if that is news.
    pub(in super::super) fn tell_expiry(&mut self, session: &LiveSession, except: Option<ConnectionId>) {
        if self.registry.tell(session) {
            self.send_expiry(session.id, except);
        }
    }

    pub(super) fn send_expiry(&self, session: SessionId, except: Option<ConnectionId>) {
        let Some(entry) = self.registry.get(session) else { return };
        let payload = json!({"expires_at": entry.session.expires_at()});
        let frame = Bytes::from(wire::broadcast("presence:me", "session", &payload));
        for (_, outbox) in entry.sockets.iter().filter(|(id, _)| Some(*id) != except) {
            outbox.push(frame.clone());
        }
    }
}
