//! A new key, and sealing again what older ones sealed.

use std::path::Path;

use domain::{ApiError, Time};
use serde::Serialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Vault, VaultError, file};
use crate::{
    OpenError, Services,
    audit::{self, Entry},
    clock::Clock,
    store::{Store, db, sealed},
};

/// Values sealed in one transaction: writers wait some milliseconds.
const BATCH: i64 = 200;

/// A key, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyView {
    pub id: String,
    pub made_at: Time,
    /// Whether it is the one that seals.
    pub current: bool,
    /// How many values it sealed.
    pub values: u64,
}

impl Services {
    /// The keys of the file, oldest first.
    pub async fn keys(&self) -> Result<Vec<KeyView>, ApiError> {
        let (keys, _) = file::read(&self.vault.path)?;
        let mut views = vec![];
        for (i, key) in keys.iter().enumerate() {
            let values = self.store.within(sealed::count(self.store.read(), &key.id)).await?;
            views.push(KeyView { id: key.id.clone(), made_at: key.made_at, current: i + 1 == keys.len(), values });
        }
        Ok(views)
    }

    /// Makes a new key, seals everything with it, and drops the keys that nothing needs any more; the new one, and how
    /// many values were sealed again. Works beside a server, which finds the new key by itself.
    pub async fn rotate_keys(&self) -> Result<(KeyView, u64), ApiError> {
        let id = file::add(&self.vault.path, self.clock.now())?;
        let again = seal_all(&self.store, &self.vault).await?;
        let txn = self.store.within(self.store.begin()).await?;
        // Whoever writes from here on sees the new key, and whoever wrote before is counted: writers queue.
        let used = sealed::keys_used(&txn).await.map_err(db)?;
        file::retain(&self.vault.path, |id| used.iter().any(|u| u == id))?;
        let details = Some(json!({"key": id, "sealed_again": again}));
        let entry = Entry { action: "keys_rotated", subject_kind: "keys", details, ..Entry::default() };
        audit::append(&txn, &self.clock, audit::OPERATOR, entry).await.map_err(db)?;
        txn.commit().await.map_err(db)?;
        let key = self.keys().await?.pop().ok_or_else(ApiError::internal)?;
        Ok((key, again))
    }
}

/// Seals everything that the newest key has not sealed, in batches; how many values.
async fn seal_all(store: &Store, vault: &Vault) -> Result<u64, ApiError> {
    let mut done = 0;
    loop {
        let txn = store.within(store.begin()).await?;
        let (newest, _) = vault.seal("", "")?;
        let values = sealed::not_sealed_by(&txn, &newest, BATCH).await.map_err(db)?;
        for value in &values {
            let about = value.about();
            let text = match value.sealed_by() {
                Some(id) => vault.open_sealed(id, &about, value.envelope())?,
                None => value.envelope().to_owned(),
            };
            let (id, envelope) = vault.seal(&about, &text)?;
            value.replace(&txn, &envelope, &id).await.map_err(db)?;
        }
        txn.commit().await.map_err(db)?;
        if values.is_empty() {
            return Ok(done);
        }
        done += values.len() as u64;
    }
}

/// At the start of a server: values of before there were keys, and those of a rotation that was cut short.
pub(crate) async fn seal_old(store: Store, vault: Vault, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        sealed = seal_all(&store, &vault) => match sealed {
            Ok(0) => {}
            Ok(values) => tracing::info!(values, "sealed what was not sealed with the newest key"),
            Err(error) => tracing::error!(%error, "some values are not sealed with the newest key"),
        }
    }
}

/// When the key file is lost: gives up what nobody can open any more, and makes a new key; how many values went.
pub async fn reset(database_url: &str, path: &Path, clock: &Clock) -> Result<u64, OpenError> {
    let store = Store::open(database_url).await?;
    let txn = store.begin().await?;
    let used = sealed::keys_used(&txn).await?;
    let known = match file::read(path) {
        Ok((keys, _)) => keys.into_iter().map(|k| k.id).collect(),
        Err(VaultError::File(_, e)) if e.kind() == std::io::ErrorKind::NotFound => vec![],
        Err(e) => return Err(e.into()),
    };
    let mut deleted = 0;
    for id in used.iter().filter(|id| !known.contains(id)) {
        deleted += sealed::give_up(&txn, id).await?;
    }
    file::create(path, clock.now())?;
    let details = Some(json!({"values_deleted": deleted}));
    let entry = Entry { action: "keys_reset", subject_kind: "keys", details, ..Entry::default() };
    audit::append(&txn, clock, audit::OPERATOR, entry).await?;
    txn.commit().await?;
    store.close().await;
    Ok(deleted)
}
