//! Presence as the Phoenix client keeps it: `syncState` and `syncDiff`, rule by rule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

#[derive(Debug, Default)]
pub(crate) struct Presences(BTreeMap<String, Vec<Value>>);

fn metas(presence: &Value) -> Vec<Value> {
    presence["metas"].as_array().cloned().unwrap_or_default()
}

fn refs(metas: &[Value]) -> BTreeSet<String> {
    metas.iter().map(|m| m["phx_ref"].as_str().unwrap().to_owned()).collect()
}

impl Presences {
    /// Takes in a frame of the topic; false when it is of no concern.
    pub(crate) fn take(&mut self, frame: &Value, topic: &str) -> bool {
        match frame[3].as_str().filter(|_| frame[2] == topic) {
            Some("presence_state") => self.sync_state(&frame[4]),
            Some("presence_diff") => self.sync_diff(&frame[4]),
            _ => return false,
        }
        true
    }

    fn sync_state(&mut self, state: &Value) {
        self.0 = state.as_object().unwrap().iter().map(|(key, p)| (key.clone(), metas(p))).collect();
    }

    /// Joins first, then leaves, by reference alone.
    fn sync_diff(&mut self, diff: &Value) {
        for (key, presence) in diff["joins"].as_object().unwrap() {
            let new = metas(presence);
            let joined = refs(&new);
            let kept = self.0.entry(key.clone()).or_default();
            kept.retain(|m| !joined.contains(m["phx_ref"].as_str().unwrap()));
            kept.extend(new);
        }
        for (key, presence) in diff["leaves"].as_object().unwrap() {
            let gone = refs(&metas(presence));
            let Some(kept) = self.0.get_mut(key) else { continue };
            kept.retain(|m| !gone.contains(m["phx_ref"].as_str().unwrap()));
            if kept.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// What `Presence.list()` says, in a form that can be compared: person → connections.
    pub(crate) fn list(&self) -> BTreeMap<String, BTreeSet<String>> {
        let line =
            |m: &Value| format!("{} {} {} {} {}", m["session_id"], m["state"], m["page"], m["since"], m["cause"]);
        self.0.iter().map(|(key, metas)| (key.clone(), metas.iter().map(line).collect())).collect()
    }
}

/// The same of `/admin/users/online`.
pub(crate) fn list_of(page: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let people = page["users"].as_array().unwrap();
    let of = |u: &Value| {
        let line =
            |d: &Value| format!("{} {} {} {} {}", d["session_id"], u["state"], d["page"], u["since"], u["cause"]);
        (u["id"].as_str().unwrap().to_owned(), u["devices"].as_array().unwrap().iter().map(line).collect())
    };
    people.iter().map(of).collect()
}
