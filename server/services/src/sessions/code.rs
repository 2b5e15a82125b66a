//! The second step of a sign-in, and of confirming a password, for those who have a second factor.

use domain::{ApiError, ErrorCode, account::UserCard, time::MINUTE};
use metrics::counter;
use sea_orm::DatabaseTransaction;

use super::{Inner, Origin, Sessions, SignedIn, Start, commit};
use crate::{
    audit::{self, By, Entry},
    second_factor::{self, wrong_code},
    secret,
    store::{
        card, db, throttle as failures,
        token::{self, Kind},
        user,
    },
    throttle,
};

/// From the password to the code.
const WITHIN: i64 = 5 * MINUTE;

impl Sessions {
    /// After a right password: whether a code is wanted too, and then the refusal that says so. The token in it is good
    /// for nothing but the second step.
    pub(super) async fn want_code(
        &self,
        txn: &DatabaseTransaction,
        card: &UserCard,
        remember: bool,
    ) -> Result<Option<ApiError>, ApiError> {
        if !second_factor::is_on(txn, card.id).await? {
            return Ok(None);
        }
        let ((token, hash), now) = (secret::token(), self.now());
        let kind = if remember { Kind::CodeRemembered } else { Kind::Code };
        token::replace(txn, kind, Some(card.id), &hash, now, Some(now.plus(WITHIN))).await.map_err(db)?;
        let mut wanted =
            ApiError::new(ErrorCode::SecondFactorRequired, "Now the code from your app, or a back-up code.");
        wanted.fields.insert("token".to_owned(), token.expose().to_owned());
        Ok(Some(wanted))
    }

    /// The second step: the code that belongs to the password given a moment ago. Wrong codes count as wrong passwords
    /// do; a code works once, and so does the step.
    pub async fn second_factor(
        &self,
        token: &str,
        code: &str,
        from: &Origin,
        replaces: Option<&str>,
    ) -> Result<SignedIn, ApiError> {
        let (this, hash, code) = (self.clone(), secret::hash(token), code.to_owned());
        let (from, replaces) = (from.clone(), replaces.map(str::to_owned));
        let outcome = self
            .act(async move {
                let txn = this.begin().await?;
                let mut found = None;
                for kind in [Kind::Code, Kind::CodeRemembered] {
                    if let Some(Some(user)) = token::find(&txn, kind, &hash, this.now()).await.map_err(db)? {
                        found = Some((kind, user));
                    }
                }
                let (kind, id) = found.ok_or_else(wrong_code)?;
                let card = card::by_ids(&txn, &[id]).await.map_err(db)?.pop().ok_or_else(wrong_code)?;
                let txn = this.spend_code(txn, &card, &code, &from.ip).await?;
                // Disabled since the password was right, or used twice.
                if !user::may_sign_in(&txn, id, None).await.map_err(db)?
                    || !token::take(&txn, kind, &hash).await.map_err(db)?
                {
                    return Err(wrong_code());
                }
                let remember = kind == Kind::CodeRemembered;
                let started = this.start(&txn, Start { card, remember, from, replaces }).await?;
                commit(txn).await?;
                this.started(started).await
            })
            .await;
        let result = if outcome.is_ok() { "ok" } else { "code_refused" };
        counter!("rollcall_sign_ins_total", "result" => result).increment(1);
        outcome
    }

    /// Uses a code up within the transaction, which is given back. A wrong one is counted and written down, and ends it.
    pub(super) async fn spend_code(
        &self,
        txn: DatabaseTransaction,
        card: &UserCard,
        code: &str,
        ip: &str,
    ) -> Result<DatabaseTransaction, ApiError> {
        let Inner { clock, settings, vault, .. } = &*self.inner;
        let (key, now) = (throttle::key(&card.username), clock.now());
        // Within the transaction, so that of many guesses at once none slips through.
        if settings.now().login_throttle
            && let Some(refused) = throttle::refusal(&txn, &key, ip, throttle::PER_ACCOUNT, now).await.map_err(db)?
        {
            // What tells of it has a transaction of its own.
            txn.rollback().await.map_err(db)?;
            self.throttled(&card.username, ip).await?;
            return Err(refused);
        }
        if second_factor::spend(&txn, vault, card.id, code, now).await? {
            return Ok(txn);
        }
        failures::record(&txn, clock.new_id(), &key, ip, now).await.map_err(db)?;
        let entry = Entry {
            action: "second_factor_failed",
            subject_kind: "user",
            subject: Some(&card.username),
            details: None,
        };
        audit::append(&txn, clock, By::anonymous(ip), entry).await.map_err(db)?;
        commit(txn).await?;
        Err(wrong_code())
    }
}
