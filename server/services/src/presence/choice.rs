//! Manual choices, remembered over restarts.

use std::sync::Arc;

use domain::{
    ApiError, Time, UserId,
    account::UserCard,
    presence::{Choice, Chosen},
};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::store::{Sql, Store, card, values};

#[derive(FromQueryResult)]
struct Row {
    user_id: Uuid,
    choice: String,
    message: Option<String>,
    until: Option<i64>,
}

/// Every choice that is not over at `now`, with whose it is.
pub(super) async fn all(store: &Store, now: Time) -> Result<Vec<(Arc<UserCard>, Chosen)>, ApiError> {
    let text = "SELECT user_id, choice, message, until FROM presence_choices WHERE until IS NULL OR until > ?";
    let rows: Vec<Row> = store.within(Sql::new(text, values![now.0]).all(store.read())).await?;
    let ids: Vec<UserId> = rows.iter().map(|r| r.user_id).collect();
    let cards = store.within(card::by_ids(store.read(), &ids)).await?;
    let chosen = |card: UserCard| {
        let row = rows.iter().find(|r| r.user_id == card.id)?;
        let choice = Choice::ALL.into_iter().find(|c| c.as_str() == row.choice)?;
        Some((Arc::new(card), Chosen { choice, message: row.message.clone(), until: row.until.map(Time) }))
    };
    Ok(cards.into_iter().filter_map(chosen).collect())
}

/// Remembers a choice; "available" without a message is none.
pub(super) async fn put(store: &Store, user: UserId, chosen: &Chosen) -> Result<(), ApiError> {
    let statement = if *chosen == Chosen::default() {
        Sql::new("DELETE FROM presence_choices WHERE user_id = ?", values![user])
    } else {
        let text = "INSERT INTO presence_choices (user_id, choice, message, until) VALUES (?, ?, ?, ?) \
                    ON CONFLICT (user_id) DO UPDATE SET choice = excluded.choice, message = excluded.message, \
                    until = excluded.until";
        Sql::new(text, values![user, chosen.choice.as_str(), chosen.message.clone(), chosen.until.map(|t| t.0)])
    };
    store.within(statement.run(store.write())).await.map(|_| ())
}
