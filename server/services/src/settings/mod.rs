//! Settings: what is in force, who changed it, and changing it while the server runs.
//!
//! What a flag, a variable or the file says is fixed; then comes what an admin chose, which is in the database; then the
//! default (`domain::settings`). `present`: the one copy everybody reads. A change is one act: rows, audit, what it does
//! to sessions, then memory, sockets and the hub. Another process's change is followed twice a second.

mod present;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    Actor, ApiError, ErrorCode, Time,
    access::Action,
    settings::{self, Applies, Changed, Contradiction, SettingView, Settings, Stored, contradictions},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub use self::present::Present;
use crate::{
    audit::{self, Entry},
    sessions::{Sessions, commit},
    store::{db, directory, settings as rows},
};

/// How often a server looks for what other processes changed: a quarter of the promised 2 s.
const WATCH: Duration = Duration::from_millis(500);

/// What is asked to change: nothing for "back to the default".
pub type Changes = BTreeMap<String, Option<String>>;

/// The handle on settings; a cheap clone.
#[derive(Clone)]
pub struct SettingsOf {
    sessions: Sessions,
}

impl SettingsOf {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    fn present(&self) -> &Present {
        &self.sessions.inner.settings
    }

    /// The settings in force.
    pub fn now(&self) -> Arc<Settings> {
        self.present().now()
    }

    /// What in them does not go together.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        contradictions(&self.now())
    }

    /// Every setting, in the order of the groups.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<SettingView>, ApiError> {
        actor.require(Action::Settings)?;
        let store = &self.sessions.inner.store;
        let kept = store.within(rows::all(store.read())).await?;
        let (now, given) = (self.now(), self.present().given());
        let view = |s: &settings::Setting| {
            let row = kept.get(s.key);
            SettingView {
                key: s.key.to_owned(),
                group: s.group,
                title: s.title.to_owned(),
                about: s.about.to_owned(),
                value: s.text(&now),
                default: given.default_text(s.key, now.preset),
                bounds: s.takes.bounds(),
                unit: s.takes.unit().to_owned(),
                words: match s.takes {
                    settings::Takes::Word(words) => words.iter().map(|w| (*w).to_owned()).collect(),
                    _ => vec![],
                },
                applies: s.applies,
                fixed_by: given.fixed.get(s.key).cloned(),
                chosen: row.map(|r| r.value.clone()),
                changed_at: row.map(|r| Time(r.updated_at)),
                changed_by: row.and_then(|r| r.updated_by.clone()),
            }
        };
        Ok(settings::ALL.iter().map(view).collect())
    }

    /// Changes settings, and does to sessions what follows, before it returns; with `dry_run` only says what would. Asks
    /// for sudo mode unless it is one. A command beside the server only writes them down: the server, which alone
    /// knows what is fixed, does the rest; what a dry run of a command says of sessions is as the database knows them.
    pub async fn change(&self, actor: &Actor, changes: Changes, dry_run: bool) -> Result<Changed, ApiError> {
        actor.require(Action::Settings)?;
        if !dry_run {
            actor.require_fresh(self.sessions.now())?;
        }
        let (this, actor) = (self.clone(), actor.clone());
        self.sessions.act(async move { this.change_now(&actor, &changes, dry_run).await }).await
    }

    async fn change_now(&self, actor: &Actor, changes: &Changes, dry_run: bool) -> Result<Changed, ApiError> {
        let (sessions, present) = (&self.sessions, self.present());
        let inner = &sessions.inner;
        let txn = sessions.begin().await?;
        let stored: Stored =
            rows::all(&txn).await.map_err(db)?.into_iter().map(|(key, row)| (key, row.value)).collect();
        let roles: Vec<_> = directory::roles(&txn).await.map_err(db)?.into_iter().map(|r| r.name).collect();
        self.check(changes, &roles)?;
        let next = present.given().change(&stored, changes);
        let (before, after) = (present.now(), Arc::new(self.settle(&next, changes)?));
        let now = sessions.now();
        let by = Some(actor.label());
        let mut changed = Changed { changes: differences(&before, &after), dry_run, ..Changed::default() };
        changed.warnings = contradictions(&after).into_iter().map(|c| c.sentence).collect();
        let ended = if inner.serving || dry_run {
            let (consequences, ended) = sessions.follow_rules(&txn, &before, &after, actor, now).await?;
            changed.sessions = consequences;
            ended
        } else {
            vec![]
        };
        if dry_run {
            // Everything above was done to find out what it does; none of it stays.
            txn.rollback().await.map_err(db)?;
            return Ok(changed);
        }
        rows::replace(&txn, &stored, &next, by, now).await.map_err(db)?;
        let said: BTreeMap<_, _> =
            changes.keys().map(|k| (k, json!({"from": stored.get(k), "to": next.get(k)}))).collect();
        let entry = Entry {
            action: "settings_changed",
            subject_kind: "settings",
            details: Some(json!({"changes": said, "sessions_ended": ended.len()})),
            ..Entry::default()
        };
        audit::append(&txn, &inner.clock, actor, entry).await.map_err(db)?;
        // Before the commit: the next sign-in, which waits for this transaction, reads the new ones.
        present.put(Arc::clone(&after));
        if let Err(e) = commit(txn).await {
            present.put(before);
            return Err(e);
        }
        sessions.rules_changed(&after, &ended, now).await;
        Ok(changed)
    }

    /// Each change by itself.
    fn check(&self, changes: &Changes, roles: &[String]) -> Result<(), ApiError> {
        let mut wrong = vec![];
        let mut scratch = Settings::default();
        for (key, value) in changes {
            let Some(setting) = settings::setting(key) else {
                wrong.push((key.clone(), "There is no such setting.".to_owned()));
                continue;
            };
            if let Some(by) = self.present().given().fixed.get(key) {
                wrong.push((key.clone(), format!("This is fixed by {by}.")));
            } else if setting.applies == Applies::ByFlagOnly {
                wrong
                    .push((key.clone(), "This can be set by a flag, a variable or the settings file only.".to_owned()));
            } else if let Some(Err(e)) = value.as_ref().map(|v| setting.write(&mut scratch, v)) {
                wrong.push((key.clone(), sentence(&e)));
            }
        }
        let (idle, limits) = (&scratch.lifetimes.idle_by_role, &scratch.session_limit_by_role);
        let named = [
            ("session_idle_by_role", idle.keys().collect::<Vec<_>>()),
            ("session_limit_by_role", limits.keys().collect()),
            ("second_factor_roles", scratch.second_factor_roles.iter().collect()),
        ];
        for (key, names) in named {
            if let Some(unknown) = names.into_iter().find(|name| !roles.contains(name)) {
                wrong.push((key.to_owned(), format!("There is no role \"{unknown}\".")));
            }
        }
        refuse(wrong)
    }

    /// All of them together.
    fn settle(&self, next: &Stored, changes: &Changes) -> Result<Settings, ApiError> {
        let given = self.present().given();
        let (after, left_out) = given.with(next);
        let mut asked = domain::settings::Given { base: after.clone(), fixed: given.fixed.clone() };
        for key in left_out.iter().filter(|k| changes.contains_key(**k)) {
            if let (Some(setting), Some(text)) = (settings::setting(key), next.get(*key)) {
                // It was checked before.
                let _ = setting.write(&mut asked.base, text);
            }
        }
        let against = contradictions(&asked.base).into_iter().filter(|c| c.fatal);
        refuse(against.flat_map(|c| c.keys.map(|k| (k.to_owned(), c.sentence.clone()))).collect())?;
        Ok(after)
    }

    /// The number of the last change so far: where a watch begins.
    pub(crate) async fn last(&self) -> Result<i64, ApiError> {
        let store = &self.sessions.inner.store;
        store.within(rows::last(store.read())).await
    }

    /// Takes over what another process changed after number `seq`; the last number.
    pub async fn follow(&self, seq: i64) -> Result<i64, ApiError> {
        let last = self.last().await?;
        if last == seq {
            return Ok(seq);
        }
        let this = self.clone();
        self.sessions.act(async move { this.take_over().await }).await?;
        Ok(last)
    }

    async fn take_over(&self) -> Result<(), ApiError> {
        let (sessions, present) = (&self.sessions, self.present());
        let txn = sessions.begin().await?;
        let kept = rows::all(&txn).await.map_err(db)?;
        let stored: Stored = kept.into_iter().map(|(key, row)| (key, row.value)).collect();
        let (after, left_out) = present.given().with(&stored);
        if !left_out.is_empty() {
            tracing::warn!(settings = ?left_out, "these settings contradict what is fixed, or cannot be read; they are left out");
        }
        let (before, after) = (present.now(), Arc::new(after));
        if before == after {
            return Ok(());
        }
        let now = sessions.now();
        let (_, ended) = sessions.follow_rules(&txn, &before, &after, &Actor::Operator, now).await?;
        present.put(Arc::clone(&after));
        if let Err(e) = commit(txn).await {
            present.put(before);
            return Err(e);
        }
        sessions.rules_changed(&after, &ended, now).await;
        Ok(())
    }

    /// Follows what other processes change until `stop`.
    pub(crate) async fn run_watch(self, mut seq: i64, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(WATCH) => {}
            }
            match self.follow(seq).await {
                Ok(last) => seq = last,
                Err(e) => tracing::debug!(error = %e, "could not look for changed settings"),
            }
        }
    }
}

fn differences(before: &Settings, after: &Settings) -> BTreeMap<String, (String, String)> {
    let texts = settings::ALL.iter().map(|s| (s.key, s.text(before), s.text(after)));
    texts.filter(|(_, a, b)| a != b).map(|(key, a, b)| (key.to_owned(), (a, b))).collect()
}

/// As a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn refuse(wrong: Vec<(String, String)>) -> Result<(), ApiError> {
    let Some((_, first)) = wrong.first() else { return Ok(()) };
    let mut error = ApiError::new(ErrorCode::Invalid, first.clone());
    error.fields = wrong.into_iter().collect();
    Err(error)
}
