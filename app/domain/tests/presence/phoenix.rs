//! The diffs under the rules of the Phoenix client: a snapshot and every diff since are a fresh snapshot.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Reach,
    presence::{
        Event, Roster, State, diff, sight,
        topic::{Audience, Eyes, Scope, Topic},
    },
    settings::PresenceLimits,
};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::{Map, Value};

use crate::world::{World, card, organisation, steps, team};

const PEOPLE: usize = 4;
/// Every scope, to all who may see it.
fn audiences() -> Vec<Audience> {
    let of = |scope, eyes| Audience { topic: Topic { scope, realtime: false }, eyes };
    let mut all = vec![of(Scope::Everybody, Eyes::Console(Reach::Everything))];
    for n in 1..4 {
        let org = organisation(n);
        all.extend([
            of(Scope::Team(team(n)), Eyes::Console(Reach::Everything)),
            of(Scope::Team(team(n)), Eyes::Console(Reach::Organisation(organisation(1)))),
            of(Scope::Organisation(org), Eyes::Console(Reach::Everything)),
            of(Scope::Organisation(org), Eyes::Console(Reach::Organisation(org))),
            of(Scope::People(org), Eyes::Colleague),
        ]);
    }
    let realtime = |a: &Audience| Audience { topic: Topic { realtime: true, ..a.topic }, ..*a };
    all.extend(all.clone().iter().map(realtime));
    all
}

fn metas(of: &Value) -> Vec<Value> {
    of["metas"].as_array().cloned().unwrap_or_default()
}

fn reference(meta: &Value) -> String {
    meta["phx_ref"].as_str().expect("every meta has a phx_ref").to_owned()
}

/// `Presence.state` of the npm client, with `syncState` and `syncDiff` as in `presence.js`.
#[derive(Clone, Debug, Default)]
struct Client(BTreeMap<String, Vec<Value>>);

impl Client {
    fn sync_state(&mut self, new: &Map<String, Value>) {
        let (mut joins, mut leaves) = (Map::new(), Map::new());
        let without = |these: &[Value], those: &[Value]| -> Vec<Value> {
            these.iter().filter(|m| those.iter().all(|t| reference(t) != reference(m))).cloned().collect()
        };
        for (key, current) in &self.0 {
            if !new.contains_key(key) {
                leaves.insert(key.clone(), serde_json::json!({ "metas": current }));
            }
        }
        for (key, presence) in new {
            let Some(current) = self.0.get(key) else {
                joins.insert(key.clone(), presence.clone());
                continue;
            };
            let (joined, left) = (without(&metas(presence), current), without(current, &metas(presence)));
            if !joined.is_empty() {
                joins.insert(key.clone(), serde_json::json!({ "metas": joined }));
            }
            if !left.is_empty() {
                leaves.insert(key.clone(), serde_json::json!({ "metas": left }));
            }
        }
        self.sync_diff(&joins, &leaves);
    }

    fn sync_diff(&mut self, joins: &Map<String, Value>, leaves: &Map<String, Value>) {
        for (key, new) in joins {
            let joined = metas(new);
            let refs: Vec<String> = joined.iter().map(reference).collect();
            let current = self.0.remove(key).unwrap_or_default();
            let kept = current.into_iter().filter(|m| !refs.contains(&reference(m)));
            self.0.insert(key.clone(), kept.chain(joined).collect());
        }
        for (key, left) in leaves {
            let refs: Vec<String> = metas(left).iter().map(reference).collect();
            let Some(current) = self.0.get_mut(key) else { continue };
            current.retain(|m| !refs.contains(&reference(m)));
            if current.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// Key → metas without the order, which the protocol does not promise, and without what only a diff says.
    fn said(&self) -> BTreeMap<String, BTreeSet<String>> {
        let plain = |mut m: Value| {
            m.as_object_mut().map(|o| o.remove("phx_ref_prev"));
            m.to_string()
        };
        self.0.iter().map(|(k, metas)| (k.clone(), metas.iter().cloned().map(plain).collect())).collect()
    }
}

fn object(of: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(of).expect("plain values") {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

fn snapshot(roster: &Roster, audience: Audience) -> Map<String, Value> {
    object(&diff::state(roster.rows().map(|r| &**r), audience))
}

/// An update names the version it replaces: one that leaves in the same diff, of the same session, once.
fn check_updates(joins: &Map<String, Value>, leaves: &Map<String, Value>) -> TestCaseResult {
    for (key, joined) in joins {
        let left: Vec<Value> = leaves.get(key).map(metas).unwrap_or_default();
        let mut named = BTreeSet::new();
        for meta in metas(joined) {
            let Some(previous) = meta.get("phx_ref_prev").and_then(Value::as_str) else { continue };
            let old = left.iter().find(|m| reference(m) == previous);
            prop_assert_eq!(old.map(|o| &o["session_id"]), Some(&meta["session_id"]));
            prop_assert!(named.insert(previous.to_owned()), "two versions replace one");
        }
        let refs: BTreeSet<String> = metas(joined).iter().map(reference).collect();
        prop_assert!(left.iter().all(|m| !refs.contains(&reference(m))), "one version both joins and leaves");
    }
    Ok(())
}

/// In the Supabase dialect nobody changes in part: they leave altogether, and join as somebody who was not there.
fn check_whole(joins: &Map<String, Value>, leaves: &Map<String, Value>, after: &Client) -> TestCaseResult {
    prop_assert!(joins.is_empty() || leaves.is_empty());
    prop_assert!(leaves.keys().all(|key| !after.0.contains_key(key)));
    prop_assert!(joins.iter().all(|(key, joined)| after.0[key].len() == metas(joined).len()));
    Ok(())
}

/// Who is shown to whom, and how much: said here once more, from the rows.
fn check_sight(roster: &Roster, audience: Audience, shown: &Client) -> TestCaseResult {
    for row in roster.rows() {
        let in_scope = match audience.topic.scope {
            Scope::Everybody => true,
            Scope::Organisation(id) | Scope::People(id) => row.organisation_id == Some(id),
            Scope::Team(id) => row.team_ids.contains(&id),
        };
        let seen = match audience.eyes {
            Eyes::Console(Reach::Everything) => true,
            Eyes::Console(reach) => !row.invisible && reach.covers(row.organisation_id),
            Eyes::Colleague => !row.invisible && !row.private,
        };
        let metas = shown.0.get(&row.id.to_string());
        prop_assert_eq!(metas.is_some(), in_scope && seen);
        if let (Some(metas), Eyes::Colleague) = (metas, audience.eyes) {
            let keys: BTreeSet<&str> =
                metas.iter().flat_map(|m| m.as_object().into_iter().flatten().map(|(k, _)| k)).map(|k| &**k).collect();
            prop_assert!(keys.iter().all(|k| ["name", "state", "message", "phx_ref", "phx_ref_prev"].contains(k)));
            prop_assert_eq!(metas.len(), 1);
            prop_assert_eq!(metas[0]["state"].as_str(), Some(row.state.as_str()));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn snapshot_and_diffs_are_a_fresh_snapshot(
        history in steps(PEOPLE, 50),
        every in 1..5_usize,
        resync in 1..20_usize,
    ) {
        let (mut roster, mut world) = (Roster::new(PresenceLimits::default()), World::new(PEOPLE));
        // One client that only follows, one that asks for the state now and then, one that hears every diff twice.
        let mut clients: Vec<[Client; 3]> = vec![<[Client; 3]>::default(); audiences().len()];
        for (i, step) in history.iter().enumerate() {
            world.drive(&mut roster, step);
            if i % 3 == 0 {
                roster.apply(Event::Private { card: card(i % PEOPLE, 0), private: i % 2 == 0 }, world.now);
            }
            if i % every != 0 {
                continue;
            }
            let changes = roster.take_changes();
            for (audience, [follows, resyncs, twice]) in audiences().into_iter().zip(&mut clients) {
                let state = snapshot(&roster, audience);
                let resync = i % resync == 0;
                for diff in diff::diffs(&changes, audience).iter().map(object) {
                    let side = |name: &str| diff[name].as_object().cloned().expect("both keys always");
                    let (joins, leaves) = (side("joins"), side("leaves"));
                    check_updates(&joins, &leaves)?;
                    follows.sync_diff(&joins, &leaves);
                    if audience.topic.realtime {
                        check_whole(&joins, &leaves, follows)?;
                    }
                    twice.sync_diff(&joins, &leaves);
                    twice.sync_diff(&joins, &leaves);
                    if !resync {
                        resyncs.sync_diff(&joins, &leaves);
                    }
                }
                if resync {
                    resyncs.sync_state(&state);
                }
                let mut fresh = Client::default();
                fresh.sync_state(&state);
                prop_assert_eq!(follows.said(), fresh.said());
                prop_assert_eq!(resyncs.said(), fresh.said());
                prop_assert_eq!(twice.said(), fresh.said());
                check_sight(&roster, audience, &fresh)?;
                // References are unique within a snapshot, or one leave would remove two.
                let refs: Vec<String> = fresh.0.values().flatten().map(reference).collect();
                prop_assert_eq!(refs.iter().collect::<BTreeSet<_>>().len(), refs.len());
            }
        }
    }

    /// Colleagues: best state first, then by name, and nobody who is not to be seen.
    #[test]
    fn colleagues_are_in_order(history in steps(PEOPLE, 30)) {
        let (mut roster, mut world) = (Roster::new(PresenceLimits::default()), World::new(PEOPLE));
        for step in &history {
            world.drive(&mut roster, step);
        }
        let all = sight::colleagues(roster.rows().map(|r| &**r));
        prop_assert_eq!(all.len(), roster.rows().filter(|r| !r.invisible).count());
        prop_assert!(all.is_sorted_by_key(|c| (std::cmp::Reverse(c.state), c.name.to_lowercase())));
        prop_assert!(all.iter().all(|c| c.state != State::Offline));
    }

    /// Diffs that were queued before the snapshot and are contained in it do no harm.
    #[test]
    fn diffs_before_the_snapshot_are_harmless(history in steps(PEOPLE, 40), queued in 1..8_usize) {
        let (mut roster, mut world) = (Roster::new(PresenceLimits::default()), World::new(PEOPLE));
        let everybody = audiences()[0];
        let mut diffs = vec![];
        for step in &history {
            world.drive(&mut roster, step);
            let changes = roster.take_changes();
            diffs.extend(diff::diffs(&changes, everybody).iter().map(object));
        }
        let mut fresh = Client::default();
        fresh.sync_state(&snapshot(&roster, everybody));
        let mut client = fresh.clone();
        for diff in &diffs[diffs.len().saturating_sub(queued)..] {
            let side = |name: &str| diff[name].as_object().cloned().unwrap_or_default();
            client.sync_diff(&side("joins"), &side("leaves"));
        }
        prop_assert_eq!(client.said(), fresh.said());
    }
}
