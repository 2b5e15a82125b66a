//! The data directory and the disk under it.

use std::{fs, io::ErrorKind, path::Path};

use domain::{Time, time::DAY};
use rustix::fs::{Access, access};
use services::{
    Clock, Places,
    disk::{Room, free},
};

use super::Finding;
use crate::settings::{ServeSettings, shared_bits};

pub(super) fn data_dir(settings: &ServeSettings) -> Finding {
    const NAME: &str = "data";
    let dir = &settings.data_dir;
    let shown = dir.display();
    match fs::metadata(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => Finding::warn(
            NAME,
            format!("{shown} is not there yet"),
            "if this is not a new installation, the program looks in the wrong place",
            "`rollcall serve` will create it; or say with --data-dir where it is",
        ),
        Err(e) => Finding::bad(
            NAME,
            format!("{shown} cannot be looked at: {e}"),
            NEEDED,
            "run as its owner, and see that the directories above it can be entered",
        ),
        Ok(m) if !m.is_dir() => Finding::bad(
            NAME,
            format!("{shown} is not a directory"),
            NEEDED,
            "choose another --data-dir or move the file away",
        ),
        Ok(_) if access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() => Finding::bad(
            NAME,
            format!("{shown} cannot be written by this user"),
            NEEDED,
            format!("run as its owner, or: chown -R \"$USER\" {shown}"),
        ),
        Ok(_) if shared_bits(dir).is_ok_and(|bits| bits != 0) => Finding::bad(
            NAME,
            format!("others on this machine may look into {shown}"),
            "the database holds people's addresses and what they did, and the keys lie beside it",
            format!("chmod 700 {shown}"),
        ),
        Ok(_) => Finding::ok(NAME, format!("{shown} belongs to its owner alone")),
    }
}

const NEEDED: &str = "the server keeps its database and its keys there, and does not start without";

/// Whether the key file is there, readable, and its owner's alone; whether its keys are those the database needs, `data`
/// finds out.
pub(super) fn key_file(settings: &ServeSettings) -> Finding {
    const NAME: &str = "keys";
    let path = &settings.secret_key_file;
    let shown = path.display();
    match shared_bits(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Finding::warn(
            NAME,
            format!("{shown} is not there yet"),
            "if something was sealed with it before, nobody can read that without it",
            "`rollcall serve` will create it; or put it back from your backup",
        ),
        Err(e) => Finding::bad(
            NAME,
            format!("{shown} cannot be looked at: {e}"),
            SEALS,
            "run as its owner, or say with ROLLCALL_SECRET_KEY_FILE where it is",
        ),
        Ok(_) if access(path, Access::READ_OK).is_err() => Finding::bad(
            NAME,
            format!("{shown} cannot be read by this user"),
            SEALS,
            format!("run as its owner, or: chown \"$USER\" {shown}"),
        ),
        Ok(0) => Finding::ok(NAME, format!("{shown} belongs to its owner alone; keep a copy with your backups")),
        Ok(_) => Finding::bad(
            NAME,
            format!("others on this machine may read {shown}"),
            "with the keys and a copy of the database they read all that is sealed: second factors, mails, session data",
            format!("chmod 600 {shown}; if it was copied, also: rollcall keys rotate"),
        ),
    }
}

const SEALS: &str = "without the keys the server does not start, since it cannot open what they sealed";

/// Whether the place file can be used, and is not older than most addresses.
pub(super) fn place_file(settings: &ServeSettings) -> Option<Finding> {
    const NAME: &str = "places";
    const OLD: i64 = 365 * DAY;
    let path = settings.geoip_file.as_deref()?;
    let (made, kind) = match Places::open(Some(path)) {
        Err(e) => {
            let why = "the server does not start with a place file it cannot read";
            return Some(Finding::bad(NAME, e.to_string(), why, "put a good file there, or unset ROLLCALL_GEOIP_FILE"));
        }
        Ok(places) => places.made()?,
    };
    let made = Time(i64::try_from(made).unwrap_or_default().saturating_mul(1_000));
    let found = format!("{} ({kind}) was made at {} UTC", path.display(), made.exact());
    let is_old = Clock::System.now().since(made) > OLD;
    Some(if is_old {
        Finding::warn(NAME, found, "addresses move, and sessions are shown in the wrong place", "fetch a newer one")
    } else {
        Finding::ok(NAME, found)
    })
}

pub(super) fn disk(settings: &ServeSettings) -> Finding {
    const NAME: &str = "disk";
    let there = settings.data_dir.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let why = "when the disk is full nobody can sign in, and nothing is written down any more";
    let Some(free) = free(there) else {
        return Finding::warn(NAME, format!("{} does not tell its free space", there.display()), why, "look with df");
    };
    room(NAME, free, there, why, "make room, or move the data directory to a larger disk")
}

fn room(name: &'static str, free: u64, there: &Path, why: &'static str, mend: &'static str) -> Finding {
    let found = format!("{} MB free under {}", free >> 20, there.display());
    match Room::of(free) {
        Room::Scarce => Finding::bad(name, found, why, mend),
        Room::Low => Finding::warn(name, found, why, mend),
        Room::Enough => Finding::ok(name, found),
    }
}

/// Where uploads and outputs are: can be written and has room, or answers.
pub(super) async fn storage(settings: &ServeSettings) -> Finding {
    const NAME: &str = "storage";
    let why = "without it nobody can upload or download a file";
    let Some(folder) = settings.storage_url.strip_prefix("file://").map(Path::new) else {
        return match services::files::reach(&settings.storage_url).await {
            Ok(()) => Finding::ok(NAME, format!("{} answers", settings.storage_url)),
            Err(e) => {
                let mend = "check the bucket's name and the AWS_* variables: endpoint, region and keys, which must list, \
                            read, write and delete";
                Finding::bad(NAME, e.to_string(), why, mend)
            }
        };
    };
    let shown = folder.display();
    if !folder.exists() {
        let why = "if this is not a new installation, all files are gone, or a disk is not mounted";
        let mend = "`rollcall serve` will create it; or say with ROLLCALL_STORAGE_URL where it is";
        return Finding::warn(NAME, format!("{shown} is not there yet"), why, mend);
    }
    if access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let mend = format!("run as its owner, or: chown -R \"$USER\" {shown}");
        return Finding::bad(NAME, format!("{shown} cannot be written by this user"), why, mend);
    }
    free(folder).map_or_else(
        || Finding::ok(NAME, format!("{shown} can be written")),
        |free| {
            room(
                NAME,
                free,
                folder,
                "when it is full no file can be uploaded",
                "make room, or move the files to a larger disk",
            )
        },
    )
}
