//! Which value is in force: what a flag, a variable or the file fixes, then what an admin chose, then the default.

use std::collections::BTreeMap;

use super::{Preset, Settings, contradictions, registry};

/// Keys that are fixed, and by what: `--session-idle`, `ROLLCALL_SESSION_IDLE`, `session_idle in /etc/rollcall.toml`.
pub type Fixed = BTreeMap<String, String>;

/// What admins chose, by key, as they wrote it.
pub type Stored = BTreeMap<String, String>;

/// The limits a preset is the default of.
const OF_PRESET: [&str; 4] = ["session_idle", "session_max", "session_max_admin", "session_remember"];

/// What the program was started with.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub base: Settings,
    pub fixed: Fixed,
}

impl Given {
    /// The settings in force. What cannot be read any more, and what contradicts something that is fixed, is as if
    /// nobody had chosen it; its keys come along.
    pub fn with(&self, stored: &Stored) -> (Settings, Vec<&'static str>) {
        let mut left_out = vec![];
        loop {
            let settings = self.apply(stored, &mut left_out);
            let against: Vec<_> = contradictions(&settings).into_iter().filter(|c| c.fatal).collect();
            let culprits: Vec<_> = against
                .iter()
                .flat_map(|c| c.keys)
                .filter(|k| stored.contains_key(*k) && !self.fixed.contains_key(*k) && !left_out.contains(k))
                .collect();
            if culprits.is_empty() {
                return (settings, left_out);
            }
            left_out.extend(culprits);
        }
    }

    fn apply(&self, stored: &Stored, left_out: &mut Vec<&'static str>) -> Settings {
        let mut s = self.preset(stored);
        for setting in registry::ALL {
            let free = !self.fixed.contains_key(setting.key) && !left_out.contains(&setting.key);
            let Some(text) = stored.get(setting.key).filter(|_| free) else { continue };
            if setting.write(&mut s, text).is_err() {
                left_out.push(setting.key);
            }
        }
        s
    }

    /// What is in force when nobody chose anything but a preset.
    fn preset(&self, stored: &Stored) -> Settings {
        let mut s = self.base.clone();
        let free = |key: &str| !self.fixed.contains_key(key);
        if let Some(text) = stored.get("session_preset").filter(|_| free("session_preset"))
            && let Some(setting) = registry::setting("session_preset")
        {
            // A word that is none leaves it as it was.
            let _ = setting.write(&mut s, text);
        }
        if s.preset != self.base.preset {
            let of = Settings { lifetimes: s.preset.lifetimes(), ..Settings::default() };
            for setting in OF_PRESET.iter().filter(|k| free(k)).filter_map(|k| registry::setting(k)) {
                let _ = setting.write(&mut s, &setting.text(&of));
            }
        }
        s
    }

    /// Makes `changes`, of which nothing is back to the default. A preset takes its limits along, but for those that
    /// are chosen with it.
    pub fn change(&self, stored: &Stored, changes: &BTreeMap<String, Option<String>>) -> Stored {
        let mut next = stored.clone();
        if changes.contains_key("session_preset") {
            for key in OF_PRESET {
                next.remove(key);
            }
        }
        for (key, value) in changes {
            match value {
                Some(value) => next.insert(key.clone(), value.clone()),
                None => next.remove(key),
            };
        }
        next
    }

    /// The default of a setting under the preset in force.
    pub fn default_text(&self, key: &str, preset: Preset) -> String {
        let of = Settings { preset: self.base.preset, lifetimes: preset.lifetimes(), ..Settings::default() };
        registry::setting(key).map_or_else(String::new, |s| {
            if key == "session_preset" { s.text(&Settings::default()) } else { s.text(&of) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Lifetimes,
        time::{HOUR, MINUTE},
    };

    fn stored(pairs: &[(&str, &str)]) -> Stored {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn what_is_fixed_comes_first() {
        let mut given = Given::default();
        given.base.session_limit = 3;
        given.fixed.insert("session_limit".into(), "--session-limit".into());
        let (s, out) = given.with(&stored(&[("session_limit", "7"), ("session_idle", "2h"), ("unknown", "x")]));
        assert_eq!((s.session_limit, s.lifetimes.idle, out), (3, 2 * HOUR, vec![]));
    }

    #[test]
    fn a_preset_takes_its_limits_along() {
        let given = Given::default();
        let before = stored(&[("session_idle", "2h"), ("session_limit", "3")]);
        let strict = BTreeMap::from([("session_preset".to_owned(), Some("strict".to_owned()))]);
        let after = given.change(&before, &strict);
        let (s, _) = given.with(&after);
        assert_eq!((s.lifetimes, s.session_limit), (Lifetimes::strict(), 3));
        let mut both = strict.clone();
        both.insert("session_idle".into(), Some("5m".into()));
        assert_eq!(given.with(&given.change(&before, &both)).0.lifetimes.idle, 5 * MINUTE);
        let back = BTreeMap::from([("session_preset".to_owned(), None)]);
        assert_eq!(given.with(&given.change(&after, &back)).0.lifetimes, Lifetimes::default());
    }

    #[test]
    fn what_was_chosen_gives_way_to_what_is_fixed() {
        let mut given = Given::default();
        given.base.presence.away_after = 6 * MINUTE;
        given.fixed.insert("away_after".into(), "--away-after".into());
        let (s, out) = given.with(&stored(&[("idle_after", "10m"), ("grace", "nonsense")]));
        assert_eq!(s.presence.idle_after, 5 * MINUTE);
        assert!(out.contains(&"idle_after") && out.contains(&"grace"));
    }
}
