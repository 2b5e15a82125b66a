//! What is remembered of presence: who was here at an instant, and one person's day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Cause, State};
use crate::Time;

/// `GET /admin/presence/at`: everybody within reach who was not offline at `time`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceAt {
    pub time: Time,
    /// How many there were; `users` is one page of them.
    pub total: u32,
    /// All of them by state, every state but offline listed.
    pub by_state: BTreeMap<String, u32>,
    /// In the order of usernames.
    pub users: Vec<WasHere>,
}

/// One person as they were at an instant.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasHere {
    pub id: Uuid,
    pub username: String,
    pub name: String,
    pub state: State,
    pub since: Time,
    /// Nothing while it lasts.
    pub until: Option<Time>,
    /// Why the state began.
    pub cause: Cause,
    /// Chose to be invisible; only admins are told of them at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
}

/// `GET /admin/users/{id}/presence`: one person's day in UTC.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceDay {
    /// `2026-03-02`.
    pub day: String,
    /// Where the day begins and ends.
    pub from: Time,
    pub to: Time,
    /// What touches the day, oldest first, with its own ends, which may lie outside the day. Offline is what is left.
    pub intervals: Vec<Interval>,
    /// Seconds of the day so far by state, every state listed: offline is what is left of it until `as_of`.
    pub seconds_by_state: BTreeMap<String, i64>,
    pub as_of: Time,
}

/// A stretch of time in one state.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    pub state: State,
    pub from: Time,
    /// Nothing while it lasts.
    pub to: Option<Time>,
    /// Why it began.
    pub cause: Cause,
    /// Chose to be invisible; only admins are told of it at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
    /// Pages seen meanwhile, the first one first; the last 20 of them.
    pub pages: Vec<String>,
}
