//! What crosses nouns: a sign of life moves both the session (its last activity, its last sign of life) and presence.

use std::sync::Arc;

use domain::{
    Actor, ApiError, UserId,
    people::{AccountRow, Moment},
    presence::{Report, history::PresenceDay, view::Why},
};

use crate::{
    LiveSession, Page, Services,
    presence::{Heard, Socket},
};

/// A person, as their page begins.
#[derive(Clone, Debug)]
pub struct Opened {
    pub person: AccountRow,
    pub why: Why,
    pub day: PresenceDay,
}

impl Services {
    /// A socket joined `presence:me`: from now on the connection counts.
    pub async fn join(&self, socket: &Socket, report: Report) -> Result<Heard, ApiError> {
        self.note(&socket.session, &report);
        self.sessions.set_connected(&socket.session, true);
        socket.join(report).await
    }

    /// A client told about itself over its socket.
    pub async fn report(&self, socket: &Socket, report: Report) -> Result<Heard, ApiError> {
        self.note(&socket.session, &report);
        socket.report(report).await
    }

    /// A socket gave a sign of life; it never extends the session.
    pub fn alive(&self, socket: &Socket) {
        self.sessions.seen(&socket.session, self.clock.now());
        socket.alive();
    }

    /// `POST /heartbeat`: a sign of life, and input when it reports some.
    pub async fn heartbeat(&self, session: &Arc<LiveSession>, report: Report) -> Result<Heard, ApiError> {
        self.note(session, &report);
        self.presence.beat(session, report).await
    }

    /// What is known of a person within reach; 404 for everybody else.
    pub async fn person(&self, actor: &Actor, id: UserId) -> Result<AccountRow, ApiError> {
        let person = self.accounts.one(actor, id).await?;
        self.audit.viewed(actor, id, &person.user.username).await?;
        Ok(person)
    }

    /// What a person's page begins with, for this day. Opening it is on record, once for all that it shows; that it asks
    /// `again` by itself is not.
    pub async fn open_person(&self, actor: &Actor, id: UserId, day: &str, again: bool) -> Result<Opened, ApiError> {
        let person = if again { self.accounts.one(actor, id).await? } else { self.person(actor, id).await? };
        let card = Arc::new(self.accounts.card(actor, id).await?);
        let why = self.presence.why(actor, card).await?;
        Ok(Opened { person, why, day: self.presence.day(actor, id, day).await? })
    }

    /// Why a person within reach is shown as they are; 404 for everybody else.
    pub async fn why(&self, actor: &Actor, id: UserId) -> Result<Why, ApiError> {
        let card = Arc::new(self.accounts.card(actor, id).await?);
        let why = self.presence.why(actor, Arc::clone(&card)).await?;
        self.audit.viewed(actor, id, &card.username).await?;
        Ok(why)
    }

    /// What happened to a person within reach; see `Accounts::timeline`.
    pub async fn timeline(
        &self,
        actor: &Actor,
        id: UserId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Moment>, ApiError> {
        let page = self.accounts.timeline(actor, id, limit, cursor).await?;
        let card = self.accounts.card(actor, id).await?;
        self.audit.viewed(actor, id, &card.username).await?;
        Ok(page)
    }

    /// What a person within reach was on a day; see `Presence::day`.
    pub async fn day(&self, actor: &Actor, id: UserId, day: &str) -> Result<PresenceDay, ApiError> {
        let found = self.presence.day(actor, id, day).await?;
        let card = self.accounts.card(actor, id).await?;
        self.audit.viewed(actor, id, &card.username).await?;
        Ok(found)
    }

    /// After a start: those who were connected at the last proof of life may return, and are unknown until then.
    pub async fn restore(&self) -> Result<(), ApiError> {
        self.presence.restore(self.sessions.connected_before().await?);
        Ok(())
    }

    fn note(&self, session: &Arc<LiveSession>, report: &Report) {
        let now = self.clock.now();
        self.sessions.seen(session, now);
        if let Some(input) = report.input(now) {
            self.sessions.touch(session, input);
        }
    }
}
