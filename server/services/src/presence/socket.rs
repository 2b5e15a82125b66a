//! The handle of one connection: what its task tells the hub and asks of it.

use std::sync::Arc;

use domain::{
    Actor, ApiError,
    access::Action,
    presence::{
        Closing, ConnectionId, Event, Report,
        live::{Opened, Window},
        topic::Topic,
    },
};

use super::{Heard, Key, Outbox, Presence, audience, joined};
use crate::sessions::LiveSession;

/// A registered socket; dropping it is the same as losing the connection.
pub struct Socket {
    pub id: ConnectionId,
    pub session: Arc<LiveSession>,
    pub outbox: Arc<Outbox>,
    pub(super) presence: Presence,
    pub(super) closing: Closing,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let (id, closing) = (self.id, self.closing);
        self.presence.tell(move |hub| hub.unregister(id, closing));
    }
}

impl Socket {
    /// How the connection goes, once it is known to be a goodbye.
    pub fn said_goodbye(&mut self) {
        self.closing = Closing::Left;
    }

    /// Joining `presence:me` makes the connection count.
    pub async fn join(&self, report: Report) -> Result<Heard, ApiError> {
        let (id, session) = (self.id, Arc::clone(&self.session));
        self.presence.ask(move |hub| hub.open(id, joined(&session), report)).await
    }

    /// The client told about itself.
    pub async fn report(&self, report: Report) -> Result<Heard, ApiError> {
        let (id, session) = (self.id, Arc::clone(&self.session));
        self.presence
            .ask(move |hub| {
                hub.apply(Event::Reported { connection: id, report });
                hub.tell_expiry(&session, Some(id));
                hub.heard(session.card().id, &session)
            })
            .await
    }

    /// Left `presence:me` without closing the socket: the connection counts no more.
    pub fn leave(&self) {
        let id = self.id;
        self.presence.tell(move |hub| hub.apply(Event::Closed { connection: id, closing: Closing::Left }));
    }

    /// A sign of life.
    pub fn alive(&self) {
        self.presence.signs.push(self.id, self.presence.clock.now());
    }

    /// Watches a Phoenix Presence topic; the snapshot is in the outbox when this returns.
    pub async fn watch(&self, actor: &Actor, topic: Topic) -> Result<(), ApiError> {
        let audience = audience::of(actor, topic, self.presence.store.as_ref()).await?;
        let id = self.id;
        self.presence.ask(move |hub| hub.watch(id, audience)).await
    }

    pub fn unwatch(&self, topic: Topic) {
        let id = self.id;
        self.presence.tell(move |hub| hub.unwatch(id, topic));
    }

    /// Opens one of the connection's live queries; what its mirror missed, or a snapshot, is in the outbox when this returns.
    pub async fn open_query(&self, actor: &Actor, key: Key, window: Window) -> Result<Opened, ApiError> {
        let reach = actor.require(Action::Watch)?;
        let id = self.id;
        self.presence.ask(move |hub| hub.open_query(id, key, reach, window)).await?
    }

    /// Changes one of the connection's live queries; the snapshot is in the outbox when this returns.
    pub async fn query(&self, actor: &Actor, key: Key, window: Window) -> Result<(), ApiError> {
        let reach = actor.require(Action::Watch)?;
        let id = self.id;
        self.presence.ask(move |hub| hub.query(id, key, reach, window)).await.map(drop)
    }

    /// Watches uploads; those on their way are in the outbox when this returns.
    pub async fn watch_uploads(&self, actor: &Actor) -> Result<(), ApiError> {
        let reach = actor.require(Action::Files)?;
        let id = self.id;
        self.presence.ask(move |hub| hub.watch_uploads(id, reach)).await
    }

    pub fn unwatch_uploads(&self) {
        let id = self.id;
        self.presence.tell(move |hub| hub.unwatch_uploads(id));
    }

    /// Hears how many of its person's notices are unread, from the next time they are counted on.
    pub async fn watch_notices(&self) -> Result<(), ApiError> {
        let (id, user) = (self.id, self.session.user_id());
        self.presence.ask(move |hub| hub.watch_notices(id, user)).await
    }

    pub fn unwatch_notices(&self) {
        let id = self.id;
        self.presence.tell(move |hub| hub.unwatch_notices(id));
    }

    pub fn unquery(&self, key: Key) {
        let id = self.id;
        self.presence.tell(move |hub| hub.unquery(id, key));
    }

    /// The outbox overflowed and is empty now: fresh snapshots of everything watched.
    pub fn caught_up(&self) {
        let id = self.id;
        self.presence.tell(move |hub| hub.resend(id));
    }
}
