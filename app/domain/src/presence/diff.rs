//! Phoenix Presence on top of the rows: key = the person's id (phoenix-v2 wire format). Metas are their connections, or
//! for colleagues the person alone.
//!
//! A meta's `phx_ref` is a hash of what the meta says. It is therefore unique to a version, the same wherever it is
//! computed, and needs no state: a snapshot plus every diff since is a fresh snapshot.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::{
    Cause, ConnectionId, DeviceRow, PersonRow, State,
    roster::Change,
    topic::{Audience, Eyes},
};
use crate::{SessionId, Time, UserId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Meta<'a> {
    pub phx_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phx_ref_prev: Option<String>,
    #[serde(flatten)]
    pub says: Says<'a>,
    /// What it is a version of; nothing for the person.
    #[serde(skip)]
    of: Option<(SessionId, Option<ConnectionId>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Says<'a> {
    /// One connection of a person. `state`, `since` and `cause` are the person's.
    Connection {
        session_id: SessionId,
        username: &'a str,
        name: &'a str,
        role: &'a str,
        state: State,
        page: Option<&'a str>,
        device: &'a str,
        online_at: Time,
        since: Time,
        cause: Cause,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        invisible: bool,
    },
    /// What colleagues see: nothing of where and with what.
    Colleague {
        name: &'a str,
        state: State,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    },
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

impl<'a> Meta<'a> {
    fn connection(row: &'a PersonRow, d: &'a DeviceRow) -> Self {
        let says = Says::Connection {
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
        let of = (d.session_id, d.connection);
        Self { phx_ref: hash(&(&says, of)), phx_ref_prev: None, says, of: Some(of) }
    }

    fn colleague(row: &'a PersonRow) -> Self {
        let says = Says::Colleague { name: &row.name, state: row.state, message: row.message.as_deref() };
        Self { phx_ref: hash(&(&says, row.id, row.since)), phx_ref_prev: None, says, of: None }
    }
}

fn hash(what: &impl Hash) -> String {
    let mut h = DefaultHasher::new();
    what.hash(&mut h);
    format!("{:x}", h.finish())
}

/// What this audience is told of somebody; nothing of somebody they do not see.
fn metas(row: Option<&PersonRow>, audience: Audience) -> Vec<Meta<'_>> {
    let Some(row) = row.filter(|r| audience.includes(r)) else { return vec![] };
    match audience.eyes {
        Eyes::Console(_) => row.devices.iter().map(|d| Meta::connection(row, d)).collect(),
        Eyes::Colleague => vec![Meta::colleague(row)],
    }
}

/// `presence_state` of everybody among `rows` whom the audience sees.
pub fn state<'a>(rows: impl Iterator<Item = &'a PersonRow>, audience: Audience) -> Snapshot<'a> {
    rows.map(|r| (r.id, Metas { metas: metas(Some(r), audience) })).filter(|(_, m)| !m.metas.is_empty()).collect()
}

/// What the changes are for this audience, as diffs to be sent one after the other.
///
/// Phoenix says an update in one. Supabase's client, until it was mended in 2026 (supabase-js#2565), then forgets the
/// references of whatever else it holds of that person, who never leaves again. So in its dialect all of a person
/// leaves and all of them joins: every client has dealt with that from the beginning.
pub fn diffs(changes: &[Change], audience: Audience) -> Vec<Diff<'_>> {
    if !audience.topic.realtime {
        return vec![diff(changes, audience)].into_iter().filter(|d| !d.is_empty()).collect();
    }
    let (mut gone, mut come) = (Diff::default(), Diff::default());
    for c in changes {
        let (old, new) = (metas(c.before.as_deref(), audience), metas(c.after.as_deref(), audience));
        if old == new {
            continue;
        }
        for (metas, side) in [(old, &mut gone.leaves), (new, &mut come.joins)] {
            if !metas.is_empty() {
                side.insert(c.id, Metas { metas });
            }
        }
    }
    [gone, come].into_iter().filter(|d| !d.is_empty()).collect()
}

/// A changed meta leaves in its old and joins in its new version.
fn diff(changes: &[Change], audience: Audience) -> Diff<'_> {
    let mut diff = Diff::default();
    for c in changes {
        let (old, new) = (metas(c.before.as_deref(), audience), metas(c.after.as_deref(), audience));
        let lacks = |all: &[Meta<'_>], one: &Meta<'_>| all.iter().all(|m| m.phx_ref != one.phx_ref);
        let leaves: Vec<Meta<'_>> = old.iter().filter(|o| lacks(&new, o)).cloned().collect();
        let joins: Vec<Meta<'_>> = new
            .iter()
            .filter(|n| lacks(&old, n))
            .map(|n| {
                let same = old.iter().find(|o| o.of == n.of);
                Meta { phx_ref_prev: same.map(|o| o.phx_ref.clone()), ..n.clone() }
            })
            .collect();
        if !joins.is_empty() {
            diff.joins.insert(c.id, Metas { metas: joins });
        }
        if !leaves.is_empty() {
            diff.leaves.insert(c.id, Metas { metas: leaves });
        }
    }
    diff
}
