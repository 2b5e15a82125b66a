//! Values that the database holds and must not be able to read: sealed with the instance's key.
//!
//! - here: sealing and opening. `file`: the key file. `rotate`: a new key, and what was sealed with older ones. `check`:
//!   whether the keys open what there is.
//!
//! XChaCha20-Poly1305 with a random nonce of 192 bits, so that no counter has to be kept. What a value is about (its
//! table, its row, its name) is authenticated with it: a value that is moved to another row does not open there.
//!
//! To seal another kind of value: `seal` within a transaction of `Store::begin`, so that a rotation beside it sees
//! either the value or whoever is about to write it; a column with the envelope, one with the id of its key; and both
//! as a place in `store::sealed`, or the key it needs is dropped.

mod check;
mod file;
mod rotate;

use std::{
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::{ApiError, Time};

use self::file::{Key, Stamp};
pub use self::{
    check::Tried,
    rotate::{KeyView, reset},
};
pub(crate) use self::{check::try_keys, rotate::seal_old};
use crate::secret;

const NONCE: usize = 24;

/// Why a value could not be sealed or opened, or the keys not be read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("The key file {} cannot be read or written: {}", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    #[error("The key file {} is damaged in line {}: put it back from your backup of the data directory", .0.display(), .1)]
    Damaged(PathBuf, usize),
    #[error(
        "The database holds values sealed with the key {}, which is not in {}. Put the key file back from your backup of the \
         data directory, or say with ROLLCALL_SECRET_KEY_FILE where it is; if it is lost, so are these values: \
         `rollcall keys reset --yes` deletes them", .0, .1.display()
    )]
    Lost(String, PathBuf),
    #[error("a sealed value does not open: it was changed, or belongs elsewhere")]
    Broken,
}

impl From<VaultError> for ApiError {
    fn from(e: VaultError) -> Self {
        tracing::error!(error = %e, "the vault");
        Self::internal()
    }
}

/// The keys, and what is done with them; a cheap clone.
#[derive(Clone)]
pub struct Vault {
    path: Arc<Path>,
    ring: Arc<RwLock<Ring>>,
}

struct Ring {
    /// Of which the last seals; those that a rotation dropped meanwhile stand before it.
    keys: Vec<Key>,
    /// Of the file as it was read.
    stamp: Option<Stamp>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.path.display())
    }
}

impl Vault {
    /// Reads the key file, or makes it when it is not there and nothing is sealed yet. `used` are the keys the database
    /// needs.
    pub(crate) fn open(path: &Path, used: &[String], now: Time) -> Result<Self, VaultError> {
        if used.is_empty() {
            file::create(path, now)?;
        }
        let (keys, stamp) = match file::read(path) {
            Err(VaultError::File(_, e)) if e.kind() == ErrorKind::NotFound => (vec![], None),
            read => read?,
        };
        if let Some(lost) = used.iter().find(|id| keys.iter().all(|k| k.id != **id)) {
            return Err(VaultError::Lost(lost.clone(), path.to_owned()));
        }
        let ring = Ring { keys, stamp };
        Ok(Self { path: path.into(), ring: Arc::new(RwLock::new(ring)) })
    }

    /// Seals `text`, which is about `about`, with the newest key: the key's id and the envelope.
    pub(crate) fn seal(&self, about: &str, text: &str) -> Result<(String, String), VaultError> {
        // Another process may have made a new key.
        if self.read(|r| r.stamp) != file::stamp(&self.path) {
            self.reload()?;
        }
        let nonce: [u8; NONCE] = secret::random();
        let payload = Payload { msg: text.as_bytes(), aad: about.as_bytes() };
        let (id, sealed) = self
            .read(|r| {
                let key = r.keys.last()?;
                Some((key.id.clone(), cipher(key).encrypt(&XNonce::from(nonce), payload).ok()?))
            })
            .ok_or(VaultError::Broken)?;
        Ok((id, URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens what was sealed with the key `id` about the same.
    pub(crate) fn open_sealed(&self, id: &str, about: &str, envelope: &str) -> Result<String, VaultError> {
        if !self.read(|r| r.keys.iter().any(|k| k.id == id)) {
            self.reload()?;
        }
        let bytes = URL_SAFE_NO_PAD.decode(envelope).map_err(|_| VaultError::Broken)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(VaultError::Broken)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Broken)?;
        let payload = Payload { msg: sealed, aad: about.as_bytes() };
        let opened = self.read(|r| {
            let key = r.keys.iter().find(|k| k.id == id)?;
            Some(cipher(key).decrypt(&XNonce::from(nonce), payload))
        });
        let text = match opened {
            None => return Err(VaultError::Lost(id.to_owned(), self.path.to_path_buf())),
            Some(text) => text.map_err(|_| VaultError::Broken)?,
        };
        String::from_utf8(text).map_err(|_| VaultError::Broken)
    }

    fn read<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
        look(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the file again. Keys that are no longer in it still open what was read before they went.
    fn reload(&self) -> Result<(), VaultError> {
        let (mut keys, stamp) = file::read(&self.path)?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = ring.keys.drain(..).filter(|old| keys.iter().all(|k| k.id != old.id));
        let mut all: Vec<Key> = dropped.collect();
        all.append(&mut keys);
        *ring = Ring { keys: all, stamp };
        Ok(())
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.secret.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    fn vault(dir: &tempfile::TempDir) -> Vault {
        Vault::open(&dir.path().join("secret.key"), &[], NOW).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_where_it_was_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let v = vault(&dir);
        let (id, one) = v.seal("session_data 1 cart", "{\"a\":1}").unwrap();
        let (_, two) = v.seal("session_data 1 cart", "{\"a\":1}").unwrap();
        assert!(
            one != two && !one.contains("{\"a\"") && !two.contains("{\"a\""),
            "the same text is never sealed alike: {one}"
        );
        assert_eq!(v.open_sealed(&id, "session_data 1 cart", &one).unwrap(), "{\"a\":1}");
        for (id, about, envelope) in [
            (&*id, "session_data 2 cart", &*one),
            (&*id, "session_data 1 draft", &*one),
            (&*id, "session_data 1 cart", &one[1..]),
            (&*id, "session_data 1 cart", ""),
            (&*id, "session_data 1 cart", "%"),
            ("00000000", "session_data 1 cart", &*one),
        ] {
            assert!(v.open_sealed(id, about, envelope).is_err(), "{id} {about} {envelope}");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&one).unwrap();
        for i in 0..bytes.len() {
            bytes[i] ^= 1;
            assert!(v.open_sealed(&id, "session_data 1 cart", &URL_SAFE_NO_PAD.encode(&bytes)).is_err(), "byte {i}");
            bytes[i] ^= 1;
        }
        assert!(!format!("{v:?}").contains(&id));
    }

    #[test]
    fn a_new_key_is_found_by_whoever_has_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (vault(&dir), vault(&dir));
        let (old, before) = here.seal("x", "before").unwrap();
        let new = file::add(&here.path, NOW).unwrap();
        let (id, after) = there.seal("x", "after").unwrap();
        assert!(id == new && id != old, "before sealing one looks whether there is a newer key");
        assert_eq!(here.open_sealed(&id, "x", &after).unwrap(), "after", "an unknown key is looked for");
        file::retain(&here.path, |key| key == new).unwrap();
        there.seal("x", "again").unwrap();
        assert_eq!(there.open_sealed(&old, "x", &before).unwrap(), "before", "what is on its way still opens");
        assert!(matches!(vault(&dir).open_sealed(&old, "x", &before), Err(VaultError::Lost(..))));
    }

    #[test]
    fn a_lost_key_is_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let used = ["1a2b3c4d".to_owned()];
        assert!(matches!(Vault::open(&path, &used, NOW), Err(VaultError::Lost(..))));
        assert!(!path.exists(), "a new key would hide that the old one is missing");
        vault(&dir);
        let said = Vault::open(&path, &used, NOW).unwrap_err().to_string();
        assert!(said.contains("1a2b3c4d") && said.contains("ROLLCALL_SECRET_KEY_FILE"), "{said}");
    }
}
