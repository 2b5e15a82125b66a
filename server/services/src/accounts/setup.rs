//! The first administrator, by a one-time link: there is no default account.

use domain::{
    ApiError, Level,
    account::{Role, UserCard},
};
use sea_orm::DatabaseTransaction;

use super::{Accounts, NewUser, checked};
use crate::{
    audit::{self, By, Entry},
    secret::{self, Token},
    sessions::{Origin, SignedIn, Start, commit},
    store::{
        db, is_taken,
        token::{self, Kind},
        user,
    },
};

impl Accounts {
    /// Whether nobody has an account yet.
    pub async fn needs_setup(&self) -> Result<bool, ApiError> {
        Ok(!self.store().within(user::any(self.store().read())).await?)
    }

    /// A new link's token, when nobody has an account yet; earlier ones are void.
    pub async fn setup_token(&self) -> Result<Option<Token>, ApiError> {
        let txn = self.sessions.begin().await?;
        if user::any(&txn).await.map_err(db)? {
            return Ok(None);
        }
        let (token, hash) = secret::token();
        token::replace(&txn, Kind::Setup, None, &hash, self.clock().now(), None).await.map_err(db)?;
        commit(txn).await?;
        Ok(Some(token))
    }

    /// Whether the link still works.
    pub async fn setup_token_is_good(&self, token: &str) -> Result<bool, ApiError> {
        let hash = secret::hash(token);
        let find = token::find(self.store().read(), Kind::Setup, &hash, self.clock().now());
        Ok(self.store().within(find).await?.is_some() && self.needs_setup().await?)
    }

    /// Makes the first administrator and signs them in; the token is used up in the same transaction. 404 when it is
    /// wrong or used, as if there were no such page.
    pub async fn set_up(&self, token: &str, new: NewUser, from: &Origin) -> Result<SignedIn, ApiError> {
        if !self.setup_token_is_good(token).await? {
            return Err(ApiError::not_found());
        }
        let admin = Role { name: "admin".to_owned(), level: Level::Admin };
        let new = NewUser { role: Some(admin.name.clone()), ..new };
        let password = new.password.clone().unwrap_or_default();
        let draft = checked(&new, &[admin], self.clock())?;
        let hash = self.sessions.inner.passwords.hash_new(&password, &draft).await?;
        let (this, token, from) = (self.clone(), secret::hash(token), from.clone());
        self.sessions
            .act(async move {
                let (sessions, clock) = (&this.sessions, this.clock());
                let txn = sessions.begin().await?;
                let taken = token::take(&txn, Kind::Setup, &token).await.map_err(db)?;
                if !taken || user::any(&txn).await.map_err(db)? {
                    return Err(ApiError::not_found());
                }
                let card = this.prepare(&txn, &new).await?;
                this.insert(&txn, &card, Some(hash)).await?;
                token::void(&txn, Kind::Setup, None).await.map_err(db)?;
                let entry =
                    Entry { action: "set_up", subject_kind: "user", subject: Some(&card.username), ..Entry::default() };
                audit::append(&txn, clock, By { name: &card.username, ip: Some(&from.ip) }, entry).await.map_err(db)?;
                let start = Start { card: card.clone(), remember: false, from: from.clone(), replaces: None };
                let started = sessions.start(&txn, start).await?;
                commit(txn).await?;
                sessions.started(started).await
            })
            .await
    }

    /// Writes an account; 409 when the username is taken.
    pub(super) async fn insert(
        &self,
        txn: &DatabaseTransaction,
        card: &UserCard,
        hash: Option<String>,
    ) -> Result<(), ApiError> {
        let inserted = user::insert(txn, card, hash, self.clock().now()).await;
        inserted.map_err(|e| if is_taken(&e) { super::edit::taken() } else { db(e) })
    }
}
