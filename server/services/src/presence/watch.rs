//! What watchers get: Phoenix diffs by topic, patches by live query. Encoded once per topic, shared as bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use domain::{
    Reach, Time,
    presence::{
        ConnectionId, Counts, PersonRow,
        diff::{self, Audience},
        live::View,
        roster::Change,
    },
    wire,
};
use uuid::Uuid;

/// The topic of a live query.
pub(super) const LIVE: &str = "live:online";

pub(super) struct Live {
    pub(super) reach: Reach,
    pub(super) view: View,
}

#[derive(Default)]
pub(super) struct Watchers {
    /// In order of joining, so that frames go out in a stable order.
    pub(super) topics: HashMap<Audience, Vec<ConnectionId>>,
    pub(super) live: BTreeMap<ConnectionId, Live>,
}

impl Watchers {
    /// How many frames one flush may cost.
    pub(super) fn len(&self) -> usize {
        self.topics.values().map(Vec::len).sum::<usize>() + self.live.len()
    }

    /// Who watches anything, each once.
    pub(super) fn ids(&self) -> impl Iterator<Item = ConnectionId> {
        let all: BTreeSet<_> = self.topics.values().flatten().chain(self.live.keys()).copied().collect();
        all.into_iter()
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.topics.values_mut().for_each(|w| w.retain(|c| *c != id));
        self.topics.retain(|_, w| !w.is_empty());
        self.live.remove(&id);
    }

    pub(super) fn topics_of(&self, id: ConnectionId) -> Vec<Audience> {
        self.topics.iter().filter(|(_, w)| w.contains(&id)).map(|(a, _)| *a).collect()
    }

    /// One diff per topic, with its watchers.
    pub(super) fn diffs(&self, changes: &[Change]) -> Vec<(Bytes, &[ConnectionId])> {
        self.topics
            .iter()
            .filter_map(|(audience, watchers)| {
                let diff = diff::diff(changes, *audience);
                let frame = (!diff.is_empty()).then(|| wire::broadcast(&topic(*audience), "presence_diff", &diff))?;
                Some((Bytes::from(frame), watchers.as_slice()))
            })
            .collect()
    }

    /// One patch per live query that shows any of the changes.
    pub(super) fn patches(
        &mut self,
        changes: &[Change],
        epoch: Uuid,
        seq: u64,
        counts: &HashMap<Reach, Counts>,
        counted: &[Reach],
        now: Time,
    ) -> Vec<(Bytes, ConnectionId)> {
        let mut within: HashMap<Reach, Vec<Change>> = HashMap::new();
        let mut frames = vec![];
        for (id, live) in &mut self.live {
            let changes = within.entry(live.reach).or_insert_with(|| reachable(changes, live.reach));
            let counts = counted.contains(&live.reach).then(|| counts.get(&live.reach).cloned()).flatten();
            if let Some(patch) = live.view.apply(changes, epoch, seq, counts, now) {
                frames.push((Bytes::from(wire::broadcast(LIVE, "patch", &patch)), *id));
            }
        }
        frames
    }
}

/// The changes as somebody with `reach` sees them: who leaves it goes offline for them.
pub(super) fn reachable(changes: &[Change], reach: Reach) -> Vec<Change> {
    let seen = |row: &Option<std::sync::Arc<PersonRow>>| row.clone().filter(|r| reach.covers(r.organisation_id));
    changes
        .iter()
        .map(|c| Change { id: c.id, before: seen(&c.before), after: seen(&c.after) })
        .filter(|c| c.before.is_some() || c.after.is_some())
        .collect()
}

pub(super) fn topic(audience: Audience) -> String {
    match audience {
        Audience::Everybody => "presence:all".to_owned(),
        Audience::Organisation(id) => format!("presence:org:{id}"),
    }
}
