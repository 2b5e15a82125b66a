//! People, organisations, teams and roles as they are listed and changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::{ApiError, Level, Time, account::UserView, presence::State, session::EndReason};

/// An account in a list.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    #[serde(flatten)]
    pub user: UserView,
    pub created_at: Time,
    pub disabled_at: Option<Time>,
    pub last_sign_in_at: Option<Time>,
    /// False for somebody who was invited and has not chosen a password yet.
    pub has_password: bool,
    /// As whoever asks may see it; nothing beside the server, which alone knows.
    pub state: Option<State>,
}

/// Which people: the same for lists, counts, exports and bulk acts, so that they agree.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserFilter {
    /// Part of a name, a username or an e-mail address.
    pub q: Option<String>,
    pub role: Option<String>,
    /// An organisation's id or name.
    pub org: Option<String>,
    /// A team's id or name.
    pub team: Option<String>,
    pub state: Option<State>,
    pub disabled: Option<bool>,
    /// Signed in last at or after.
    pub signed_in_after: Option<Time>,
    /// Signed in last before, or never.
    pub signed_in_before: Option<Time>,
}

/// The order of a list of people; ties by id.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserSort {
    /// By name, then username.
    #[default]
    Name,
    Username,
    /// Newest account first.
    Created,
    /// Newest sign-in first.
    SignIn,
    /// Never signed in first, then the oldest sign-in.
    Dormant,
}

impl UserSort {
    pub const ALL: [Self; 5] = [Self::Name, Self::Username, Self::Created, Self::SignIn, Self::Dormant];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Username => "username",
            Self::Created => "created",
            Self::SignIn => "sign_in",
            Self::Dormant => "dormant",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What to change of an account; what is left out stays. Null, or empty text, takes an e-mail address or an organisation
/// away. Whoever changes organisation leaves the teams of the old one.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserEdit {
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub username: Option<String>,
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub email: Option<Option<String>>,
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub role: Option<String>,
    /// An id, or a name; one of a name that is not there is made.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub organisation: Option<Option<String>>,
    /// All of them, by name; those that are not there are made.
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub teams: Option<Vec<String>>,
}

/// Tells null from what is left out.
#[expect(clippy::option_option, reason = "there are three cases")]
fn given<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(d).map(Some)
}

/// What goes with an account: how many rows of each kind, and how many sessions are live.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoesWith {
    pub live_sessions: u64,
    /// By kind, every kind listed.
    pub rows: BTreeMap<String, u64>,
    /// Entries of the audit log that say something of the person, where that is erased with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_entries: Option<u64>,
}

/// What becomes of the people of an organisation, a team or a role when it goes, or when some of them move.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// How many people move, or would.
    pub people: u64,
    /// How many live sessions end by it, or would.
    pub sessions_ended: u64,
    /// Teams that go with an organisation.
    pub teams: u64,
}

/// What an import made, or would make.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub dry_run: bool,
    /// How many accounts.
    pub people: u64,
    /// Organisations that are made for them, by name.
    pub organisations: Vec<String>,
    /// Teams that are made for them, each behind its organisation.
    pub teams: Vec<String>,
    /// How many lines are wrong; with any of them nobody is added.
    pub wrong: u64,
    /// The first hundred of them.
    pub errors: Vec<LineError>,
    /// Whose accounts were made.
    #[serde(skip)]
    pub ids: Vec<Uuid>,
}

/// What a moment of somebody's timeline is.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MomentKind {
    #[default]
    SignedIn,
    /// A session ended.
    Ended,
    /// Something the audit log says of the account.
    Act,
}

/// A moment of somebody's timeline.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    pub at: Time,
    pub kind: MomentKind,
    /// Which session began or ended.
    pub session: Option<Uuid>,
    pub device: Option<String>,
    pub ip: Option<String>,
    /// Why it ended.
    pub reason: Option<EndReason>,
    /// Who ended it, or did what was done.
    pub by: Option<String>,
    /// What was done.
    pub action: Option<String>,
    pub details: Option<serde_json::Value>,
}

/// What is wrong with a line of a file; the first line has number 1.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineError {
    pub line: u64,
    pub message: String,
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationView {
    pub id: Uuid,
    pub name: String,
    pub people: u64,
    pub teams: u64,
    pub created_at: Time,
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    pub id: Uuid,
    pub name: String,
    pub organisation_id: Uuid,
    pub organisation: String,
    pub people: u64,
    pub created_at: Time,
}

#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleView {
    pub id: Uuid,
    pub name: String,
    pub level: Level,
    /// Can be neither renamed nor deleted, and keeps its level.
    pub built_in: bool,
    /// Within the reach of whoever asks.
    pub people: u64,
}

/// Where people go who must leave: `none`, or an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveTo {
    Nowhere,
    To(Uuid),
}

impl MoveTo {
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        match text.trim() {
            "none" => Ok(Self::Nowhere),
            id => Uuid::parse_str(id)
                .map(Self::To)
                .map_err(|_| ApiError::invalid("move_to", "Use an id, or none for people who shall be in none.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_told_from_what_is_left_out() {
        let edit = |text: &str| serde_json::from_str::<UserEdit>(text);
        assert_eq!(edit("{}").unwrap(), UserEdit::default());
        assert_eq!(edit(r#"{"email":null}"#).unwrap().email, Some(None));
        assert_eq!(edit(r#"{"email":"a@b.org"}"#).unwrap().email, Some(Some("a@b.org".to_owned())));
        assert!(edit(r#"{"is_admin":true}"#).is_err());
    }

    #[test]
    fn orders_have_words() {
        for sort in UserSort::ALL {
            assert_eq!(UserSort::parse(sort.as_str()), Some(sort));
        }
        assert_eq!(UserSort::parse("password_hash"), None);
    }
}
