//! Whether anything changed since the last build, told by contents: a fresh clone or a touched file changes nothing.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Files, Profile};
use crate::{
    outcome::Outcome,
    toolchain,
    workspace::{root, site},
};

/// Everything the browser's files are made of.
const SOURCES: [&str; 7] =
    [".cargo/config.toml", "Cargo.lock", "Cargo.toml", "app", "frontend", "style", "xtask/src/site"];

/// The stamp of the sources as they are now.
pub(super) fn of_sources(profile: Profile) -> Outcome<String> {
    let mut parts = vec![profile.name().as_bytes().to_vec(), toolchain::rustc_version()?.into_bytes()];
    for source in SOURCES {
        for path in files_below(&root().join(source))? {
            parts.push(path.strip_prefix(root())?.as_os_str().as_encoded_bytes().to_vec());
            parts.push(fs::read(path)?);
        }
    }
    Ok(of_bytes(&parts))
}

/// The name of the folder: 16 hexadecimal digits over names and contents of everything in it.
pub(super) fn of_files(files: &Files) -> String {
    let parts: Vec<&[u8]> = files.iter().flat_map(|(name, contents)| [name.as_bytes(), contents]).collect();
    of_bytes(&parts)[..16].to_owned()
}

/// SHA-256 in hexadecimal over the parts, each with its length, so that no two lists of parts look alike.
pub(super) fn of_bytes(parts: &[impl AsRef<[u8]>]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.as_ref().len() as u64).to_le_bytes());
        hash.update(part.as_ref());
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// True when the published folder was made of these sources and is still there.
pub(super) fn is_current(stamp: &str) -> bool {
    let Ok(saved) = fs::read_to_string(file()) else { return false };
    saved.split_once('\n').is_some_and(|(old, folder)| old == stamp && Path::new(folder).is_dir())
}

/// Remembers what `folder` was made of.
pub(super) fn save(stamp: &str, folder: &Path) -> Outcome {
    Ok(fs::write(file(), format!("{stamp}\n{}", folder.display()))?)
}

/// Beside the site, not in it: the server embeds and serves whatever is in it.
fn file() -> PathBuf {
    site().with_extension("stamp")
}

/// All files of a folder and the folders in it, or the file itself, in a fixed order.
pub(crate) fn files_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        files.extend(files_below(&entry)?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(of_bytes(&["ab", "c"]), of_bytes(&["a", "bc"]));
    }

    #[test]
    fn the_folders_name_follows_names_and_contents() {
        let files = |name: &str, contents: &str| Files::from([(name.to_owned(), contents.as_bytes().to_vec())]);
        assert_eq!(of_files(&files("a", "1")), of_files(&files("a", "1")));
        assert_ne!(of_files(&files("a", "1")), of_files(&files("b", "1")));
        assert_ne!(of_files(&files("a", "1")), of_files(&files("a", "2")));
        assert_eq!(of_files(&files("a", "1")).len(), 16);
    }
}
