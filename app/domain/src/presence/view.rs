//! What watchers read of a person, and the counts over everybody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Cause, Chosen, State, Transition, roster::Change};
use crate::Time;

/// One person who is not offline, as `/admin/users/online`, `live:online` and the table show them.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    pub id: Uuid,
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    pub role: String,
    pub organisation: Option<String>,
    pub organisation_id: Option<Uuid>,
    pub teams: Vec<String>,
    /// What tells teams of one name in two organisations apart. Only the server's rules ask.
    #[serde(skip)]
    pub team_ids: Vec<Uuid>,
    pub state: State,
    pub cause: Cause,
    pub since: Time,
    /// Online, with input within the limit of "active now"; a busy person may or may not be.
    pub active: bool,
    /// Chose to be invisible: offline to members and managers, marked here for admins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
    /// Keeps their presence from colleagues. Only the server's rules ask.
    #[serde(skip)]
    pub private: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The oldest sign-in among the person's connected sessions.
    pub session_started_at: Time,
    /// How long ago that was when this was written.
    pub session_seconds: i64,
    /// The last input we know of.
    pub last_activity_at: Time,
    /// Of the connection with the newest input.
    pub page: Option<String>,
    pub devices: Vec<DeviceRow>,
    pub ip: String,
    pub place: Option<String>,
    pub recent_uploads: Vec<String>,
}

/// One connection, or one session that beats without a socket.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    pub session_id: Uuid,
    /// Nothing for a session without a socket.
    pub connection: Option<u64>,
    /// `Firefox on Linux`.
    pub device: String,
    pub page: Option<String>,
    pub visible: bool,
    /// False while it is lost and its grace runs.
    pub connected: bool,
    pub ip: String,
    pub online_at: Time,
    pub signed_in_at: Time,
    pub last_input_at: Time,
    /// Tabs behind the connection.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub tabs: u8,
}

fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_one(n: &u8) -> bool {
    *n == 1
}

/// Counts over everybody one may see. Groups that are empty are listed where they are known to exist.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Busy + active + idle.
    pub online: u32,
    /// Online, with input within the limit of "active now".
    pub active: u32,
    /// Not offline, by state.
    pub by_state: BTreeMap<String, u32>,
    /// Online, by role's name; every role.
    pub by_role: BTreeMap<String, u32>,
    /// Online, by organisation's name.
    pub by_org: BTreeMap<String, u32>,
    /// Online, by team's name.
    pub by_team: BTreeMap<String, u32>,
    /// Active now, by role's name; every role.
    pub active_by_role: BTreeMap<String, u32>,
}

impl Counts {
    /// Zero of everything, with every state and every role listed.
    pub fn zero<'a>(roles: impl IntoIterator<Item = &'a str>) -> Self {
        let by_role: BTreeMap<String, u32> = roles.into_iter().map(|r| (r.to_owned(), 0)).collect();
        Self {
            by_state: State::ALL[..5].iter().map(|s| (s.as_str().to_owned(), 0)).collect(),
            active_by_role: by_role.clone(),
            by_role,
            ..Self::default()
        }
    }

    /// Adds a person; offline people count nowhere.
    pub fn add(&mut self, row: &PersonRow) {
        self.change(row, |n| *n += 1);
    }

    /// Takes away what `add` of the same row added.
    pub fn remove(&mut self, row: &PersonRow) {
        self.change(row, |n| *n = n.saturating_sub(1));
        self.by_org.retain(|_, n| *n > 0);
        self.by_team.retain(|_, n| *n > 0);
    }

    /// What these counts were before `changes`.
    #[must_use]
    pub fn before(&self, changes: &[Change]) -> Self {
        let mut counts = self.clone();
        changes.iter().filter_map(|c| c.after.as_ref()).for_each(|r| counts.remove(r));
        changes.iter().filter_map(|c| c.before.as_ref()).for_each(|r| counts.add(r));
        counts
    }

    fn change(&mut self, row: &PersonRow, step: impl Fn(&mut u32)) {
        if row.state == State::Offline {
            return;
        }
        let bump = |map: &mut BTreeMap<String, u32>, key: &str| match map.get_mut(key) {
            Some(n) => step(n),
            None => step(map.entry(key.to_owned()).or_default()),
        };
        bump(&mut self.by_state, row.state.as_str());
        if row.active {
            step(&mut self.active);
            bump(&mut self.active_by_role, &row.role);
        }
        if row.state.is_online() {
            step(&mut self.online);
            bump(&mut self.by_role, &row.role);
            row.organisation.iter().for_each(|o| bump(&mut self.by_org, o));
            row.teams.iter().for_each(|t| bump(&mut self.by_team, t));
        }
    }
}

/// `GET /admin/users/online`: one page of people with the counts over everybody in reach.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlinePage {
    pub counts: Counts,
    /// How many match the query.
    pub total: u32,
    pub users: Vec<PersonRow>,
    pub as_of: Time,
    /// The hub's sequence number of this answer.
    pub seq: u64,
}

/// `GET /admin/users/{id}/why`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    pub id: Uuid,
    pub name: String,
    pub username: String,
    pub state: State,
    pub since: Option<Time>,
    pub cause: Option<Cause>,
    /// The state and its reason in one sentence.
    pub sentence: String,
    /// The limits in force, in words.
    pub limits: String,
    /// Newest first.
    pub transitions: Vec<Transition>,
    pub person: Option<PersonRow>,
    pub as_of: Time,
}

/// What a person is told of themselves: `GET /presence/me`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    #[serde(flatten)]
    pub chosen: Chosen,
    pub state: State,
    pub since: Option<Time>,
    pub cause: Option<Cause>,
    pub sentence: String,
    pub limits: String,
    pub devices: Vec<DeviceRow>,
    pub as_of: Time,
    /// What they did, in a few words: for their home page only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
}

/// "Idle since 2026-03-02 14:52:03 UTC: no input for 5 min; one tab open, the last input in Firefox on Linux at 14:47:03 UTC."
pub fn sentence(state: State, latest: Option<&Transition>) -> String {
    match latest {
        Some(t) => format!("{} since {} UTC: {}.", state.word(), t.at.exact(), t.evidence),
        None => "Offline: not here since the server started.".to_owned(),
    }
}
