//! Who sees whom: the one rule by which a row reaches somebody, whatever the door.
//!
//! Admins see everybody; whoever chose to be invisible is marked. Managers see the people of their organisation, and
//! members their colleagues, by name, state and message only. To both, an invisible person is offline; a person who
//! keeps their presence to themselves is offline to colleagues.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PersonRow, State};
use crate::Reach;

impl Reach {
    /// Whether `row` reaches somebody who watches this far.
    pub fn sees(self, row: &PersonRow) -> bool {
        self.covers(row.organisation_id) && (self == Self::Everything || !row.invisible)
    }
}

/// At most this many colleagues in one answer.
pub const COLLEAGUES_MAX: usize = 200;

/// What members of an organisation see of each other.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleague {
    pub id: Uuid,
    pub name: String,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Colleague {
    /// The colleague in a row, unless they are not to be seen.
    pub fn of(row: &PersonRow) -> Option<Self> {
        (!row.invisible).then(|| Self {
            id: row.id,
            name: row.name.clone(),
            state: row.state,
            message: row.message.clone(),
        })
    }
}

/// Best state first, then by name; at most `COLLEAGUES_MAX`.
pub fn colleagues<'a>(rows: impl Iterator<Item = &'a PersonRow>) -> Vec<Colleague> {
    let mut all: Vec<Colleague> = rows.filter_map(Colleague::of).collect();
    all.sort_by_cached_key(|c| (std::cmp::Reverse(c.state), c.name.to_lowercase(), c.id));
    all.truncate(COLLEAGUES_MAX);
    all
}
