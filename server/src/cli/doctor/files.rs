//! The data directory and the disk under it.

use std::{fs, path::Path};

use domain::{Time, time::DAY};
use rustix::fs::{Access, access, statvfs};
use services::{Clock, Places};

use super::Finding;
use crate::settings::{ServeSettings, shared_bits};

pub(super) fn data_dir(settings: &ServeSettings) -> Finding {
    const NAME: &str = "data";
    let dir = &settings.data_dir;
    let shown = dir.display();
    match fs::metadata(dir) {
        Err(_) => Finding::warn(NAME, format!("{shown} is not there yet"), "`rollcall serve` will create it"),
        Ok(m) if !m.is_dir() => {
            Finding::bad(NAME, format!("{shown} is not a directory"), "choose another --data-dir or move the file away")
        }
        Ok(_) if access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() => Finding::bad(
            NAME,
            format!("{shown} cannot be written by this user"),
            format!("run as its owner, or: chown -R \"$USER\" {shown}"),
        ),
        Ok(_) if shared_bits(dir).is_ok_and(|bits| bits != 0) => {
            Finding::bad(NAME, format!("others on this machine may look into {shown}"), format!("chmod 700 {shown}"))
        }
        Ok(_) => Finding::ok(NAME, format!("{shown} belongs to its owner alone")),
    }
}

/// Whether the key file is there and its owner's alone; whether it holds the keys the database needs, a start finds out.
pub(super) fn key_file(settings: &ServeSettings) -> Finding {
    const NAME: &str = "keys";
    let path = &settings.secret_key_file;
    let shown = path.display();
    match shared_bits(path) {
        Err(_) => Finding::warn(NAME, format!("{shown} is not there yet"), "`rollcall serve` will create it"),
        Ok(0) => Finding::ok(NAME, format!("{shown} belongs to its owner alone; keep a copy with your backups")),
        Ok(_) => Finding::bad(NAME, format!("others on this machine may read {shown}"), format!("chmod 600 {shown}")),
    }
}

/// Whether the place file can be used, and is not older than most addresses.
pub(super) fn place_file(settings: &ServeSettings) -> Option<Finding> {
    const NAME: &str = "places";
    const OLD: i64 = 365 * DAY;
    let path = settings.geoip_file.as_deref()?;
    let (made, kind) = match Places::open(Some(path)) {
        Err(e) => {
            return Some(Finding::bad(NAME, e.to_string(), "put a good file there, or unset ROLLCALL_GEOIP_FILE"));
        }
        Ok(places) => places.made()?,
    };
    let made = Time(i64::try_from(made).unwrap_or_default().saturating_mul(1_000));
    let found = format!("{} ({kind}) was made at {} UTC", path.display(), made.exact());
    let is_old = Clock::System.now().since(made) > OLD;
    Some(if is_old {
        Finding::warn(NAME, found, "fetch a newer one: addresses move")
    } else {
        Finding::ok(NAME, found)
    })
}

/// A clean-up and a write-ahead log need room; at a day's pace of a large site the second gives a week.
const SCARCE: u64 = 100 << 20;
const LOW: u64 = 1 << 30;

pub(super) fn disk(settings: &ServeSettings) -> Finding {
    const NAME: &str = "disk";
    let there = settings.data_dir.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let Ok(stat) = statvfs(there) else {
        return Finding::warn(NAME, format!("{} does not tell its free space", there.display()), "look with df");
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let found = format!("{} MB free under {}", free >> 20, there.display());
    let mend = "make room, or move the data directory to a larger disk";
    match free {
        0..SCARCE => Finding::bad(NAME, found, mend),
        SCARCE..LOW => Finding::warn(NAME, found, mend),
        _ => Finding::ok(NAME, found),
    }
}
