//! Events: what happened to or through people. The services write their own; later readers live here too.

use domain::{ApiError, SessionId, UserId};
use sea_orm::{ConnectionTrait, DbErr};

use crate::{
    clock::Clock,
    store::{
        Store,
        record::{self, NewEvent},
    },
};

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    pub ip: Option<&'a str>,
}

/// Writes an event of `kind` (`login`, `logout`, …) within the caller's transaction.
pub(crate) async fn append(
    txn: &impl ConnectionTrait,
    clock: &Clock,
    kind: &str,
    about: About<'_>,
) -> Result<(), DbErr> {
    let new =
        NewEvent { id: clock.new_id(), at: clock.now(), kind, user: about.user, session: about.session, ip: about.ip };
    record::event(txn, new).await
}

/// Writes events; a cheap clone.
#[derive(Clone)]
pub struct Events {
    store: Store,
    clock: Clock,
}

impl Events {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Records an event by itself.
    pub async fn record(&self, kind: &str, about: About<'_>) -> Result<(), ApiError> {
        self.store.within(append(self.store.write(), &self.clock, kind, about)).await
    }
}
