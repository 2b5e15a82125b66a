//! Confirming a password: at a sign-in, for sudo mode, before a change.

use domain::{
    Actor, ApiError, ErrorCode, UserId,
    account::{self, UserCard},
    time::{MINUTE, Millis},
};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{Inner, Origin, Sessions, SignedIn, commit};
use crate::{
    audit::{self, By, Entry, Rare},
    second_factor,
    secret::{self, Token},
    store::{
        Sql, db, session, throttle as failures,
        token::{self, Kind},
        user, values,
    },
    throttle,
};

/// From a password that is too short for its owner's role to another.
const WITHIN: Millis = 10 * MINUTE;

/// Whose password it was, and the hash that is stored for it now.
pub(crate) struct Verified {
    pub(crate) user: UserId,
    pub(crate) hash: String,
}

impl Sessions {
    /// Whether `password` is that of an enabled account. `None` is a failure, which counts for the throttle and is
    /// written to the audit log as `failure`. Takes as long whatever is wrong.
    pub(crate) async fn verify(
        &self,
        account: &str,
        password: &str,
        ip: &str,
        failure: &str,
    ) -> Result<Option<Verified>, ApiError> {
        let Inner { store, clock, settings, passwords, .. } = &*self.inner;
        let key = throttle::key(account);
        let permit = passwords.permit().await?;
        // Only now: those who waited together would otherwise all have passed.
        let mut strange = false;
        if settings.now().login_throttle {
            let checked = match throttle::check(store, &key, ip, throttle::PER_ACCOUNT, clock.now()).await {
                Ok(()) => throttle::check_stranger(store, ip, clock.now()).await,
                Err(refused) => Err(refused),
            };
            strange = match checked {
                Ok(strange) => strange,
                Err(refused) => {
                    if refused.code == ErrorCode::TooManyRequests {
                        self.throttled(account, ip).await?;
                    }
                    return Err(refused);
                }
            };
        }
        let known = store.within(user::credentials(store.read(), account)).await?;
        let (id, enabled) = known.as_ref().map_or((None, false), |k| (Some(k.id), k.disabled_at.is_none()));
        let reason = match &known {
            None => "unknown_name",
            Some(_) if !enabled => "disabled",
            Some(k) if k.password_hash.is_none() => "no_password",
            Some(_) => "wrong_password",
        };
        let stored = known.filter(|_| enabled).and_then(|k| k.password_hash);
        let verdict = passwords.verify(permit, password, stored.clone()).await?;
        let (Some(user), Some(stored), true) = (id, stored, verdict.right) else {
            let txn = self.begin().await?;
            failures::record(&txn, clock.new_id(), &key, ip, clock.now()).await.map_err(db)?;
            if strange {
                throttle::record_stranger(&txn, clock.new_id(), clock.now()).await.map_err(db)?;
            }
            // The name only when it is one: people type passwords into the wrong box.
            let entry = Entry {
                action: failure,
                subject_kind: "user",
                subject: id.map(|_| account),
                details: Some(json!({"reason": reason})),
            };
            audit::append(&txn, clock, By::anonymous(ip), entry).await.map_err(db)?;
            commit(txn).await?;
            return Ok(None);
        };
        let Some(renewed) = verdict.renewed else { return Ok(Some(Verified { user, hash: stored })) };
        let text = "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?";
        let renew = Sql::new(text, values![renewed.as_str(), user, stored]);
        store.within(renew.run(store.write())).await?;
        Ok(Some(Verified { user, hash: renewed }))
    }

    /// Tries beyond the limit are not counted as failures, so they could be without end: one entry in a while.
    pub(super) async fn throttled(&self, account: &str, ip: &str) -> Result<(), ApiError> {
        let Inner { store, audit, .. } = &*self.inner;
        let known = store.within(user::credentials(store.read(), account)).await?;
        let rare = Rare {
            action: "sign_in_throttled",
            actor: "anonymous".to_owned(),
            subject_kind: "user",
            subject: known.map(|_| account.to_owned()),
            ip: Some(ip.to_owned()),
        };
        audit.record_seldom(rare, throttle::WINDOW).await
    }

    /// Verifies the password of whoever is signed in; a wrong one is 403 with `field`.
    pub(crate) async fn confirm(&self, actor: &Actor, password: &str, field: &str) -> Result<Verified, ApiError> {
        let person = actor.person()?;
        self.verify(&person.card.username, password, &person.ip, "password_not_confirmed").await?.ok_or_else(|| {
            let mut wrong = ApiError::new(ErrorCode::Forbidden, "That is not your password.");
            wrong.fields.insert(field.to_owned(), wrong.message.clone());
            wrong
        })
    }

    /// Sudo mode: the password once more, and a code of those who have a second factor, then a new token and a while in which sensitive acts are allowed.
    pub async fn reauth(
        &self,
        actor: &Actor,
        token: &str,
        password: &str,
        code: Option<&str>,
    ) -> Result<SignedIn, ApiError> {
        self.authenticate(token).await?.ok_or_else(ApiError::unauthenticated)?;
        self.confirm(actor, password, "password").await?;
        let (this, by, old) = (self.clone(), actor.clone(), secret::hash(token));
        let person = std::sync::Arc::clone(actor.person()?);
        let code = code.map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned);
        self.act(async move {
            let Inner { store, clock, settings, cache, activity, .. } = &*this.inner;
            store.within(activity.flush_of(person.card.id)).await?;
            let mut txn = this.begin().await?;
            if second_factor::is_on(&txn, person.card.id).await? {
                let code = code.ok_or_else(code_required)?;
                txn = this.spend_code(txn, &person.card, &code, &person.ip).await?;
            }
            let (token, hash) = secret::token();
            let now = clock.now();
            let fresh_until = now.plus(settings.now().sudo_for);
            if !session::rotate(&txn, person.session, &old, &hash, fresh_until, now).await.map_err(db)? {
                return Err(ApiError::unauthenticated());
            }
            let subject = person.session.to_string();
            let entry = Entry {
                action: "password_confirmed",
                subject_kind: "session",
                subject: Some(&subject),
                ..Entry::default()
            };
            audit::append(&txn, clock, &by, entry).await.map_err(db)?;
            commit(txn).await?;
            cache.rekey(person.session, hash, fresh_until);
            this.rotated(token, &hash).await
        })
        .await
    }

    /// After a right password that is too short for what its owner has become since: no session begins with it. They
    /// choose another now; those with a second factor by a link of their own, since a password alone changes nothing of
    /// theirs.
    pub(super) async fn want_password(
        &self,
        txn: &DatabaseTransaction,
        card: &UserCard,
        from: &Origin,
    ) -> Result<ApiError, ApiError> {
        let mut wanted = ApiError::new_password_required(account::password_min(card.level));
        if second_factor::is_on(txn, card.id).await? {
            wanted.message += " Ask for a link, by “Forgot your password?” or an administrator.";
        } else {
            let ((token, hash), now) = (secret::token(), self.now());
            token::replace(txn, Kind::Reset, Some(card.id), &hash, now, Some(now.plus(WITHIN))).await.map_err(db)?;
            wanted.fields.insert("token".to_owned(), token.expose().to_owned());
        }
        let entry = Entry {
            action: "new_password_wanted",
            subject_kind: "user",
            subject: Some(&card.username),
            ..Entry::default()
        };
        audit::append(txn, &self.inner.clock, By { name: &card.username, ip: Some(&from.ip) }, entry)
            .await
            .map_err(db)?;
        Ok(wanted)
    }

    /// The session under its new token.
    pub(crate) async fn rotated(&self, token: Token, hash: &[u8; 32]) -> Result<SignedIn, ApiError> {
        let session = match self.inner.cache.get(hash) {
            Some(session) => session,
            None => self.load(hash).await?.ok_or_else(ApiError::unauthenticated)?,
        };
        let remembered = session.remembered;
        Ok(SignedIn { token, session, remembered })
    }
}

fn code_required() -> ApiError {
    let mut wanted =
        ApiError::new(ErrorCode::SecondFactorRequired, "Write the code from your app, or a back-up code, too.");
    wanted.fields.insert("code".to_owned(), wanted.message.clone());
    wanted
}
