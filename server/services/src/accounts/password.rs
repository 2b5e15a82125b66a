//! Changing one's password, and choosing a new one by a one-time link.

use std::sync::Arc;

use domain::{Actor, ApiError, UserId, account::UserCard, session::EndReason};

use super::Accounts;
use crate::{
    audit::{self, By, Entry},
    mail::letter,
    secret,
    sessions::{Origin, SignedIn, commit},
    store::{
        Sql, card, db, ending, session, throttle as failures,
        token::{self, Kind},
        user, values,
    },
    throttle,
};

impl Accounts {
    /// Changes the actor's password after asking for the current one. This session gets a new token, the old one is
    /// dead; the others end if asked. A wrong current password is 403 and counts for the throttle.
    pub async fn change_password(
        &self,
        actor: &Actor,
        token: &str,
        current: &str,
        new: &str,
        end_others: bool,
    ) -> Result<SignedIn, ApiError> {
        let person = Arc::clone(actor.person()?);
        let sessions = &self.sessions;
        sessions.authenticate(token).await?.ok_or_else(ApiError::unauthenticated)?;
        // The password alone is not enough for whoever has a second factor: sudo mode asks for both.
        if person.card.second_factor {
            actor.require_fresh(sessions.now())?;
        }
        let verified = sessions.confirm(actor, current, "current").await?;
        let new_hash = sessions.inner.passwords.hash_new(new, &person.card).await.map_err(|e| rename(e, "new"))?;
        sessions.flush().await?;
        let (this, old, ip) = (self.clone(), secret::hash(token), Arc::clone(&person.ip));
        sessions
            .act(async move {
                let (sessions, clock) = (&this.sessions, this.clock());
                let (now, user) = (clock.now(), person.card.id);
                let fresh_until = now.plus(sessions.inner.settings.now().sudo_for);
                let (token, hash) = secret::token();
                let txn = sessions.begin().await?;
                // Somebody else changed it, or the session ended, while the passwords were hashed.
                if !user::may_sign_in(&txn, user, Some(&verified.hash)).await.map_err(db)?
                    || !session::rotate(&txn, person.session, &old, &hash, fresh_until, now).await.map_err(db)?
                {
                    return Err(ApiError::unauthenticated());
                }
                this.replace_password(&txn, user, new_hash).await?;
                let mut ended = vec![];
                if end_others {
                    let which = Sql::new("s.user_id = ? AND s.id <> ?", values![user, person.session]);
                    let (reason, by) = (EndReason::PasswordChange, Some(person.card.username.as_str()));
                    ended = ending::end(&txn, which, reason, by, now).await.map_err(db)?;
                }
                this.write_down(&txn, &person.card, "password_changed", ended.len(), &ip).await?;
                commit(txn).await?;
                sessions.inner.mail.wake();
                sessions.inner.cache.rekey(person.session, hash, fresh_until);
                let ended: Vec<_> = ended.into_iter().map(|id| (id, EndReason::PasswordChange)).collect();
                sessions.ended(&ended).await;
                sessions.rotated(token, &hash).await
            })
            .await
    }

    /// Whether a link to choose a password still works.
    pub async fn reset_token_is_good(&self, token: &str) -> Result<bool, ApiError> {
        Ok(self.owner_of(token).await?.is_some())
    }

    /// Chooses a new password by a link, which is used up; all sessions of the person end. 404 when the link is wrong,
    /// used or too old. Who the person is stays unsaid.
    pub async fn reset(&self, token: &str, new_password: &str, from: &Origin) -> Result<(), ApiError> {
        let owner = self.owner_of(token).await?.ok_or_else(ApiError::not_found)?;
        let hash = self.sessions.inner.passwords.hash_new(new_password, &owner).await?;
        self.sessions.flush().await?;
        let (this, token, ip) = (self.clone(), secret::hash(token), from.ip.clone());
        self.sessions
            .act(async move {
                let (sessions, now) = (&this.sessions, this.clock().now());
                let txn = sessions.begin().await?;
                if !token::take(&txn, Kind::Reset, &token).await.map_err(db)? {
                    return Err(ApiError::not_found());
                }
                this.replace_password(&txn, owner.id, hash).await?;
                // Whoever has the link has proved more than whoever guessed.
                failures::forget(&txn, &throttle::key(&owner.username)).await.map_err(db)?;
                let which = Sql::new("s.user_id = ?", values![owner.id]);
                let (reason, by) = (EndReason::PasswordChange, Some(owner.username.as_str()));
                let ended = ending::end(&txn, which, reason, by, now).await.map_err(db)?;
                this.write_down(&txn, &owner, "password_reset", ended.len(), &ip).await?;
                commit(txn).await?;
                sessions.inner.mail.wake();
                let ended: Vec<_> = ended.into_iter().map(|id| (id, reason)).collect();
                sessions.ended(&ended).await;
                Ok(())
            })
            .await
    }

    async fn owner_of(&self, token: &str) -> Result<Option<UserCard>, ApiError> {
        let store = self.store();
        let hash = secret::hash(token);
        let find = token::find(store.read(), Kind::Reset, &hash, self.clock().now());
        let Some(Some(id)) = store.within(find).await? else { return Ok(None) };
        Ok(store.within(card::by_ids(store.read(), &[id])).await?.pop())
    }

    /// A new password voids every link to choose one, and every sign-in that got as far as the old one.
    async fn replace_password(
        &self,
        txn: &sea_orm::DatabaseTransaction,
        user: UserId,
        hash: String,
    ) -> Result<(), ApiError> {
        user::set_password(txn, user, hash).await.map_err(db)?;
        for kind in [Kind::Reset, Kind::Code, Kind::CodeRemembered, Kind::Email] {
            token::void(txn, kind, Some(user)).await.map_err(db)?;
        }
        Ok(())
    }

    /// For the record, and to the person, whoever it was.
    async fn write_down(
        &self,
        txn: &sea_orm::DatabaseTransaction,
        card: &UserCard,
        action: &str,
        ended: usize,
        ip: &str,
    ) -> Result<(), ApiError> {
        let entry = Entry {
            action,
            subject_kind: "user",
            subject: Some(&card.username),
            details: Some(serde_json::json!({"sessions_ended": ended})),
        };
        let mail = &self.sessions.inner.mail;
        let link = mail.link(if mail.is_configured() { "/forgot" } else { "/login" });
        mail.put(txn, card, letter::password_changed(card, self.clock().now(), &link)).await?;
        audit::append(txn, self.clock(), By { name: &card.username, ip: Some(ip) }, entry).await.map_err(db)
    }
}

/// The same complaint about a field of another name.
fn rename(mut e: ApiError, field: &str) -> ApiError {
    if let Some(text) = e.fields.remove("password") {
        e.fields.insert(field.to_owned(), text);
    }
    e
}
