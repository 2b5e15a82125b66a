//! What watchers get: Phoenix diffs by topic, patches by live query. Encoded once per topic, shared as bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use domain::{
    Reach, Time, UserId,
    presence::{ConnectionId, Counts, PersonRow, diff, live::View, roster::Change, topic::Audience},
    wire,
};
use uuid::Uuid;

/// The topic of a live query; further ones of the same connection carry a key behind it.
const LIVE: &str = "live:online";
/// Further live queries of one connection: a browser shares one among its tabs.
pub(super) const KEYS_MAX: usize = 20;

/// Which live query of a connection: that of `live:online`, or that of `live:online:KEY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// `live:online`, or with a key of 1 to 16 of a–z and 0–9.
    pub fn of_topic(topic: &str) -> Option<Self> {
        let mut key = Self::default();
        let rest = topic.strip_prefix(LIVE)?;
        if rest.is_empty() {
            return Some(key);
        }
        let text = rest.strip_prefix(':')?.as_bytes();
        let fits = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = !text.is_empty() && text.len() <= key.0.len() && text.iter().all(fits);
        key.0[..text.len().min(16)].copy_from_slice(&text[..text.len().min(16)]);
        fits.then_some(key)
    }

    pub(super) fn topic(&self) -> String {
        let text: String = self.0.iter().take_while(|b| **b != 0).map(|b| char::from(*b)).collect();
        if text.is_empty() { LIVE.to_owned() } else { format!("{LIVE}:{text}") }
    }
}

pub(super) struct Live {
    pub(super) reach: Reach,
    pub(super) view: View,
}

#[derive(Default)]
pub(super) struct Watchers {
    /// In order of joining, so that frames go out in a stable order.
    pub(super) topics: HashMap<Audience, Vec<ConnectionId>>,
    pub(super) live: BTreeMap<(ConnectionId, Key), Live>,
    /// Who watches uploads, and how far they see.
    pub(super) uploads: BTreeMap<ConnectionId, Reach>,
    /// Who hears of their unread notices, and the number they were told last.
    pub(super) notices: BTreeMap<ConnectionId, (UserId, Option<u64>)>,
    /// Of the samples of traffic.
    pub(super) traffic: BTreeSet<ConnectionId>,
}

impl Watchers {
    /// How many frames one flush may cost, as only some connections take any.
    pub(super) fn frames(&self, takes: impl Fn(ConnectionId) -> bool) -> usize {
        let live = self.live.keys().map(|(id, _)| id);
        self.topics.values().flatten().chain(live).filter(|id| takes(**id)).count()
    }

    /// Who watches anything, each once.
    pub(super) fn ids(&self) -> impl Iterator<Item = ConnectionId> {
        let all: BTreeSet<_> = self
            .topics
            .values()
            .flatten()
            .chain(self.live.keys().map(|(c, _)| c))
            .chain(self.uploads.keys())
            .chain(self.notices.keys())
            .chain(&self.traffic)
            .copied()
            .collect();
        all.into_iter()
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.topics.values_mut().for_each(|w| w.retain(|c| *c != id));
        self.topics.retain(|_, w| !w.is_empty());
        self.uploads.remove(&id);
        self.notices.remove(&id);
        for key in self.keys_of(id) {
            self.live.remove(&(id, key));
        }
        self.traffic.remove(&id);
    }

    pub(super) fn topics_of(&self, id: ConnectionId) -> Vec<Audience> {
        self.topics.iter().filter(|(_, w)| w.contains(&id)).map(|(a, _)| *a).collect()
    }

    pub(super) fn keys_of(&self, id: ConnectionId) -> Vec<Key> {
        self.live.range((id, Key::default())..).take_while(|((c, _), _)| *c == id).map(|((_, k), _)| *k).collect()
    }

    /// The diffs of each topic, with its watchers.
    pub(super) fn diffs(&self, changes: &[Change]) -> Vec<(Bytes, &[ConnectionId])> {
        self.topics
            .iter()
            .flat_map(|(audience, watchers)| {
                let topic = audience.topic.to_string();
                let frame = move |diff| Bytes::from(wire::broadcast(&topic, "presence_diff", &diff));
                diff::diffs(changes, *audience).into_iter().map(frame).map(|f| (f, watchers.as_slice()))
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
        for ((id, key), live) in &mut self.live {
            let changes = within.entry(live.reach).or_insert_with(|| reachable(changes, live.reach));
            let counts = counted.contains(&live.reach).then(|| counts.get(&live.reach).cloned()).flatten();
            if let Some(patch) = live.view.apply(changes, epoch, seq, counts, now) {
                frames.push((Bytes::from(wire::broadcast(&key.topic(), "patch", &patch)), *id));
            }
        }
        frames
    }
}

/// The changes as somebody with `reach` sees them: who leaves it goes offline for them.
pub(super) fn reachable(changes: &[Change], reach: Reach) -> Vec<Change> {
    let seen = |row: &Option<std::sync::Arc<PersonRow>>| row.clone().filter(|r| reach.sees(r));
    changes
        .iter()
        .map(|c| Change { id: c.id, before: seen(&c.before), after: seen(&c.after) })
        .filter(|c| c.before.is_some() || c.after.is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_plain() {
        for good in ["live:online", "live:online:a", "live:online:0123456789abcdef"] {
            assert_eq!(Key::of_topic(good).unwrap().topic(), good);
        }
        for bad in ["live:", "live:onlinex", "live:online:", "live:online:A", "live:online:a:b", "live:online:é"] {
            assert_eq!(Key::of_topic(bad), None, "{bad}");
        }
        assert_eq!(Key::of_topic("live:online:0123456789abcdefg"), None);
    }
}
