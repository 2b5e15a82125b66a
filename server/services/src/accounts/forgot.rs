//! A forgotten password: a link by e-mail, without a word on who has an account.

use domain::{ApiError, account::UserCard};

use super::Accounts;
use crate::{
    audit::{self, By, Entry},
    mail::letter,
    secret,
    sessions::{Origin, commit},
    store::{
        card, db, throttle as failures,
        token::{self, Kind},
        user,
    },
    throttle,
};

/// Links for one name within the throttle's window: each is a mail to somebody who may not have asked.
const PER_NAME: u32 = 3;
/// Accounts that share an address; more are a list of people, who ask by username.
const SHARED_MAX: i64 = 5;

impl Accounts {
    /// Mails a link to whoever is meant by `who`, a username or an e-mail address. What is answered, and how long it
    /// takes, is the same for a name nobody has (row 8): whether there is somebody is only looked up afterwards. 429
    /// for a name, or an address, that asked too often.
    pub async fn forgot(&self, who: &str, from: &Origin) -> Result<(), ApiError> {
        let (store, clock) = (self.store(), self.clock());
        let who = who.trim().to_lowercase();
        if who.is_empty() {
            return Err(ApiError::invalid("who", "Write your username or your e-mail address."));
        }
        // Another key than that of sign-ins: asking for a link must not keep the owner from signing in.
        let key = throttle::key(&format!("forgot {who}"));
        if self.sessions.inner.settings.now().login_throttle {
            throttle::check(store, &key, &from.ip, PER_NAME, clock.now()).await?;
        }
        let txn = self.sessions.begin().await?;
        failures::record(&txn, clock.new_id(), &key, &from.ip, clock.now()).await.map_err(db)?;
        commit(txn).await?;
        let (this, ip) = (self.clone(), from.ip.clone());
        self.sessions.inner.tasks.spawn(async move {
            if let Err(e) = this.mail_links(&who, &ip).await {
                tracing::warn!(error = %e, "a link to choose a password could not be mailed");
            }
        });
        Ok(())
    }

    async fn mail_links(&self, who: &str, ip: &str) -> Result<(), ApiError> {
        let store = self.store();
        let ids = store.within(user::reachable_by_mail(store.read(), who, SHARED_MAX)).await?;
        for card in store.within(card::by_ids(store.read(), &ids)).await? {
            self.mail_link(&card, ip).await?;
        }
        Ok(())
    }

    async fn mail_link(&self, to: &UserCard, ip: &str) -> Result<(), ApiError> {
        let (clock, mail) = (self.clock(), &self.sessions.inner.mail);
        let (token, hash) = secret::token();
        let now = clock.now();
        let txn = self.sessions.begin().await?;
        // Disabled or deleted meanwhile.
        if !user::may_sign_in(&txn, to.id, None).await.map_err(db)? {
            return Ok(());
        }
        let until = Some(now.plus(super::manage::RESET_FOR));
        token::replace(&txn, Kind::Reset, Some(to.id), &hash, now, until).await.map_err(db)?;
        let link = mail.link(&format!("/reset?token={}", token.expose()));
        mail.put(&txn, to, letter::password_reset(to, &link, super::manage::RESET_FOR)).await?;
        let entry =
            Entry { action: "reset_link_mailed", subject_kind: "user", subject: Some(&to.username), details: None };
        audit::append(&txn, clock, By::anonymous(ip), entry).await.map_err(db)?;
        commit(txn).await?;
        mail.wake();
        Ok(())
    }
}
