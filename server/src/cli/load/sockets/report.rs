//! What a run of the script found out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::summary::Latency;
use crate::cli::table::table;

/// Steps that were not asked for are left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) people: usize,
    /// Whether they joined `presence:me`.
    pub(super) joined: bool,
    pub(super) watchers: usize,
    pub(super) watched: &'static str,
    pub(super) connect: Arrival,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<Changes>,
    /// Watchers of a window: changes of everybody, of which the window shows few. The rest count as missed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changes_anywhere: Option<Changes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stuck: Option<Stuck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) heartbeats: Option<Beats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drop: Option<Leaving>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reconnect: Option<Arrival>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart: Option<Return>,
    /// Tries to connect that did not work, by what went wrong.
    pub(super) failed: BTreeMap<String, u64>,
    /// Connections that the server ended, by its code.
    pub(super) ended: BTreeMap<String, u64>,
    /// How often a watcher's copy differed from the server's.
    pub(super) diverged: u64,
    /// Watchers that were cut off, and why.
    pub(super) blind: Vec<String>,
}

/// Everybody comes.
#[derive(Debug, Default, Serialize)]
pub(super) struct Arrival {
    /// From the first handshake to the last answer.
    pub(super) seconds: f64,
    pub(super) per_second: f64,
    /// Until every watcher has everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) watchers_complete_seconds: Option<f64>,
    /// To one watcher for one person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes_per_person_per_watcher: Option<f64>,
    /// The server's, authentication and everything else included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds_per_1000: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) room: Option<Room>,
}

/// What people who all see each other were sent until everybody saw everybody.
#[derive(Debug, Serialize)]
pub(super) struct Room {
    pub(super) frames: u64,
    pub(super) bytes: u64,
}

/// Of the server, in bytes.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) per_connection: f64,
}

/// People change their page; for watchers of a window, people in it.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    pub(super) per_second: f64,
    pub(super) sent: u64,
    /// From the send to the frame of a watcher, over all watchers.
    pub(super) latency: Latency,
    /// Changes that a watcher did not see within the time allowed, over all watchers.
    pub(super) missed: u64,
    pub(super) bytes_per_change_per_watcher: f64,
    pub(super) frames_per_watcher: f64,
    /// The server's, in per cent of one processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_percent: Option<f64>,
}

/// Watchers that read nothing while others changed, and then caught up.
#[derive(Debug, Serialize)]
pub(super) struct Stuck {
    pub(super) watchers: usize,
    /// How much more memory the server held at the end of the changes than at their beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory_growth: Option<i64>,
    /// What they read until their copies were like the others', at most.
    pub(super) bytes: u64,
    /// How long that took.
    pub(super) converged_seconds: f64,
    /// Fresh snapshots each was sent, at most.
    pub(super) snapshots: u64,
}

/// The server stopped and started, and everybody came back.
#[derive(Debug, Serialize)]
pub(super) struct Return {
    /// From the first connection that the server ended until it took connections again.
    pub(super) away_seconds: f64,
    pub(super) arrival: Arrival,
}

/// The heartbeats of the protocol, answered.
#[derive(Debug, Serialize)]
pub(super) struct Beats {
    pub(super) answered: u64,
    pub(super) missed: u64,
    pub(super) per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds_per_1000: Option<f64>,
}

/// All connections break off.
#[derive(Debug, Serialize)]
pub(super) struct Leaving {
    /// Until every watcher has nobody.
    pub(super) seconds: f64,
    /// Without the server's grace.
    pub(super) beyond_grace_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_seconds_per_1000: Option<f64>,
}

impl Report {
    pub(super) fn text(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
        arrival(&self.connect, "connect", &mut row);
        if let Some(m) = &self.memory {
            row("memory per connection", format!("{:.2} KiB", m.per_connection / 1024.0));
        }
        if let Some(c) = &self.changes {
            row("changes seen", format!("{} of {} by all watchers", c.latency.count, c.latency.count + c.missed));
            let l = c.latency;
            row("change to watcher", format!("p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", l.p50_ms, l.p99_ms, l.max_ms));
            row("bytes per change and watcher", format!("{:.0}", c.bytes_per_change_per_watcher));
            if let Some(cpu) = c.cpu_percent {
                row("server's CPU meanwhile", format!("{cpu:.1} % of a core"));
            }
        }
        if let Some(c) = &self.changes_anywhere {
            row("the same, of changes anywhere", format!("{:.0}", c.bytes_per_change_per_watcher));
        }
        if let Some(s) = &self.stuck {
            row("stuck watchers caught up", format!("{:.2} s, {} bytes", s.converged_seconds, s.bytes));
        }
        if let Some(b) = &self.heartbeats {
            row("heartbeats answered", format!("{} ({:.0}/s), {} missed", b.answered, b.per_second, b.missed));
            if let Some(cpu) = b.cpu_seconds_per_1000 {
                row("server's CPU per 1,000", format!("{cpu:.4} s"));
            }
        }
        if let Some(d) = &self.drop {
            row(
                "drop: watchers complete",
                format!("{:.2} s, beyond the grace {:.2} s", d.seconds, d.beyond_grace_seconds),
            );
        }
        if let Some(r) = &self.reconnect {
            arrival(r, "reconnect", &mut row);
        }
        if let Some(r) = &self.restart {
            row("the server was away", format!("{:.2} s", r.away_seconds));
            arrival(&r.arrival, "return", &mut row);
        }
        let counted = [("failed", &self.failed), ("ended by the server", &self.ended)];
        for (what, by) in counted {
            for (how, n) in by {
                row(what, format!("{n} × {how}"));
            }
        }
        if self.diverged > 0 {
            row("copies that differed", self.diverged.to_string());
        }
        for why in &self.blind {
            row("watcher cut off", why.clone());
        }
        table(["MEASURE", &format!("{} PEOPLE, {} WATCHERS", self.people, self.watchers)], rows)
    }
}

fn arrival(a: &Arrival, name: &str, row: &mut impl FnMut(&str, String)) {
    row(name, format!("{:.2} s ({:.0}/s)", a.seconds, a.per_second));
    if let Some(seconds) = a.watchers_complete_seconds {
        row(&format!("{name}: watchers complete"), format!("{seconds:.2} s"));
    }
    if let Some(bytes) = a.bytes_per_person_per_watcher {
        row("bytes per person and watcher", format!("{bytes:.0}"));
    }
    if let Some(cpu) = a.cpu_seconds_per_1000 {
        row("server's CPU per 1,000", format!("{cpu:.3} s"));
    }
    if let Some(room) = &a.room {
        row("sent to the room", format!("{} frames, {} bytes", room.frames, room.bytes));
    }
}
