//! Invitations: a link by which somebody new chooses a password, mailed where that can be.

use domain::{
    Actor, ApiError, ErrorCode, UserId,
    account::UserCard,
    time::{DAY, Millis},
};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{Accounts, Who};
use crate::{
    mail::letter,
    secret::{self, Token},
    sessions::commit,
    store::{
        card, db,
        token::{self, Kind},
        user::{self, Credentials},
    },
};

/// People are invited before a weekend.
const INVITED_FOR: Millis = 7 * DAY;

/// How an invitation reaches its person.
#[derive(Clone, Debug)]
pub enum Invitation {
    /// By mail, to this address; nobody else has seen the link.
    Mailed(String),
    /// By whoever is shown this link.
    Link(Token),
}

/// What became of many at once.
#[derive(Clone, Debug, Default)]
pub struct Invited {
    pub mailed: u64,
    /// Usernames and links of those that cannot be written to.
    pub links: Vec<(String, Token)>,
    /// Those who have a password already, or are disabled.
    pub left_out: u64,
}

impl Accounts {
    /// Invites somebody who has no password yet: by mail when there is a server to send by and an address to send to, else
    /// by a link to hand over. It works once, for a week; an earlier one is void. 409 for somebody who has a password, or
    /// is disabled.
    pub async fn invite(&self, actor: &Actor, who: impl Into<Who>) -> Result<Invitation, ApiError> {
        self.may(actor)?;
        let txn = self.sessions.begin().await?;
        let card = self.find(&txn, &who.into()).await?;
        if let Some(refused) = refusal(user::credentials(&txn, &card.username).await.map_err(db)?.as_ref()) {
            return Err(refused);
        }
        let invitation = self.invite_within(&txn, actor, &card).await?;
        commit(txn).await?;
        self.sessions.inner.mail.wake();
        Ok(invitation)
    }

    /// The same for many, in one transaction; those who cannot be invited are left out.
    pub async fn invite_all(&self, actor: &Actor, ids: Vec<UserId>) -> Result<Invited, ApiError> {
        self.may(actor)?;
        let (this, by) = (self.clone(), actor.clone());
        self.sessions
            .act(async move {
                let txn = this.sessions.begin().await?;
                let mut invited = Invited::default();
                for card in card::by_ids(&txn, &ids).await.map_err(db)? {
                    if refusal(user::credentials(&txn, &card.username).await.map_err(db)?.as_ref()).is_some() {
                        invited.left_out += 1;
                        continue;
                    }
                    match this.invite_within(&txn, &by, &card).await? {
                        Invitation::Mailed(_) => invited.mailed += 1,
                        Invitation::Link(token) => invited.links.push((card.username, token)),
                    }
                }
                commit(txn).await?;
                this.sessions.inner.mail.wake();
                Ok(invited)
            })
            .await
    }

    async fn invite_within(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        card: &UserCard,
    ) -> Result<Invitation, ApiError> {
        let (mail, now) = (&self.sessions.inner.mail, self.clock().now());
        let (token, hash) = secret::token();
        let until = Some(now.plus(INVITED_FOR));
        token::replace(txn, Kind::Reset, Some(card.id), &hash, now, until).await.map_err(db)?;
        let to = card.email.clone().filter(|_| mail.is_configured());
        self.audit(txn, actor, "user_invited", &card.username, Some(json!({"mailed": to.is_some()}))).await?;
        let Some(to) = to else { return Ok(Invitation::Link(token)) };
        let link = mail.link(&format!("/reset?token={}", token.expose()));
        mail.put(txn, card, letter::invitation(card, &link, INVITED_FOR)).await?;
        Ok(Invitation::Mailed(to))
    }
}

/// Why somebody cannot be invited.
fn refusal(known: Option<&Credentials>) -> Option<ApiError> {
    let message = match known {
        None => return Some(ApiError::not_found()),
        Some(known) if known.disabled_at.is_some() => "This account is disabled. Enable it first.",
        Some(known) if known.password_hash.is_some() => {
            "This person has a password already. Make a link to reset it instead."
        }
        Some(_) => return None,
    };
    Some(ApiError::new(ErrorCode::Conflict, message))
}
