//! The key file: a line for each key, oldest first; the last one seals.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Time;

use super::VaultError;
use crate::secret;

/// For its owner alone.
const PRIVATE: u32 = 0o600;
const HEAD: &str = "# Rollcall's secret keys: id, made at, key; oldest first, the last one seals.\n\
                    # Keep a copy with your backups: without it nobody can read what it sealed.\n";

pub(super) struct Key {
    /// The first 32 bits of the key's hash, in hexadecimal: a key that was cut or mistyped does not pass for itself.
    pub(super) id: String,
    pub(super) made_at: Time,
    pub(super) secret: [u8; 32],
}

impl Key {
    fn new(now: Time) -> Self {
        let secret = secret::random();
        Self { id: id(&secret), made_at: now, secret }
    }

    fn line(&self) -> String {
        format!("{} {} {}\n", self.id, self.made_at, URL_SAFE_NO_PAD.encode(self.secret))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (said, made_at, secret) = (words.next()?, Time::parse(words.next()?)?, words.next()?);
        let secret: [u8; 32] = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        (said == id(&secret) && words.next().is_none()).then(|| Self { id: said.to_owned(), made_at, secret })
    }
}

fn id(secret: &[u8; 32]) -> String {
    secret::hex(&secret::hash(&URL_SAFE_NO_PAD.encode(secret))[..4])
}

/// By which a file that was replaced is told from what it was: a hash of its text. Times and numbers of files can be
/// alike, and a few lines are read as quickly as they are asked for.
pub(super) type Stamp = [u8; 32];

pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    fs::read_to_string(path).ok().map(|text| secret::hash(&text))
}

pub(super) fn read(path: &Path) -> Result<(Vec<Key>, Option<Stamp>), VaultError> {
    let text = fs::read_to_string(path).map_err(|e| VaultError::File(path.to_owned(), e))?;
    let lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'));
    let keys: Result<Vec<Key>, VaultError> =
        lines.map(|(i, line)| Key::parse(line).ok_or_else(|| VaultError::Damaged(path.to_owned(), i + 1))).collect();
    let keys = keys?;
    if keys.is_empty() { Err(VaultError::Damaged(path.to_owned(), 1)) } else { Ok((keys, Some(secret::hash(&text)))) }
}

/// Makes the file with its first key, unless it is there.
pub(super) fn create(path: &Path, now: Time) -> Result<(), VaultError> {
    if path.exists() {
        return Ok(());
    }
    match place(path, &[Key::new(now)], false) {
        // Another process was quicker.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done.map_err(|e| VaultError::File(path.to_owned(), e)),
    }
}

/// Adds a new key, which seals from now on; its id.
pub(super) fn add(path: &Path, now: Time) -> Result<String, VaultError> {
    let (mut keys, _) = read(path)?;
    let key = Key::new(now);
    let id = key.id.clone();
    keys.push(key);
    place(path, &keys, true).map_err(|e| VaultError::File(path.to_owned(), e))?;
    Ok(id)
}

/// Keeps the keys that `keep` says, and always the last; how many went.
pub(super) fn retain(path: &Path, keep: impl Fn(&str) -> bool) -> Result<usize, VaultError> {
    let (mut keys, _) = read(path)?;
    let (all, last) = (keys.len(), keys.last().map(|k| k.id.clone()));
    keys.retain(|k| keep(&k.id) || Some(&k.id) == last.as_ref());
    if keys.len() < all {
        place(path, &keys, true).map_err(|e| VaultError::File(path.to_owned(), e))?;
    }
    Ok(all - keys.len())
}

/// Writes the whole file beside its place, and puts it there at once: a crash leaves the old one or the new one.
fn place(path: &Path, keys: &[Key], replace: bool) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE).open(&beside)?;
        let text: String = keys.iter().map(Key::line).collect();
        file.write_all(HEAD.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link is refused where there is a file already, a renaming is not.
        if replace {
            fs::rename(&beside, path)?;
        } else {
            fs::hard_link(&beside, path)?;
        }
        File::open(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    };
    let done = write();
    let _ = fs::remove_file(&beside);
    done
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_its_owner_s_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        create(&path, Time(0)).unwrap();
        let before = fs::read_to_string(&path).unwrap();
        create(&path, Time(1)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), before, "a key is never replaced by a start");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        add(&path, Time(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(read(&path).map_err(|e| e.to_string()).unwrap().0.len(), 2);
        for bad in [
            "",
            "# nothing\n",
            "what is this\n",
            &before.replace("1970", "197"),
            &before.trim_end()[..before.len() - 5],
        ] {
            fs::write(&path, bad).unwrap();
            let said = read(&path).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(said.contains("damaged in line"), "{bad}: {said}");
        }
    }
}
