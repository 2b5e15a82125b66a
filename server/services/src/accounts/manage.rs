//! What administrators and operators do with accounts.

use domain::{
    Actor, ApiError, ErrorCode,
    access::Action,
    account::{UserCard, UserView},
    session::EndReason,
    time::HOUR,
};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{AccountRow, Accounts, NewUser, checked};
use crate::{
    audit::{self, Entry},
    secret::{self, Token},
    sessions::commit,
    store::{
        Sql, card, db, directory, ending,
        token::{self, Kind},
        user, values,
    },
};

/// A link to choose a password works for this long.
const RESET_FOR: i64 = HOUR;

impl Accounts {
    /// Every account, by username.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<AccountRow>, ApiError> {
        actor.require(Action::Accounts)?;
        self.store().within(user::list(self.store().read())).await
    }

    /// Makes an account. Asks for sudo mode, like all that follows.
    pub async fn add(&self, actor: &Actor, new: NewUser) -> Result<UserView, ApiError> {
        self.may(actor)?;
        let roles = self.store().within(directory::roles(self.store().read())).await?;
        let draft = checked(&new, &roles, self.clock())?;
        let hash = match &new.password {
            Some(password) => Some(self.sessions.inner.passwords.hash_new(password, &draft).await?),
            None => None,
        };
        let txn = self.sessions.begin().await?;
        let card = self.prepare(&txn, &new).await?;
        self.insert(&txn, &card, hash).await?;
        self.audit(&txn, actor, "user_added", &card.username, Some(json!({"role": card.role}))).await?;
        commit(txn).await?;
        Ok(UserView::from(&card))
    }

    /// Disables an account: its sessions end in the same transaction, and their sockets are closed when this returns.
    /// 409 for the last administrator.
    pub async fn disable(&self, actor: &Actor, username: &str) -> Result<(), ApiError> {
        self.end_account(actor, username, EndReason::UserDisabled).await
    }

    /// Deletes an account with its sessions and events. 409 for the last administrator.
    pub async fn delete(&self, actor: &Actor, username: &str) -> Result<(), ApiError> {
        self.end_account(actor, username, EndReason::UserDeleted).await
    }

    async fn end_account(&self, actor: &Actor, username: &str, reason: EndReason) -> Result<(), ApiError> {
        self.may(actor)?;
        let (this, actor, username) = (self.clone(), actor.clone(), username.trim().to_lowercase());
        self.sessions
            .act(async move {
                let sessions = &this.sessions;
                sessions.flush().await?;
                let txn = sessions.begin().await?;
                let card = this.find(&txn, &username).await?;
                if !user::other_admin(&txn, card.id).await.map_err(db)? && card.level == domain::Level::Admin {
                    let message = "This is the last administrator. Make another one first.";
                    return Err(ApiError::new(ErrorCode::Conflict, message));
                }
                let (which, now) = (Sql::new("s.user_id = ?", values![card.id]), this.clock().now());
                let mut ended = ending::end(&txn, which, reason, Some(actor.label()), now).await.map_err(db)?;
                let details = json!({"sessions_ended": ended.len()});
                let action = if reason == EndReason::UserDeleted {
                    user::delete(&txn, card.id).await.map_err(db)?;
                    // So that every process forgets the person, also one without a session.
                    ending::record(&txn, &[card.id], reason, now).await.map_err(db)?;
                    ended.push(card.id);
                    "user_deleted"
                } else {
                    user::set_disabled(&txn, card.id, Some(now)).await.map_err(db)?;
                    token::void(&txn, Kind::Reset, Some(card.id)).await.map_err(db)?;
                    "user_disabled"
                };
                this.audit(&txn, &actor, action, &card.username, Some(details)).await?;
                commit(txn).await?;
                let ended: Vec<_> = ended.into_iter().map(|id| (id, reason)).collect();
                sessions.ended(&ended).await;
                Ok(())
            })
            .await
    }

    /// Lets somebody sign in again.
    pub async fn enable(&self, actor: &Actor, username: &str) -> Result<(), ApiError> {
        self.may(actor)?;
        let txn = self.sessions.begin().await?;
        let card = self.find(&txn, &username.trim().to_lowercase()).await?;
        user::set_disabled(&txn, card.id, None).await.map_err(db)?;
        self.audit(&txn, actor, "user_enabled", &card.username, None).await?;
        commit(txn).await
    }

    /// A link's token with which the person chooses a password: for one use, for an hour; an earlier one is void.
    pub async fn reset_link(&self, actor: &Actor, username: &str) -> Result<Token, ApiError> {
        self.may(actor)?;
        let txn = self.sessions.begin().await?;
        let card = self.find(&txn, &username.trim().to_lowercase()).await?;
        let (token, hash) = secret::token();
        let now = self.clock().now();
        let until = Some(now.plus(RESET_FOR));
        token::replace(&txn, Kind::Reset, Some(card.id), &hash, now, until).await.map_err(db)?;
        self.audit(&txn, actor, "reset_link_made", &card.username, None).await?;
        commit(txn).await?;
        Ok(token)
    }

    fn may(&self, actor: &Actor) -> Result<(), ApiError> {
        actor.require(Action::Accounts)?;
        actor.require_fresh(self.clock().now())
    }

    async fn find(&self, txn: &DatabaseTransaction, username: &str) -> Result<UserCard, ApiError> {
        card::by_username(txn, username).await.map_err(db)?.ok_or_else(ApiError::not_found)
    }

    async fn audit(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        action: &str,
        username: &str,
        details: Option<serde_json::Value>,
    ) -> Result<(), ApiError> {
        let entry = Entry { action, subject_kind: "user", subject: Some(username), details, ip: None };
        audit::append(txn, self.clock(), actor.label(), entry).await.map_err(db)
    }
}
