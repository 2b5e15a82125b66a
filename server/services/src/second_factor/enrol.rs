//! What a person does with their own second factor, and an administrator with somebody's.

use data_encoding::BASE32_NOPAD;
use domain::{Actor, ApiError, ErrorCode, Time, UserId, access::Action, account::UserCard};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{backup_code, open, totp, wrong_code};
use crate::{
    audit::{self, Entry},
    mail::letter,
    secret,
    sessions::{Sessions, commit},
    store::{Sql, card, db, groups, second_factor as rows, throttle as failures, values},
    throttle,
    vault::Vault,
};

/// Bytes of the secret that the app shares: as long as the hash, as the standard asks.
const SECRET_BYTES: usize = 20;
/// Back-up codes of a person.
const BACKUP_CODES: usize = 10;

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Off,
    /// Begun, and not confirmed by a code.
    Begun,
    On {
        since: Time,
        backup_codes_left: u64,
    },
}

/// What the app has to know.
#[derive(Clone)]
pub struct Enrolment {
    /// To be typed, in groups of four.
    pub secret: String,
    /// To be read as a QR code.
    pub uri: String,
}

/// The handle on second factors; a cheap clone.
#[derive(Clone)]
pub struct SecondFactor {
    sessions: Sessions,
}

impl SecondFactor {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    fn vault(&self) -> &Vault {
        &self.sessions.inner.vault
    }

    fn now(&self) -> Time {
        self.sessions.now()
    }

    /// The actor's own.
    pub async fn state(&self, actor: &Actor) -> Result<State, ApiError> {
        let (store, user) = (&self.sessions.inner.store, actor.person()?.card.id);
        let Some(factor) = store.within(rows::find(store.read(), user)).await? else { return Ok(State::Off) };
        let Some(since) = factor.confirmed_at.map(Time) else { return Ok(State::Begun) };
        let left = store.within(rows::backups_left(store.read(), user)).await?;
        Ok(State::On { since, backup_codes_left: left.unsigned_abs() })
    }

    /// Begins anew with a fresh secret. Asks for sudo mode, like all that follows; 409 while one is on.
    pub async fn begin(&self, actor: &Actor) -> Result<(), ApiError> {
        let card = self.fresh(actor)?;
        let secret: [u8; SECRET_BYTES] = secret::random();
        let txn = self.sessions.begin().await?;
        let sealed = self.vault().seal(&rows::about(card.id), &BASE32_NOPAD.encode(&secret))?;
        if !rows::begin(&txn, card.id, sealed, self.now()).await.map_err(db)? {
            return Err(ApiError::new(ErrorCode::Conflict, "Your second factor is on already."));
        }
        commit(txn).await
    }

    /// What was begun, to be read by the app; nothing when nothing was.
    pub async fn enrolment(&self, actor: &Actor) -> Result<Option<Enrolment>, ApiError> {
        let card = self.fresh(actor)?;
        let store = &self.sessions.inner.store;
        let factor = store.within(rows::find(store.read(), card.id)).await?.filter(|f| f.confirmed_at.is_none());
        let secret = factor.map(|f| open(self.vault(), card.id, &f)).transpose()?;
        Ok(secret.map(|secret| {
            let text = BASE32_NOPAD.encode(&secret);
            let label: String =
                card.username.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
            let uri = format!("otpauth://totp/Rollcall:{label}?secret={text}&issuer=Rollcall");
            let groups: Vec<&str> = (0..text.len()).step_by(4).map(|i| &text[i..text.len().min(i + 4)]).collect();
            Enrolment { secret: groups.join(" "), uri }
        }))
    }

    /// Turns it on by a first code, which proves that the app has read the secret; gives the back-up codes, the only time
    /// they can be read.
    pub async fn confirm(&self, actor: &Actor, typed: &str) -> Result<Vec<String>, ApiError> {
        let card = self.fresh(actor)?;
        let (now, key) = (self.now(), throttle::key(&card.username));
        let inner = &self.sessions.inner;
        let txn = self.sessions.begin().await?;
        if inner.settings.now().login_throttle {
            let refused = throttle::refusal(&txn, &key, "", throttle::PER_ACCOUNT, now).await.map_err(db)?;
            refused.map_or(Ok(()), Err)?;
        }
        let factor = rows::find(&txn, card.id).await.map_err(db)?.filter(|f| f.confirmed_at.is_none());
        let factor = factor.ok_or_else(|| ApiError::new(ErrorCode::Conflict, "Begin to set it up first."))?;
        let secret = open(self.vault(), card.id, &factor)?;
        let Some(step) = totp::matching_step(&secret, &super::tidy(typed), now, factor.last_step) else {
            failures::record(&txn, inner.clock.new_id(), &key, "", now).await.map_err(db)?;
            commit(txn).await?;
            return Err(wrong_code());
        };
        rows::confirm(&txn, card.id, step, now).await.map_err(db)?;
        let codes = self.replace_backups(&txn, card.id).await?;
        self.record(&txn, actor, &card, "second_factor_on").await?;
        inner
            .mail
            .put(&txn, &card, letter::second_factor(&card, "turned on", now, &inner.mail.link("/account")))
            .await?;
        self.finish(txn, &card).await?;
        Ok(codes)
    }

    /// New back-up codes; the old ones are void.
    pub async fn new_backup_codes(&self, actor: &Actor) -> Result<Vec<String>, ApiError> {
        let card = self.fresh(actor)?;
        let txn = self.sessions.begin().await?;
        if !super::is_on(&txn, card.id).await? {
            return Err(ApiError::new(ErrorCode::Conflict, "Turn your second factor on first."));
        }
        let codes = self.replace_backups(&txn, card.id).await?;
        self.record(&txn, actor, &card, "backup_codes_made").await?;
        let mail = &self.sessions.inner.mail;
        let letter = letter::second_factor(&card, "given new back-up codes", self.now(), &mail.link("/account"));
        mail.put(&txn, &card, letter).await?;
        commit(txn).await?;
        mail.wake();
        Ok(codes)
    }

    /// Turns one's own off.
    pub async fn turn_off(&self, actor: &Actor) -> Result<(), ApiError> {
        let card = self.fresh(actor)?;
        self.end(actor, &card, "turned off", "second_factor_off").await
    }

    /// Turns somebody's off who lost their telephone and their back-up codes.
    pub async fn reset(&self, actor: &Actor, user: UserId) -> Result<(), ApiError> {
        actor.require(Action::Accounts)?;
        actor.require_fresh(self.now())?;
        let store = &self.sessions.inner.store;
        let card = store.within(card::by_ids(store.read(), &[user])).await?.pop().ok_or_else(ApiError::not_found)?;
        self.end(actor, &card, "turned off by an administrator", "second_factor_reset").await
    }

    /// The same by username.
    pub async fn reset_of(&self, actor: &Actor, username: &str) -> Result<(), ApiError> {
        actor.require(Action::Accounts)?;
        let (store, username) = (&self.sessions.inner.store, username.trim().to_lowercase());
        let card = store.within(card::by_username(store.read(), &username)).await?.ok_or_else(ApiError::not_found)?;
        self.reset(actor, card.id).await
    }

    async fn end(&self, actor: &Actor, card: &UserCard, what: &str, action: &str) -> Result<(), ApiError> {
        let inner = &self.sessions.inner;
        let txn = self.sessions.begin().await?;
        if !rows::delete(&txn, card.id).await.map_err(db)? {
            return Err(ApiError::new(ErrorCode::Conflict, "There is no second factor to turn off."));
        }
        self.record(&txn, actor, card, action).await?;
        let letter = letter::second_factor(card, what, self.now(), &inner.mail.link("/account"));
        inner.mail.put(&txn, card, letter).await?;
        self.finish(txn, card).await
    }

    /// Commits that somebody has one, or has none any more: every process learns of it.
    async fn finish(&self, txn: DatabaseTransaction, card: &UserCard) -> Result<(), ApiError> {
        groups::changed(&txn, Sql::new("u.id = ?", values![card.id]), self.now()).await.map_err(db)?;
        commit(txn).await?;
        self.sessions.inner.mail.wake();
        self.sessions.cards_changed(&[card.id]).await
    }

    async fn replace_backups(&self, txn: &DatabaseTransaction, user: UserId) -> Result<Vec<String>, ApiError> {
        let (codes, hashes): (Vec<_>, Vec<_>) = (0..BACKUP_CODES).map(|_| backup_code()).unzip();
        rows::replace_backups(txn, user, &hashes).await.map_err(db)?;
        Ok(codes)
    }

    /// Whoever asks, in sudo mode.
    fn fresh(&self, actor: &Actor) -> Result<UserCard, ApiError> {
        let card = UserCard::clone(&actor.person()?.card);
        actor.require_fresh(self.now())?;
        Ok(card)
    }

    async fn record(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        of: &UserCard,
        action: &str,
    ) -> Result<(), ApiError> {
        let entry = Entry { action, subject_kind: "user", subject: Some(&of.username), details: Some(json!({})) };
        audit::append(txn, &self.sessions.inner.clock, actor, entry).await.map_err(db)
    }
}
