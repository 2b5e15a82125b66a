//! Settings as they are shown, and what a change of them does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Applies, Group};
use crate::Time;

/// A setting, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettingView {
    pub key: String,
    pub group: Group,
    pub title: String,
    /// What it does.
    pub about: String,
    /// The value in force.
    pub value: String,
    pub default: String,
    /// What it may be.
    pub bounds: String,
    /// `duration`, `number`, `word` or `roles`.
    pub unit: String,
    /// The words it may be, when it is one.
    pub words: Vec<String>,
    pub applies: Applies,
    /// By what it is fixed, such as `--session-idle`; it cannot be changed here then.
    pub fixed_by: Option<String>,
    /// What was chosen, when it is not the default, and not in force where something else fixes it.
    pub chosen: Option<String>,
    pub changed_at: Option<Time>,
    pub changed_by: Option<String>,
}

/// What a change did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changed {
    /// Key → value before and after, for those that differ.
    pub changes: BTreeMap<String, (String, String)>,
    #[serde(flatten)]
    pub sessions: Consequences,
    /// What does not go together any more, and does no harm.
    pub warnings: Vec<String>,
    pub dry_run: bool,
}

/// Sessions of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Of {
    pub username: String,
    pub name: String,
    pub sessions: u64,
}

/// A session that ends sooner than it would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sooner {
    pub username: String,
    pub name: String,
    /// Unless there is activity before, where it is that which is missed.
    pub ends_at: Time,
}

/// What a change of limits and lifetimes does, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Consequences {
    /// Live sessions that end at once.
    pub would_end: u64,
    /// Whose they are: how many people, and the first of them.
    pub people: u64,
    pub who: Vec<Of>,
    /// Whether the session that asks is among them.
    pub own: bool,
    /// Live sessions that end sooner than before, and not at once; and the first of them.
    pub sooner: u64,
    pub next: Vec<Sooner>,
}
