//! Changing one's own e-mail address: where mails can be sent, it counts once a link that went there was opened.

use data_encoding::BASE64URL_NOPAD;
use domain::{
    Actor, ApiError,
    account::{self, UserCard},
    people::UserEdit,
    time::{HOUR, Millis},
};

use super::{Accounts, Who, filled};
use crate::{
    audit::{self, Entry},
    mail::letter,
    secret,
    sessions::commit,
    store::{
        db, throttle as failures,
        token::{self, Kind},
    },
    throttle,
};

/// How long the link to a new address is good.
const CONFIRM_FOR: Millis = HOUR;
/// Links for one person within the throttle's window: each is a mail to somebody who may not have asked.
const PER_PERSON: u32 = 3;

/// What became of a wish for another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailChange {
    Done,
    /// A link is on its way there, and the old one stays until it is opened.
    Mailed(String),
}

impl Accounts {
    /// Changes one's own e-mail address, or takes it away. Asks for sudo mode: links to choose a password go there.
    pub async fn change_email(&self, actor: &Actor, email: &str) -> Result<EmailChange, ApiError> {
        let (card, mail) = (&actor.person()?.card, &self.sessions.inner.mail);
        actor.require_fresh(self.clock().now())?;
        let new = filled(Some(email)).map(account::email).transpose()?;
        if let Some(new) = new.filter(|new| mail.is_configured() && card.email.as_ref() != Some(new)) {
            self.mail_confirmation(actor, card, &new).await?;
            return Ok(EmailChange::Mailed(new));
        }
        let edit = UserEdit { email: Some(Some(email.to_owned())), ..UserEdit::default() };
        self.apply(actor, Who::Id(card.id), edit, None).await?;
        Ok(EmailChange::Done)
    }

    /// The address that a link would make the actor's; nothing when the link is another's, used or too old.
    pub async fn confirming_email(&self, actor: &Actor, link: &str) -> Result<Option<String>, ApiError> {
        let (id, store) = (actor.person()?.card.id, self.store());
        let hash = secret::hash(link);
        let owner = store.within(token::find(store.read(), Kind::Email, &hash, self.clock().now())).await?;
        Ok(address(link).filter(|_| owner == Some(Some(id))))
    }

    /// Makes the address of a link the actor's, and tells the old one. Whoever asked was in sudo mode, and the link proves
    /// that they read what goes there.
    pub async fn confirm_email(&self, actor: &Actor, link: &str) -> Result<(), ApiError> {
        let id = actor.person()?.card.id;
        let email = address(link).ok_or_else(ApiError::not_found)?;
        let edit = UserEdit { email: Some(Some(email)), ..UserEdit::default() };
        self.apply(actor, Who::Id(id), edit, Some(secret::hash(link))).await.map(drop)
    }

    async fn mail_confirmation(&self, actor: &Actor, card: &UserCard, new: &str) -> Result<(), ApiError> {
        let (mail, clock) = (&self.sessions.inner.mail, self.clock());
        let (key, now) = (throttle::key(&format!("email of {}", card.id)), clock.now());
        let (token, _) = secret::token();
        // The link says which address it is for, and the stored hash is over both, so that neither can be exchanged.
        let link = format!("{}.{}", token.expose(), BASE64URL_NOPAD.encode(new.as_bytes()));
        let txn = self.sessions.begin().await?;
        if self.sessions.inner.settings.now().login_throttle
            && let Some(refused) = throttle::refusal(&txn, &key, "", PER_PERSON, now).await.map_err(db)?
        {
            return Err(refused);
        }
        failures::record(&txn, clock.new_id(), &key, "", now).await.map_err(db)?;
        let until = Some(now.plus(CONFIRM_FOR));
        token::replace(&txn, Kind::Email, Some(card.id), &secret::hash(&link), now, until).await.map_err(db)?;
        let to = UserCard { email: Some(new.to_owned()), ..card.clone() };
        let link = mail.link(&format!("/account/email?token={link}"));
        mail.put(&txn, &to, letter::confirm_email(&to, &link, CONFIRM_FOR)).await?;
        let entry = Entry {
            action: "email_change_asked",
            subject_kind: "user",
            subject: Some(&card.username),
            ..Entry::default()
        };
        audit::append(&txn, clock, actor, entry).await.map_err(db)?;
        commit(txn).await?;
        mail.wake();
        Ok(())
    }
}

fn address(link: &str) -> Option<String> {
    let (_, address) = link.split_once('.')?;
    String::from_utf8(BASE64URL_NOPAD.decode(address.as_bytes()).ok()?).ok()
}
