//! What administrators and operators do with accounts.

use domain::{
    Actor, ApiError, ErrorCode, Time, UserId,
    access::Action,
    account::{UserCard, UserView},
    people::GoesWith,
    session::EndReason,
    time::{HOUR, Millis},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde_json::json;

use super::{Accounts, Invitation, NewUser, Who, checked};
use crate::{
    audit::{self, Entry, Whose},
    mail::letter,
    secret::{self, Token},
    sessions::commit,
    store::{
        self, Sql, card, db, directory, ending, list, people,
        token::{self, Kind},
        user, values,
    },
};

/// A link to choose a new password works for this long.
pub(super) const RESET_FOR: Millis = HOUR;

impl Accounts {
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
    pub async fn disable(&self, actor: &Actor, who: impl Into<Who>) -> Result<(), ApiError> {
        self.end_account(actor, who.into(), EndReason::UserDisabled, false).await.map(drop)
    }

    /// Deletes an account with all that goes with it, and says how much that was. 409 for the last administrator.
    pub async fn delete(&self, actor: &Actor, who: impl Into<Who>) -> Result<GoesWith, ApiError> {
        self.end_account(actor, who.into(), EndReason::UserDeleted, false).await
    }

    /// Deletes an account as `delete` does, and everything the audit log says of the person with it, in one transaction;
    /// the chain stays good, and says that it was done.
    pub async fn erase(&self, actor: &Actor, who: impl Into<Who>) -> Result<GoesWith, ApiError> {
        self.end_account(actor, who.into(), EndReason::UserDeleted, true).await
    }

    /// What `erase` would say now. It reads the whole log.
    pub async fn erases(&self, actor: &Actor, who: impl Into<Who>) -> Result<GoesWith, ApiError> {
        let who = who.into();
        let goes = self.goes_with(actor, who.clone()).await?;
        let card = self.find(self.store().read(), &who).await?;
        let found = self.sessions.inner.audit.mentions(&whose(&card)).await?;
        Ok(GoesWith { audit_entries: Some(found.entries()), ..goes })
    }

    /// What would go with an account: what `delete` would say now. Looking asks for no sudo mode.
    pub async fn goes_with(&self, actor: &Actor, who: impl Into<Who>) -> Result<GoesWith, ApiError> {
        actor.require(Action::Accounts)?;
        self.sessions.flush().await?;
        self.sessions.inner.presence.flush().await?;
        self.sessions.inner.events.flush().await?;
        let store = self.store();
        let card = self.find(store.read(), &who.into()).await?;
        store.within(goes_with(store.read(), card.id, self.clock().now())).await
    }

    async fn end_account(&self, actor: &Actor, who: Who, reason: EndReason, erase: bool) -> Result<GoesWith, ApiError> {
        self.may(actor)?;
        // Before anything waits for it.
        let mentioned = if erase {
            let card = self.find(self.store().read(), &who).await?;
            let whose = whose(&card);
            Some((self.sessions.inner.audit.mentions(&whose).await?, whose))
        } else {
            None
        };
        let (this, actor) = (self.clone(), actor.clone());
        self.sessions
            .act(async move {
                let sessions = &this.sessions;
                sessions.flush().await?;
                sessions.inner.events.flush().await?;
                let txn = sessions.begin().await?;
                let card = this.find(&txn, &who).await?;
                if !user::other_admin(&txn, card.id).await.map_err(db)? && card.level == domain::Level::Admin {
                    return Err(last_admin());
                }
                let now = this.clock().now();
                let mut gone = GoesWith::default();
                if reason == EndReason::UserDeleted {
                    gone = goes_with(&txn, card.id, now).await.map_err(db)?;
                }
                let which = Sql::new("s.user_id = ?", values![card.id]);
                let mut ended = ending::end(&txn, which, reason, Some(actor.label()), now).await.map_err(db)?;
                let mut details = json!({"sessions_ended": ended.len()});
                let action = if reason == EndReason::UserDeleted {
                    user::delete(&txn, card.id).await.map_err(db)?;
                    // So that every process forgets the person, also one without a session.
                    ending::record(&txn, &[card.id], reason, now).await.map_err(db)?;
                    ended.push(card.id);
                    details["rows"] = json!(gone.rows);
                    "user_deleted"
                } else {
                    user::set_disabled(&txn, card.id, Some(now)).await.map_err(db)?;
                    token::void(&txn, Kind::Reset, Some(card.id)).await.map_err(db)?;
                    "user_disabled"
                };
                this.audit(&txn, &actor, action, &card.username, Some(details)).await?;
                if let Some((found, whose)) = mentioned {
                    gone.audit_entries = Some(found.entries());
                    found.erase(&txn, this.clock(), &actor, &whose).await.map_err(db)?;
                }
                commit(txn).await?;
                let ended: Vec<_> = ended.into_iter().map(|id| (id, reason)).collect();
                sessions.ended(&ended).await;
                Ok(gone)
            })
            .await
    }

    /// Lets somebody sign in again.
    pub async fn enable(&self, actor: &Actor, who: impl Into<Who>) -> Result<(), ApiError> {
        self.may(actor)?;
        let who = who.into();
        let txn = self.sessions.begin().await?;
        let card = self.find(&txn, &who).await?;
        user::set_disabled(&txn, card.id, None).await.map_err(db)?;
        self.audit(&txn, actor, "user_enabled", &card.username, None).await?;
        commit(txn).await
    }

    /// A link's token with which the person chooses a password: for one use, for an hour; an earlier one is void.
    pub async fn reset_link(&self, actor: &Actor, who: impl Into<Who>) -> Result<Token, ApiError> {
        self.may(actor)?;
        let txn = self.sessions.begin().await?;
        let card = self.find(&txn, &who.into()).await?;
        let token = self.make_reset(&txn, actor, &card, false).await?;
        commit(txn).await?;
        Ok(token)
    }

    /// The same by mail, so that nobody but the person sees it; only where no mail can reach them the link is given back.
    pub async fn send_reset(&self, actor: &Actor, who: impl Into<Who>) -> Result<Invitation, ApiError> {
        self.may(actor)?;
        let mail = &self.sessions.inner.mail;
        let txn = self.sessions.begin().await?;
        let card = self.find(&txn, &who.into()).await?;
        let to = card.email.clone().filter(|_| mail.is_configured());
        let token = self.make_reset(&txn, actor, &card, to.is_some()).await?;
        if to.is_some() {
            let link = mail.link(&format!("/reset?token={}", token.expose()));
            mail.put(&txn, &card, letter::password_reset(&card, &link, RESET_FOR)).await?;
        }
        commit(txn).await?;
        mail.wake();
        Ok(to.map_or(Invitation::Link(token), Invitation::Mailed))
    }

    async fn make_reset(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        card: &UserCard,
        mailed: bool,
    ) -> Result<Token, ApiError> {
        let ((token, hash), now) = (secret::token(), self.clock().now());
        let until = Some(now.plus(RESET_FOR));
        token::replace(txn, Kind::Reset, Some(card.id), &hash, now, until).await.map_err(db)?;
        self.audit(txn, actor, "reset_link_made", &card.username, Some(json!({"mailed": mailed}))).await?;
        Ok(token)
    }

    pub(super) fn may(&self, actor: &Actor) -> Result<(), ApiError> {
        actor.require(Action::Accounts)?;
        actor.require_fresh(self.clock().now())
    }

    pub(super) async fn find(&self, db: &impl ConnectionTrait, who: &Who) -> Result<UserCard, ApiError> {
        let found = match who {
            Who::Id(id) => card::by_ids(db, &[*id]).await.map(|mut cards| cards.pop()),
            Who::Username(name) => card::by_username(db, name).await,
        };
        found.map_err(store::db)?.ok_or_else(ApiError::not_found)
    }

    pub(super) async fn audit(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        action: &str,
        username: &str,
        details: Option<serde_json::Value>,
    ) -> Result<(), ApiError> {
        let entry = Entry { action, subject_kind: "user", subject: Some(username), details };
        audit::append(txn, self.clock(), actor, entry).await.map_err(db)
    }
}

/// 409: nobody would be left who may do all this.
pub(crate) fn last_admin() -> ApiError {
    ApiError::new(ErrorCode::Conflict, "This is the last administrator. Make another one first.")
}

/// Under which names the log may know somebody.
fn whose(card: &UserCard) -> Whose {
    let mut also = vec![card.id.to_string(), card.name.clone()];
    also.extend(card.email.clone());
    Whose { username: card.username.clone(), also }
}

async fn goes_with(db: &impl ConnectionTrait, user: UserId, now: Time) -> Result<GoesWith, DbErr> {
    let mut goes =
        GoesWith { live_sessions: list::count_of(db, list::live_of(user, now)).await?, ..GoesWith::default() };
    for (kind, count) in people::GOES {
        let n = Sql::new(*count, values![user]).number(db).await?;
        goes.rows.insert((*kind).to_owned(), n as u64);
    }
    Ok(goes)
}
