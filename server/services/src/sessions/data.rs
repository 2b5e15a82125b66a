//! Values programs keep with a session: `cart`, `draft`. They are sealed at rest.

use domain::{ApiError, ErrorCode};
use serde_json::Value;

use super::{Inner, LiveSession, Sessions, commit};
use crate::store::{data, db};

/// Bytes of a value's JSON text.
const VALUE_MAX: usize = 16 * 1024;
/// Keys of one session: with the largest values, 1 MiB.
const KEYS_MAX: i64 = 64;
/// Characters of a key.
const KEY_MAX: usize = 64;

fn check_key(key: &str) -> Result<(), ApiError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(good) {
        return Ok(());
    }
    Err(ApiError::invalid("key", format!("Use 1 to {KEY_MAX} letters, digits or . _ -")))
}

impl Sessions {
    /// The value under `key`; 404 when there is none.
    pub async fn data_get(&self, session: &LiveSession, key: &str) -> Result<Value, ApiError> {
        check_key(key)?;
        let Inner { store, vault, .. } = &*self.inner;
        let stored = store.within(data::get(store.read(), session.id, key)).await?.ok_or_else(ApiError::not_found)?;
        let text = match &stored.sealed_by {
            Some(id) => vault.open_sealed(id, &data::about(session.id, key), &stored.value)?,
            None => stored.value,
        };
        serde_json::from_str(&text).map_err(|e| {
            tracing::error!(error = %e, "a stored value is not JSON");
            ApiError::internal()
        })
    }

    /// Keeps a value under `key`; 413 when its JSON text has more than 16 KiB, 409 when there are 64 keys already.
    pub async fn data_put(&self, session: &LiveSession, key: &str, value: &Value) -> Result<(), ApiError> {
        check_key(key)?;
        let text = value.to_string();
        if text.len() > VALUE_MAX {
            let message = format!("Keep at most {} KiB of JSON under one key.", VALUE_MAX / 1024);
            return Err(ApiError::new(ErrorCode::TooLarge, message));
        }
        let Inner { clock, vault, .. } = &*self.inner;
        let txn = self.begin().await?;
        if data::others(&txn, session.id, key).await.map_err(db)? >= KEYS_MAX {
            let message = format!("A session keeps at most {KEYS_MAX} keys. Delete one first.");
            return Err(ApiError::new(ErrorCode::Conflict, message));
        }
        let (id, value) = vault.seal(&data::about(session.id, key), &text)?;
        let new = data::Stored { session_id: session.id, key: key.to_owned(), value, sealed_by: Some(id) };
        data::put(&txn, new, clock.now()).await.map_err(db)?;
        commit(txn).await
    }

    /// Deletes the value under `key`; 404 when there is none.
    pub async fn data_delete(&self, session: &LiveSession, key: &str) -> Result<(), ApiError> {
        check_key(key)?;
        let store = &self.inner.store;
        let deleted = store.within(data::delete(store.write(), session.id, key)).await?;
        if deleted { Ok(()) } else { Err(ApiError::not_found()) }
    }
}
