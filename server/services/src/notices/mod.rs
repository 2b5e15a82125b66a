//! Being told of uploads: who asks for what, what they were told of, and the bell.
//!
//! - `tell`: a notice for each who asked, in the transaction of the upload's row, with its mail where one is sent at once.
//! - `bell`: the number of unread notices, pushed to those who are here. `digest`: the daily mails.
//!
//! Who may be told of what is who may see it (`Action::Files`), asked anew each time: when the upload comes, when the
//! notice is read or counted, and when a mail goes out, whose text is written then (`mail::send`). To tell of something
//! else, a notice would refer to that in place of an upload.

mod bell;
mod digest;
mod tell;

use std::sync::Arc;

use domain::{
    Actor, ApiError, ErrorCode, Reach,
    access::Action,
    files::label,
    notices::{NewSubscription, Notice, Subscription},
};
use serde_json::json;
use uuid::Uuid;

use self::bell::Bell;
use crate::{
    audit::{self, Entry},
    clock::Clock,
    sessions::{Page, Sessions, commit},
    store::{Store, db, groups, notices as rows},
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;
/// What one person may ask for.
const SUBSCRIPTIONS_MAX: usize = 50;

/// The handle on notices; a cheap clone.
#[derive(Clone)]
pub struct Notices {
    sessions: Sessions,
    bell: Arc<Bell>,
}

impl Notices {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions, bell: Arc::default() }
    }

    fn store(&self) -> &Store {
        &self.sessions.inner.store
    }

    fn clock(&self) -> &Clock {
        &self.sessions.inner.clock
    }

    /// What the actor asked for, oldest first.
    pub async fn subscriptions(&self, actor: &Actor) -> Result<Vec<Subscription>, ApiError> {
        let id = actor.person()?.card.id;
        self.store().within(rows::subscriptions(self.store().read(), id)).await
    }

    /// Asks to be told of uploads within the actor's reach. What was asked for already is mailed as said now.
    pub async fn subscribe(&self, actor: &Actor, new: NewSubscription) -> Result<Subscription, ApiError> {
        let reach = actor.require(Action::Files)?;
        let user = actor.person()?.card.id;
        let (at, workflow) = (new.time()?, label("workflow", new.workflow.as_deref().unwrap_or_default())?);
        // Somebody else's organisation is as if it were not there.
        let strange = || ApiError::invalid("organisation", "There is no such organisation.");
        if new.organisation.is_some() && !reach.covers(new.organisation) {
            return Err(strange());
        }
        let (clock, now) = (self.clock(), self.clock().now());
        let txn = self.sessions.begin().await?;
        if let Some(id) = new.organisation
            && groups::name_of(&txn, "organisations", id).await.map_err(db)?.is_none()
        {
            return Err(strange());
        }
        let there = rows::subscriptions(&txn, user).await.map_err(db)?;
        let same =
            |s: &&Subscription| s.organisation.as_ref().map(|o| o.id) == new.organisation && s.workflow == workflow;
        let id = match there.iter().find(same) {
            Some(same) => {
                rows::change_subscription(&txn, same.id, new.mail, at).await.map_err(db)?;
                same.id
            }
            None if there.len() >= SUBSCRIPTIONS_MAX => {
                let message =
                    format!("You asked for {SUBSCRIPTIONS_MAX} kinds of uploads already. End one of them first.");
                return Err(ApiError::new(ErrorCode::Conflict, message));
            }
            None => {
                let (id, workflow) = (clock.new_id(), workflow.as_deref());
                let row = rows::NewRow { id, user, organisation: new.organisation, workflow, mail: new.mail, at, now };
                rows::add_subscription(&txn, row).await.map_err(db)?;
                id
            }
        };
        let all = rows::subscriptions(&txn, user).await.map_err(db)?;
        let Some(made) = all.into_iter().find(|s| s.id == id) else { return Err(ApiError::internal()) };
        audit::append(&txn, clock, actor, entry("upload_notices_asked", &made)).await.map_err(db)?;
        commit(txn).await?;
        Ok(made)
    }

    /// Ends one of the actor's; what was not mailed yet is not.
    pub async fn unsubscribe(&self, actor: &Actor, id: Uuid) -> Result<(), ApiError> {
        let user = actor.person()?.card.id;
        let txn = self.sessions.begin().await?;
        let all = rows::subscriptions(&txn, user).await.map_err(db)?;
        let one = all.iter().find(|s| s.id == id).ok_or_else(ApiError::not_found)?;
        rows::delete_subscription(&txn, user, id).await.map_err(db)?;
        audit::append(&txn, self.clock(), actor, entry("upload_notices_ended", one)).await.map_err(db)?;
        commit(txn).await
    }

    /// The actor's notices, newest first, as far as they may see the uploads now; `limit` is held between 1 and 200.
    pub async fn list(
        &self,
        actor: &Actor,
        unread: bool,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Notice>, ApiError> {
        let (user, reach) = (actor.person()?.card.id, self.reach(actor));
        let strange = |_| ApiError::new(ErrorCode::BadRequest, crate::cursor::STRANGE);
        let before = cursor.map(str::parse::<Uuid>).transpose().map_err(strange)?;
        let (store, limit) = (self.store(), limit.clamp(1, LIMIT_MAX));
        let mut items = store.within(rows::page(store.read(), user, reach, unread, before, limit + 1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|n| n.id.to_string());
        let total = match before {
            None => Some(store.within(rows::count(store.read(), user, reach, unread)).await?),
            Some(_) => None,
        };
        Ok(Page { items, next, total })
    }

    /// How many the actor has not read, counted up to `COUNTED_MAX` and one more; nothing where they cannot have any.
    pub async fn unread(&self, actor: &Actor) -> Result<Option<u64>, ApiError> {
        if self.reach(actor) == Reach::Nothing {
            return Ok(None);
        }
        let card = &actor.person()?.card;
        self.store().within(rows::unread(self.store().read(), card)).await.map(Some)
    }

    /// Marks one of the actor's as read, or all.
    pub async fn read(&self, actor: &Actor, id: Option<Uuid>) -> Result<(), ApiError> {
        let (user, store) = (actor.person()?.card.id, self.store());
        let n = store.within(rows::read(store.write(), user, id, self.clock().now())).await?;
        if let Some(id) = id.filter(|_| n == 0)
            && !store.within(rows::is_theirs(store.read(), user, id)).await?
        {
            return Err(ApiError::not_found());
        }
        self.ring([user]);
        Ok(())
    }

    /// Who has to set a second factor up first is told nothing until then.
    fn reach(&self, actor: &Actor) -> Reach {
        if self.sessions.lacks_second_factor(actor) { Reach::Nothing } else { actor.reach(Action::Files) }
    }
}

fn entry<'a>(action: &'a str, s: &'a Subscription) -> Entry<'a> {
    Entry {
        action,
        subject_kind: "uploads",
        subject: s.organisation.as_ref().map(|o| &*o.name),
        details: Some(json!({"workflow": s.workflow, "mail": s.mail, "at": s.at})),
    }
}
