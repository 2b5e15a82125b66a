//! Phoenix Presence on top of the rows: key = the person's id, metas = their connections (phoenix-v2 wire format).
//!
//! A meta's `phx_ref` is a hash of what it says. It is therefore unique to a version, the same wherever it is
//! computed, and needs no state: a snapshot plus every diff since is a fresh snapshot.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::{Cause, DeviceRow, PersonRow, State, roster::Change};
use crate::{OrganisationId, SessionId, Time, UserId};

/// One connection of a person. `state`, `since` and `cause` are the person's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Meta<'a> {
    pub phx_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phx_ref_prev: Option<String>,
    pub session_id: SessionId,
    pub username: &'a str,
    pub name: &'a str,
    pub role: &'a str,
    pub state: State,
    pub page: Option<&'a str>,
    pub device: &'a str,
    pub online_at: Time,
    pub since: Time,
    pub cause: Cause,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metas<'a> {
    pub metas: Vec<Meta<'a>>,
}

pub type Snapshot<'a> = BTreeMap<UserId, Metas<'a>>;

/// `presence_diff`: both keys always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff<'a> {
    pub joins: BTreeMap<UserId, Metas<'a>>,
    pub leaves: BTreeMap<UserId, Metas<'a>>,
}

impl Diff<'_> {
    pub fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }
}

/// Whose presence a topic carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    Everybody,
    Organisation(OrganisationId),
}

impl Audience {
    pub fn includes(self, row: &PersonRow) -> bool {
        match self {
            Self::Everybody => true,
            Self::Organisation(id) => row.organisation_id == Some(id),
        }
    }
}

fn meta<'a>(row: &'a PersonRow, d: &'a DeviceRow) -> Meta<'a> {
    let mut meta = Meta {
        phx_ref: String::new(),
        phx_ref_prev: None,
        session_id: d.session_id,
        username: &row.username,
        name: &row.name,
        role: &row.role,
        state: row.state,
        page: d.page.as_deref(),
        device: &d.device,
        online_at: d.online_at,
        since: row.since,
        cause: row.cause,
        invisible: row.invisible,
    };
    let mut h = DefaultHasher::new();
    (&meta, d.connection).hash(&mut h);
    meta.phx_ref = format!("{:x}", h.finish());
    meta
}

fn metas(row: &PersonRow) -> Vec<Meta<'_>> {
    row.devices.iter().map(|d| meta(row, d)).collect()
}

/// `presence_state` of everybody among `rows`.
pub fn state<'a>(rows: impl Iterator<Item = &'a PersonRow>) -> Snapshot<'a> {
    rows.map(|r| (r.id, Metas { metas: metas(r) })).collect()
}

/// What the changes are for this audience: a changed meta leaves in its old and joins in its new version.
pub fn diff(changes: &[Change], audience: Audience) -> Diff<'_> {
    let mut diff = Diff::default();
    for c in changes {
        let before = c.before.as_deref().filter(|r| audience.includes(r));
        let after = c.after.as_deref().filter(|r| audience.includes(r));
        let (old, new) = (before.map(metas).unwrap_or_default(), after.map(metas).unwrap_or_default());
        let lacks = |all: &[Meta<'_>], one: &Meta<'_>| all.iter().all(|m| m.phx_ref != one.phx_ref);
        let leaves: Vec<Meta<'_>> = old.iter().filter(|o| lacks(&new, o)).cloned().collect();
        let device = |row: Option<&'_ PersonRow>, i: usize| {
            row.and_then(|r| r.devices.get(i)).map(|d| (d.session_id, d.connection))
        };
        let mut joins = vec![];
        for (i, n) in new.iter().enumerate().filter(|(_, n)| lacks(&old, n)) {
            let same = (0..old.len()).find(|o| device(before, *o) == device(after, i));
            joins.push(Meta { phx_ref_prev: same.map(|o| old[o].phx_ref.clone()), ..n.clone() });
        }
        if !joins.is_empty() {
            diff.joins.insert(c.id, Metas { metas: joins });
        }
        if !leaves.is_empty() {
            diff.leaves.insert(c.id, Metas { metas: leaves });
        }
    }
    diff
}
