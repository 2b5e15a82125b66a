//! Organisations, teams and roles: what people are sorted into.
//!
//! - `organisations`, `teams`, `roles`: listing, making, renaming and deleting each.
//!
//! Whoever has `Action::People` sees those within reach; changing them asks for `Action::Directory` and sudo mode.
//! Nothing is merged silently: a name that is taken, whatever the case, is a conflict, and nothing that people are in
//! goes before it is said where they go. Moving people is `Accounts::move_people`.

mod organisations;
mod roles;
mod teams;

use domain::{Actor, ApiError, ErrorCode, SessionId, UserId, access::Action, session::EndReason};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    accounts::Accounts,
    audit::{self, Entry},
    clock::Clock,
    cursor,
    sessions::{Sessions, commit},
    store::{Sql, Store, db, groups, is_taken, people},
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;

/// The handle on organisations, teams and roles; a cheap clone.
#[derive(Clone)]
pub struct Directory {
    accounts: Accounts,
}

/// What follows a commit: whose cards changed, and which sessions ended.
#[derive(Default)]
struct Aftermath {
    changed: Vec<UserId>,
    ended: Vec<(SessionId, EndReason)>,
}

impl Directory {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    fn sessions(&self) -> &Sessions {
        &self.accounts.sessions
    }

    fn store(&self) -> &Store {
        &self.sessions().inner.store
    }

    fn clock(&self) -> &Clock {
        &self.sessions().inner.clock
    }

    fn may(&self, actor: &Actor) -> Result<(), ApiError> {
        actor.require(Action::Directory)?;
        actor.require_fresh(self.clock().now())
    }

    async fn audit(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        action: &str,
        kind: &str,
        name: &str,
        details: Option<Value>,
    ) -> Result<(), ApiError> {
        let entry = Entry { action, subject_kind: kind, subject: Some(name), details };
        audit::append(txn, self.clock(), actor, entry).await.map_err(db)
    }

    /// Numbers the cards of these people, a condition on `users u`, as changed.
    async fn cards(&self, txn: &DatabaseTransaction, whom: Sql) -> Result<Vec<UserId>, ApiError> {
        let ids = people::ids(txn, whom.clone()).await.map_err(db)?;
        groups::changed(txn, whom, self.clock().now()).await.map_err(db)?;
        Ok(ids)
    }

    /// Commits, then takes ended sessions out of memory and hands out changed cards.
    async fn finish(&self, txn: DatabaseTransaction, aftermath: Aftermath) -> Result<(), ApiError> {
        commit(txn).await?;
        self.sessions().ended(&aftermath.ended).await;
        self.sessions().cards_changed(&aftermath.changed).await
    }
}

/// The 409 of a name that somebody else has.
fn named(noun: &'static str) -> impl Fn(DbErr) -> ApiError {
    move |e| {
        if !is_taken(&e) {
            return db(e);
        }
        let mut taken = ApiError::new(ErrorCode::Conflict, format!("There is {noun} of this name. Choose another."));
        taken.fields.insert("name".to_owned(), taken.message.clone());
        taken
    }
}

/// The 409 of what people are in still.
fn occupied(people: u64) -> ApiError {
    let who = if people == 1 { "1 person is".to_owned() } else { format!("{people} people are") };
    ApiError::new(ErrorCode::Conflict, format!("{who} in it. Say where they shall go, or move them first."))
}

/// Name and id of the row a page begins after.
fn after(cursor: Option<&str>) -> Result<Option<groups::After>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let strange = || ApiError::new(ErrorCode::BadRequest, cursor::STRANGE);
    cursor::decode::<1>(cursor).map(|([name], id)| Some((name, id))).ok_or_else(strange)
}

/// Cuts a page of one row too many to its length; where the next one begins.
fn cut<T>(items: &mut Vec<T>, limit: u32, key: impl Fn(&T) -> (&str, Uuid)) -> Option<String> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    items.last().filter(|_| more).map(|last| {
        let (name, id) = key(last);
        cursor::encode(&[&name.to_lowercase()], id)
    })
}
