//! Who sees whom: the one rule by which a row reaches somebody, whatever the door.
//!
//! Admins see everybody; whoever chose to be invisible is marked. Managers see the people of their organisation, and
//! members their colleagues, by name, state and message only. To both, an invisible person is offline; a person who
//! keeps their presence private is offline to colleagues.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PersonRow, State, roster::Known};
use crate::Reach;

impl Reach {
    /// Whether `row` reaches somebody who watches this far.
    pub fn sees(self, row: &PersonRow) -> bool {
        self.covers(row.organisation_id) && (self == Self::Everything || !row.invisible)
    }
}

impl Known {
    /// What somebody who watches as far as `reach` may know: of an invisible person, what is known of somebody who
    /// was never here; of one who was invisible, what happened since.
    pub fn seen(mut self, reach: Reach) -> Option<Self> {
        if reach == Reach::Everything {
            return Some(self);
        }
        let visible = self.transitions.iter().take_while(|t| !t.invisible).count();
        self.transitions.truncate(visible);
        (self.chosen.choice != super::Choice::Invisible).then_some(self)
    }
}

/// At most this many colleagues in one answer.
pub const COLLEAGUES_MAX: usize = 200;

/// What members of an organisation see of each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleague {
    pub id: Uuid,
    pub name: String,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Colleague {
    /// Whether colleagues see somebody at all.
    pub fn is_seen(row: &PersonRow) -> bool {
        !row.invisible && !row.private
    }
}

/// Those among `rows` whom colleagues see: best state first, then by name; at most `COLLEAGUES_MAX`.
pub fn colleagues<'a>(rows: impl Iterator<Item = &'a PersonRow>) -> Vec<Colleague> {
    let of = |r: &PersonRow| Colleague { id: r.id, name: r.name.clone(), state: r.state, message: r.message.clone() };
    let mut all: Vec<Colleague> = rows.filter(|r| Colleague::is_seen(r)).map(of).collect();
    all.sort_by_cached_key(|c| (std::cmp::Reverse(c.state), c.name.to_lowercase(), c.id));
    all.truncate(COLLEAGUES_MAX);
    all
}
