//! Which people a watcher asks for, and in which order.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{PersonRow, State};

/// At most this many rows in one answer or window.
pub const LIMIT_MAX: u32 = 200;

/// The order of people; ties by id, so that it is total.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Oldest sign-in first: does not move while one looks.
    #[default]
    Started,
    /// Newest sign-in first.
    StartedDesc,
    Name,
    /// Best state first.
    State,
    /// Most recent input first.
    Activity,
}

impl Sort {
    pub const ALL: [Self; 5] = [Self::Started, Self::StartedDesc, Self::Name, Self::State, Self::Activity];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::StartedDesc => "started_desc",
            Self::Name => "name",
            Self::State => "state",
            Self::Activity => "activity",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    pub fn compare(self, a: &PersonRow, b: &PersonRow) -> Ordering {
        let first = match self {
            Self::Started => a.session_started_at.cmp(&b.session_started_at),
            Self::StartedDesc => b.session_started_at.cmp(&a.session_started_at),
            Self::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            Self::State => b.state.cmp(&a.state),
            Self::Activity => b.last_activity_at.cmp(&a.last_activity_at),
        };
        first.then_with(|| a.id.cmp(&b.id))
    }
}

/// A question about who is here. Empty matches everybody who is not offline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    pub state: Option<State>,
    /// A role's name.
    pub role: Option<String>,
    /// An organisation's id or name.
    pub org: Option<String>,
    /// A team's name.
    pub team: Option<String>,
    /// Part of a name, username, e-mail or page, whatever the case.
    pub q: Option<String>,
    /// Part of the page of any connection, whatever the case.
    pub page: Option<String>,
    pub sort: Sort,
}

impl Query {
    pub fn matches(&self, row: &PersonRow) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
        row.state != State::Offline
            && self.state.is_none_or(|s| s == row.state)
            && same(&self.role, &row.role)
            && self.org.as_deref().is_none_or(|w| {
                row.organisation.as_deref() == Some(w) || row.organisation_id.is_some_and(|id| id.to_string() == w)
            })
            && self.team.as_deref().is_none_or(|w| row.teams.iter().any(|t| t == w))
            && self.q.as_deref().is_none_or(|q| {
                let q = q.trim().to_lowercase();
                let has = |text: &str| text.to_lowercase().contains(&q);
                has(&row.name) || has(&row.username) || row.email.as_deref().is_some_and(has) || on_page(row, &q)
            })
            && self.page.as_deref().is_none_or(|page| on_page(row, &page.trim().to_lowercase()))
    }

    /// Whether it is everybody who is here, in some order.
    pub fn is_everybody(&self) -> bool {
        *self == Self { sort: self.sort, ..Self::default() }
    }
}

/// Whether a connection shows a page with `part`, in lower case, in its path.
fn on_page(row: &PersonRow, part: &str) -> bool {
    part.is_empty() || row.devices.iter().any(|d| d.page.as_deref().is_some_and(|p| p.to_lowercase().contains(part)))
}
