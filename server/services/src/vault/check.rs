//! Whether the keys open what is sealed. Nothing is changed, and no key file made.

use std::{io::ErrorKind, path::Path};

use domain::{ApiError, Time};

use super::{Vault, VaultError, file};
use crate::store::{Store, sealed};

/// Values of each kind that are tried with each key: a key that opens these opens the rest.
const SOME: i64 = 50;

/// What came of trying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Keys that sealed anything.
    pub keys: u64,
    pub values: u64,
    /// What does not open, each by what it is about.
    pub broken: Vec<String>,
}

/// Tries some values of every key that is used.
pub(crate) async fn try_keys(store: &Store, path: &Path, now: Time) -> Result<Result<Tried, VaultError>, ApiError> {
    let used = store.within(sealed::keys_used(store.read())).await?;
    if used.is_empty() {
        return Ok(match file::read(path) {
            // It is made with the first start.
            Err(VaultError::File(_, e)) if e.kind() == ErrorKind::NotFound => Ok(Tried::default()),
            read => read.map(|_| Tried::default()),
        });
    }
    let vault = match Vault::open(path, &used, now) {
        Ok(vault) => vault,
        Err(e) => return Ok(Err(e)),
    };
    let mut tried = Tried { keys: used.len() as u64, ..Tried::default() };
    for key in &used {
        for value in store.within(sealed::some_sealed_by(store.read(), key, SOME)).await? {
            tried.values += 1;
            if vault.open_sealed(key, &value.about(), value.envelope()).is_err() {
                tried.broken.push(value.about());
            }
        }
    }
    Ok(Ok(tried))
}
