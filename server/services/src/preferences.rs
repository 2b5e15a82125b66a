//! What people prefer: each their own, and nobody another's.

use std::sync::Arc;

use domain::{
    Actor, ApiError, UserId,
    account::UserCard,
    preferences::{Preferences, SeenBy},
};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    sessions::{Sessions, commit},
    store::{Sql, Store, card, db, values},
};

/// The handle; a cheap clone.
#[derive(Clone)]
pub struct PreferencesOf {
    sessions: Sessions,
}

impl PreferencesOf {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    /// The actor's; the defaults when nothing was ever set.
    pub async fn get(&self, actor: &Actor) -> Result<Preferences, ApiError> {
        let (id, store) = (actor.person()?.card.id, &self.sessions.inner.store);
        store.within(read(store.read(), id)).await.and_then(|text| parse(text.as_deref()))
    }

    /// Replaces all of the actor's; what they hide is hidden when this returns.
    pub async fn put(&self, actor: &Actor, preferences: Preferences) -> Result<Preferences, ApiError> {
        self.change(actor, move |_| preferences.check()).await
    }

    /// Merges a patch into the actor's.
    pub async fn merge(&self, actor: &Actor, patch: Value) -> Result<Preferences, ApiError> {
        self.change(actor, move |old| old.merge(&patch)).await
    }

    async fn change(
        &self,
        actor: &Actor,
        act: impl FnOnce(&Preferences) -> Result<Preferences, ApiError> + Send + 'static,
    ) -> Result<Preferences, ApiError> {
        let (card, sessions) = (Arc::clone(&actor.person()?.card), self.sessions.clone());
        self.sessions
            .act(async move {
                let (id, now) = (card.id, sessions.inner.clock.now());
                let txn = sessions.begin().await?;
                // Written before it is read, so that of two who change it at once one waits.
                let text = "INSERT INTO preferences (user_id, value, presence, updated_at) VALUES (?, ?, ?, ?) \
                            ON CONFLICT (user_id) DO UPDATE SET updated_at = excluded.updated_at";
                let blank = values![id, "{}", word(SeenBy::default()), now.0];
                Sql::new(text, blank).run(&txn).await.map_err(db)?;
                let old = parse(read(&txn, id).await.map_err(db)?.as_deref())?;
                let new = act(&old)?;
                let value = serde_json::to_string(&new).map_err(|_| ApiError::internal())?;
                let text = "UPDATE preferences SET value = ?, presence = ? WHERE user_id = ?";
                let changed = values![value, word(new.privacy.presence), id];
                Sql::new(text, changed).run(&txn).await.map_err(db)?;
                // Told while the row is held, so that presence hears of changes in the order in which they were made.
                let presence = &sessions.inner.presence;
                presence.keep_private(&card, new.privacy.presence == SeenBy::Nobody).await?;
                if let Err(error) = commit(txn).await {
                    presence.keep_private(&card, old.privacy.presence == SeenBy::Nobody).await?;
                    return Err(error);
                }
                Ok(new)
            })
            .await
    }
}

fn word(seen_by: SeenBy) -> &'static str {
    match seen_by {
        SeenBy::Organisation => "organisation",
        SeenBy::Nobody => "nobody",
    }
}

async fn read(db: &impl ConnectionTrait, id: UserId) -> Result<Option<String>, sea_orm::DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        value: String,
    }
    let row = Sql::new("SELECT value FROM preferences WHERE user_id = ?", values![id]).one::<Row>(db).await?;
    Ok(row.map(|r| r.value))
}

fn parse(text: Option<&str>) -> Result<Preferences, ApiError> {
    let Some(text) = text else { return Ok(Preferences::default()) };
    serde_json::from_str(text).map_err(|e| {
        // Not the defaults: they would show what somebody hides.
        tracing::error!(error = %e, "stored preferences do not fit");
        ApiError::internal()
    })
}

/// Those who keep their presence private.
pub(crate) async fn private(store: &Store) -> Result<Vec<UserCard>, ApiError> {
    #[derive(FromQueryResult)]
    struct Row {
        user_id: Uuid,
    }
    let find = Sql::new("SELECT user_id FROM preferences WHERE presence = ?", values![word(SeenBy::Nobody)]);
    let rows: Vec<Row> = store.within(find.all(store.read())).await?;
    let ids: Vec<UserId> = rows.iter().map(|r| r.user_id).collect();
    store.within(card::by_ids(store.read(), &ids)).await
}
