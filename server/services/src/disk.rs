//! Room on the disks under the data, and when it is little: for `rollcall doctor` and the console's first page.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use domain::{
    Actor,
    access::{Action, Reach},
};
use rustix::fs::statvfs;

use crate::Services;

/// A clean-up and a write-ahead log need room; at a day's pace of a large site the second gives a week.
const SCARCE: u64 = 100 << 20;
const LOW: u64 = 1 << 30;

/// How much room is left, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Hardly any: soon nothing is written any more.
    Scarce,
    /// Enough for some days.
    Low,
    Enough,
}

impl Room {
    /// Of so many bytes that are free.
    pub fn of(free: u64) -> Self {
        match free {
            0..SCARCE => Self::Scarce,
            SCARCE..LOW => Self::Low,
            _ => Self::Enough,
        }
    }
}

/// Bytes that are free for this user on the file system of `there`, where it tells.
pub fn free(there: &Path) -> Option<u64> {
    statvfs(there).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// A file system with something of ours on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What of ours.
    pub of: &'static str,
    /// In bytes.
    pub free: u64,
    /// The system's number of it.
    device: u64,
}

impl Disk {
    fn under(of: &'static str, folder: &Path) -> Option<Self> {
        let device = std::fs::metadata(folder).ok()?.dev();
        Some(Self { of, free: free(folder)?, device })
    }
}

impl Services {
    /// The disks under the data directory and, where it is another, under the files, for those who may change settings.
    /// What does not tell is left out; a service that keeps the files has no disk of ours.
    pub async fn disks(&self, actor: &Actor) -> Vec<Disk> {
        if actor.reach(Action::Settings) != Reach::Everything {
            return vec![];
        }
        let (data, files): (PathBuf, Option<PathBuf>) = (self.data_dir.clone(), self.files.folder());
        // A disk on another machine may take its time.
        let look = move || {
            let files = files.and_then(|folder| Disk::under("files", &folder));
            different(Disk::under("the data directory", &data), files)
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }
}

fn different(data: Option<Disk>, files: Option<Disk>) -> Vec<Disk> {
    let other = files.filter(|files| data.is_none_or(|data| data.device != files.device));
    data.into_iter().chain(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_judged() {
        let judged = [0, SCARCE - 1, SCARCE, LOW - 1, LOW, u64::MAX].map(Room::of);
        assert_eq!(judged, [Room::Scarce, Room::Scarce, Room::Low, Room::Low, Room::Enough, Room::Enough]);
    }

    #[test]
    fn one_disk_is_told_once() {
        let disk = |of, device| Disk { of, free: 5, device };
        let (data, files) = (disk("data", 1), disk("files", 2));
        assert_eq!(different(Some(data), Some(files)), [data, files]);
        assert_eq!(different(Some(data), Some(disk("files", 1))), [data]);
        assert_eq!(different(None, Some(files)), [files]);
        assert_eq!(different(Some(data), None), [data]);
    }

    #[test]
    fn a_folder_tells() {
        let home = tempfile::tempdir().unwrap();
        let (a, b) = (Disk::under("a", home.path()).unwrap(), Disk::under("b", home.path()).unwrap());
        assert!(a.free > 0 && different(Some(a), Some(b)) == [a]);
        assert_eq!(Disk::under("c", &home.path().join("not there")), None);
    }
}
