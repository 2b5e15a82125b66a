//! Traffic as it is told.

use serde::{Deserialize, Serialize};

use super::Point;
use crate::Time;

/// The figures. Times are of the last five minutes, in milliseconds; nothing where nobody asked for anything.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests answered over the last ten seconds and what there is of this one, over their length.
    pub current_rps: f64,
    /// Sum of all durations over their count.
    pub avg_response_ms: Option<f64>,
    pub p50_response_ms: Option<f64>,
    pub p95_response_ms: Option<f64>,
    pub p99_response_ms: Option<f64>,
    /// Since midnight.
    pub requests_today: u64,
    /// Of these, those answered with 5xx: failures of the server.
    pub errors_today: u64,
    /// Of these, those answered with 4xx: what was refused, or is not there.
    pub refused_today: u64,
    /// Open ones.
    pub sockets: u64,
    pub as_of: Time,
}

/// How things are now.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Current {
    /// People within one's reach that are online, with input within the limit of "active now".
    pub active_users: u32,
    /// Busy, active and idle people within one's reach.
    pub online_users: u32,
    #[serde(flatten)]
    pub figures: Figures,
    pub database: Pool,
}

/// Connections to the database.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub in_use: u32,
    /// Those that are open.
    pub open: u32,
}

/// What watchers get each second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    #[serde(flatten)]
    pub figures: Figures,
    /// The last second that is over.
    pub second: Point,
}

/// A series, oldest first. Steps in which nobody asked for anything are in it too.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The length of a step in seconds.
    pub step: i64,
    pub items: Vec<Point>,
    pub as_of: Time,
}
