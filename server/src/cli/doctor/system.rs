//! What the machine allows, and what time it thinks it is.

use domain::{Time, time::MINUTE};
use rustix::process::{Resource, getrlimit};
use services::Clock;

use super::Finding;
use crate::settings::ServeSettings;

/// Beside the sockets: the database, its log, listeners, and requests that come and go.
const OTHER_FILES: u64 = 200;
/// Fewer sockets than this are soon used up by a few hundred people with several tabs.
const FEW: u64 = 4_096;

pub(super) fn open_files() -> Finding {
    const NAME: &str = "open files";
    match getrlimit(Resource::Nofile).current {
        None => Finding::ok(NAME, "no limit"),
        Some(limit) => {
            let found = format!("{limit} allowed, room for about {} sockets", limit.saturating_sub(OTHER_FILES));
            if limit < FEW {
                let why = "every socket is an open file: when they run out, people are shown as gone who are not";
                Finding::warn(
                    NAME,
                    found,
                    why,
                    "raise it: LimitNOFILE=65536 in the unit, or ulimit -n 65536 in the shell",
                )
            } else {
                Finding::ok(NAME, found)
            }
        }
    }
}

/// 2026-01-01T00:00:00Z: this program is younger.
const BORN: Time = Time(1_767_225_600_000);

pub(super) fn clock(settings: &ServeSettings) -> Finding {
    const NAME: &str = "clock";
    let now = Clock::System.now();
    let why = "sessions, links and second factors end by it";
    let mend = "set it, and keep it right with NTP";
    let found = format!("{} UTC", now.exact());
    if now < BORN {
        return Finding::bad(NAME, format!("{found} lies in the past"), why, mend);
    }
    let written = std::fs::metadata(settings.data_dir.join("rollcall.db")).and_then(|m| m.modified()).ok();
    let written =
        written.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map(|d| Time(d.as_millis() as i64));
    match written {
        Some(written) if written > now.plus(MINUTE) => {
            Finding::bad(NAME, format!("{found}, but the database was written at {}", written.exact()), why, mend)
        }
        _ => Finding::ok(NAME, found),
    }
}
