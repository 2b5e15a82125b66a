//! What was counted over some time, and what it comes to.

use serde::{Deserialize, Serialize};

use super::Durations;
use crate::{OrganisationId, Time, UserId};

/// Whose session a request came with.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    pub user: UserId,
    pub organisation: Option<OrganisationId>,
}

/// An answered request, as the HTTP layer saw it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Method and template: `GET /api/v1/sessions/{id}`. What is no route is `not found`, so that nobody can make up new
    /// ones.
    pub route: &'a str,
    pub status: u16,
    /// Until the head of the answer: of a stream, until its first byte.
    pub took_us: u64,
    pub asker: Option<Asker>,
    pub bot: bool,
}

/// What a request is counted as. Only the first is traffic in the numbers shown; the others stand beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    Requests,
    /// Scripts, styles and icons.
    Files,
    /// Handshakes of sockets; frames are no requests.
    Sockets,
    Health,
}

impl Series {
    pub fn of(route: &str) -> Self {
        let path = route.split_once(' ').map_or(route, |(_, path)| path);
        let within = |folders: &[&str]| folders.iter().any(|f| path.starts_with(f));
        match path {
            _ if within(&["/pkg/", "/favicon.ico"]) => Self::Files,
            _ if within(&["/socket/", "/realtime/"]) => Self::Sockets,
            _ if within(&["/health/", "/metrics"]) => Self::Health,
            _ => Self::Requests,
        }
    }
}

/// The class of a status, as 4 of 404.
pub fn class(status: u16) -> u8 {
    (status / 100).clamp(1, 5) as u8
}

/// Counts beside the durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Answered with 5xx: failures of the server.
    pub errors: u64,
    /// Answered with 4xx: what was refused, or is not there.
    pub refused: u64,
    /// Without a session, bots left out.
    pub anonymous: u64,
    pub bots: u64,
    pub files: u64,
    pub sockets: u64,
    pub health: u64,
}

impl Totals {
    fn add(&mut self, o: &Self) {
        self.errors += o.errors;
        self.refused += o.refused;
        self.anonymous += o.anonymous;
        self.bots += o.bots;
        self.files += o.files;
        self.sockets += o.sockets;
        self.health += o.health;
    }
}

/// What was counted over some time.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub durations: Durations,
    pub totals: Totals,
}

impl Tally {
    pub fn record(&mut self, seen: &Seen<'_>) {
        let t = &mut self.totals;
        match Series::of(seen.route) {
            Series::Files => t.files += 1,
            Series::Sockets => t.sockets += 1,
            Series::Health => t.health += 1,
            Series::Requests => {
                t.errors += u64::from(class(seen.status) == 5);
                t.refused += u64::from(class(seen.status) == 4);
                t.bots += u64::from(seen.bot);
                t.anonymous += u64::from(seen.asker.is_none() && !seen.bot);
                self.durations.record(seen.took_us);
            }
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.durations.add(&other.durations);
        self.totals.add(&other.totals);
    }

    pub(super) fn add_totals(&mut self, totals: &Totals) {
        self.totals.add(totals);
    }

    /// What it comes to over so many milliseconds from `at`.
    pub fn point(&self, at: Time, over_ms: i64) -> Point {
        let (d, t) = (&self.durations, &self.totals);
        let rps = if over_ms > 0 { d.n() as f64 * 1_000.0 / over_ms as f64 } else { 0.0 };
        Point {
            at,
            requests: d.n(),
            rps,
            avg_ms: d.mean_ms(),
            p50_ms: d.quantile_ms(0.5),
            p95_ms: d.quantile_ms(0.95),
            p99_ms: d.quantile_ms(0.99),
            errors: t.errors,
            refused: t.refused,
            anonymous: t.anonymous,
            bots: t.bots,
            files: t.files,
            sockets: t.sockets,
            health: t.health,
        }
    }
}

/// One step of a series. Files, handshakes of sockets and health checks are apart: they are in no other number.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its beginning.
    pub at: Time,
    pub requests: u64,
    /// Requests over the length of the step.
    pub rps: f64,
    /// Sum of all durations over their count; nothing without a request.
    pub avg_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Answered with 5xx: failures of the server.
    pub errors: u64,
    /// Answered with 4xx: what was refused, or is not there.
    pub refused: u64,
    /// Without a session, bots left out.
    pub anonymous: u64,
    pub bots: u64,
    pub files: u64,
    pub sockets: u64,
    pub health: u64,
}
