//! Mails: written into an outbox in the transaction of the act that causes them, sent by one task.
//!
//! - `letter`: what they say. `send`: the task, the server it speaks to, and when it tries again.
//!
//! No request waits for a mail server, and a mail that was promised is not lost when there is none, until what it says is
//! of no use any more: then it is given up and shown with that reason. What a mail says is sealed while it waits, and gone
//! once it is sent or too late. One that tells of uploads has no text until it is sent: it says what its reader may see
//! then. To add one: a function in `letter`, `Mail::put` in the act's
//! transaction, `Mail::wake` after its commit.

pub(crate) mod letter;
mod send;

use std::sync::Arc;

use domain::{
    Actor, ApiError, ErrorCode, Time,
    access::Action,
    account::UserCard,
    mail::{MailState, MailView},
};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use self::letter::Letter;
pub use self::send::Smtp;
use crate::{
    audit::{self, Entry},
    clock::Clock,
    sessions::Page,
    store::{Store, db, mail as rows},
    vault::Vault,
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;

/// The handle on mails; a cheap clone.
#[derive(Clone)]
pub struct Mail {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    vault: Vault,
    /// Where people reach us: links begin with it and never with what a request says (row 38).
    base: String,
    smtp: Option<Smtp>,
    waiting: Notify,
}

impl Mail {
    pub(crate) fn new(store: Store, clock: Clock, vault: Vault, base: String, smtp: Option<Smtp>) -> Self {
        Self { inner: Arc::new(Inner { store, clock, vault, base, smtp, waiting: Notify::new() }) }
    }

    /// Whether there is a server to send by. Without one mails wait.
    pub fn is_configured(&self) -> bool {
        self.inner.smtp.is_some()
    }

    /// By which server and as whom, for administrators.
    pub fn sender(&self) -> Option<String> {
        self.inner.smtp.as_ref().map(Smtp::label)
    }

    /// The address of a page of ours.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.inner.base)
    }

    /// Puts a mail to somebody into the outbox; without an address there is nothing to send. `wake` after the commit.
    pub(crate) async fn put(&self, txn: &DatabaseTransaction, to: &UserCard, letter: Letter) -> Result<(), ApiError> {
        self.put_at(txn, to, letter, self.inner.clock.now()).await.map(drop)
    }

    /// The same, to be sent from `due` on; its id.
    pub(crate) async fn put_at(
        &self,
        txn: &DatabaseTransaction,
        to: &UserCard,
        letter: Letter,
        due: Time,
    ) -> Result<Option<Uuid>, ApiError> {
        let Some(address) = &to.email else { return Ok(None) };
        let Inner { clock, vault, .. } = &*self.inner;
        let (id, now) = (clock.new_id(), clock.now());
        let (body_key, body) = vault.seal(&rows::about(id), &letter.body)?;
        let new = rows::New {
            id,
            kind: letter.kind,
            user: to.id,
            to: address,
            subject: letter.subject,
            body,
            body_key,
            now,
            due,
            good_until: due.plus(letter.good_for),
        };
        rows::insert(txn, new).await.map_err(db)?;
        Ok(Some(id))
    }

    /// Tells the sending task that there may be something to do.
    pub(crate) fn wake(&self) {
        self.inner.waiting.notify_one();
    }

    /// The mails of a state or all, newest first; `limit` is held between 1 and 200.
    pub async fn list(
        &self,
        actor: &Actor,
        state: Option<MailState>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<MailView>, ApiError> {
        actor.require(Action::Mail)?;
        let wrong = |_| ApiError::new(ErrorCode::BadRequest, "This cursor is not one of ours.");
        let before = cursor.map(str::parse::<Uuid>).transpose().map_err(wrong)?;
        let (store, limit) = (&self.inner.store, limit.clamp(1, LIMIT_MAX));
        let mut items = store.within(rows::list(store.read(), state, before, i64::from(limit) + 1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|m| m.id.to_string());
        let total = match before {
            None => Some(store.within(rows::count(store.read(), state)).await?.unsigned_abs()),
            Some(_) => None,
        };
        Ok(Page { items, next, total })
    }

    /// Tries one mail that is not sent, or all of them, as soon as can be. How many.
    pub async fn retry(&self, actor: &Actor, id: Option<Uuid>) -> Result<u64, ApiError> {
        actor.require(Action::Mail)?;
        actor.require_fresh(self.inner.clock.now())?;
        let Inner { store, clock, .. } = &*self.inner;
        let txn = store.within(store.begin()).await?;
        let n = rows::again(&txn, id, clock.now()).await.map_err(db)?;
        if id.is_some() && n == 0 {
            return Err(ApiError::not_found());
        }
        let subject = id.map(|id| id.to_string());
        self.audit(&txn, actor, "mail_retried", subject.as_deref(), json!({"mails": n})).await?;
        txn.commit().await.map_err(db)?;
        self.wake();
        Ok(n)
    }

    /// Takes a mail that is not sent out of the outbox, for good; to whom it was.
    pub async fn drop(&self, actor: &Actor, id: Uuid) -> Result<String, ApiError> {
        actor.require(Action::Mail)?;
        actor.require_fresh(self.inner.clock.now())?;
        let store = &self.inner.store;
        let txn = store.within(store.begin()).await?;
        let to = rows::drop(&txn, id).await.map_err(db)?.ok_or_else(ApiError::not_found)?;
        self.audit(&txn, actor, "mail_dropped", Some(&id.to_string()), json!({"to": to})).await?;
        txn.commit().await.map_err(db)?;
        Ok(to)
    }

    /// Takes everything that is not sent out of the outbox, for good; how many mails.
    pub async fn drop_all(&self, actor: &Actor) -> Result<u64, ApiError> {
        actor.require(Action::Mail)?;
        actor.require_fresh(self.inner.clock.now())?;
        let store = &self.inner.store;
        let txn = store.within(store.begin()).await?;
        let n = rows::drop_all(&txn).await.map_err(db)?;
        self.audit(&txn, actor, "mail_dropped", None, json!({"mails": n})).await?;
        txn.commit().await.map_err(db)?;
        Ok(n)
    }

    async fn audit(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        action: &str,
        subject: Option<&str>,
        details: serde_json::Value,
    ) -> Result<(), ApiError> {
        let entry = Entry { action, subject_kind: "mail", subject, details: Some(details) };
        audit::append(txn, &self.inner.clock, actor, entry).await.map_err(db)
    }
}
