//! Events as lists show them, and what filters them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{OrganisationId, SessionId, Time};

/// Which events; what is not given is any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFilter {
    /// A username.
    pub user: Option<String>,
    pub kind: Option<String>,
    /// An address or its template.
    pub page: Option<String>,
    pub role: Option<String>,
    /// An organisation's id or name: that of the event, wherever the person is now.
    pub org: Option<String>,
    /// At or after.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
}

/// One event.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Greater for what was written later.
    pub seq: i64,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: Uuid,
    pub at: Time,
    pub kind: String,
    /// Whose it is; nothing where nobody was meant.
    pub username: Option<String>,
    pub name: Option<String>,
    pub role: Option<String>,
    /// The organisation the person was of then.
    pub organisation: Option<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub organisation_id: Option<OrganisationId>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub session_id: Option<SessionId>,
    /// The page as it was visited.
    pub page: Option<String>,
    /// The same with `:id` in place of ids.
    pub route: Option<String>,
    pub action: Option<String>,
    pub ip: Option<String>,
    /// Such as `Firefox on Linux`.
    pub device: Option<String>,
    /// How long it took, in milliseconds: an upload or an output, until it had come; a sign-out, the session.
    pub dur_ms: Option<i64>,
    /// What else was told.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub details: Option<Value>,
}

/// How far an export of events is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exporting {
    /// Events handed on so far.
    pub done: u64,
    /// All of them, once they are counted.
    pub expected: Option<u64>,
    pub state: Exported,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exported {
    #[default]
    Running,
    Complete,
    Cancelled,
    /// The connection ended, or reading did not work.
    Broken,
}

/// What a person did, in numbers.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub total_activities: u64,
    pub total_sessions: u64,
    pub last_activity: Option<Time>,
    pub event_breakdown: BTreeMap<String, u64>,
}

/// One thing a person did.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    pub at: Time,
}

/// What a person did, one thing after the other.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// Oldest first.
    pub steps: Vec<Step>,
    /// Whether there are older ones.
    pub more: bool,
}
