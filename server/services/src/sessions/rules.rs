//! What limits and lifetimes that change do to the sessions there are.

use std::collections::BTreeMap;

use domain::{
    Actor, ApiError, SessionId, Time,
    session::EndReason,
    settings::{Consequences, Lifetimes, LimitPolicy, Of, Settings, Sooner},
};
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use super::{Inner, Sessions, commit};
use crate::store::{db, directory, live, rules};

/// Where the rules that sessions follow are remembered.
const KEY: &str = "session_rules";
/// People named in an answer; the numbers are of all.
const NAMED: usize = 20;

#[derive(PartialEq, Serialize)]
struct Rules<'a> {
    lifetimes: &'a Lifetimes,
    limit: u32,
    limit_by_role: &'a BTreeMap<String, u32>,
    policy: LimitPolicy,
}

impl<'a> Rules<'a> {
    fn of(s: &'a Settings) -> Self {
        Self {
            lifetimes: &s.lifetimes,
            limit: s.session_limit,
            limit_by_role: &s.session_limit_by_role,
            policy: s.session_limit_policy,
        }
    }

    fn text(&self) -> Result<String, ApiError> {
        serde_json::to_string(self).map_err(|_| ApiError::internal())
    }
}

type Ended = Vec<(SessionId, EndReason)>;

impl Sessions {
    /// At the start of a server: sessions that began under other settings follow those in force now.
    pub(crate) async fn apply_settings(&self) -> Result<(), ApiError> {
        let Inner { store, settings, .. } = &*self.inner;
        let settings = settings.now();
        let remembered = store.within(directory::setting(store.read(), KEY)).await?;
        if remembered == Some(Rules::of(&settings).text()?) {
            return Ok(());
        }
        let txn = self.begin().await?;
        let ended = self.apply_rules(&txn, &settings, None, self.now()).await?;
        commit(txn).await?;
        self.ended(&ended).await;
        Ok(())
    }

    /// Makes the live sessions follow `after` within `txn`: what that does, and which of them it ended.
    pub(crate) async fn follow_rules(
        &self,
        txn: &DatabaseTransaction,
        before: &Settings,
        after: &Settings,
        actor: &Actor,
        now: Time,
    ) -> Result<(Consequences, Ended), ApiError> {
        let named: Vec<&String> = after.second_factor_roles.difference(&before.second_factor_roles).collect();
        if Rules::of(before) == Rules::of(after) && named.is_empty() {
            return Ok((Consequences::default(), vec![]));
        }
        let (sooner, next) = if before.lifetimes == after.lifetimes {
            (0, vec![])
        } else {
            self.write_waiting(txn).await?;
            rules::sooner(txn, &after.lifetimes, now, NAMED).await.map_err(db)?
        };
        let next = next.into_iter().map(|s| Sooner { username: s.username, name: s.name, ends_at: Time(s.at) });
        let mut ended = self.apply_rules(txn, after, Some(actor.label()), now).await?;
        ended.extend(rules::end_without_second_factor(txn, &named, Some(actor.label()), now).await.map_err(db)?);
        let ids: Vec<SessionId> = ended.iter().map(|(id, _)| *id).collect();
        let mut who: Vec<Of> = rules::owners(txn, &ids)
            .await
            .map_err(db)?
            .into_iter()
            .map(|((username, name), n)| Of { username, name, sessions: n })
            .collect();
        who.sort_by(|a, b| b.sessions.cmp(&a.sessions).then_with(|| a.username.cmp(&b.username)));
        let people = who.len() as u64;
        who.truncate(NAMED);
        let consequences = Consequences {
            would_end: ended.len() as u64,
            people,
            who,
            own: actor.person().is_ok_and(|p| ids.contains(&p.session)),
            sooner,
            next: next.collect(),
        };
        Ok((consequences, ended))
    }

    /// What is over by the new lifetimes ends now, then what is above the limit; the rest gets new times. What was over
    /// before stays over, however long sessions last now.
    async fn apply_rules(
        &self,
        txn: &DatabaseTransaction,
        s: &Settings,
        by: Option<&str>,
        now: Time,
    ) -> Result<Ended, ApiError> {
        self.write_waiting(txn).await?;
        let mut ended = rules::end_overdue(txn, &s.lifetimes, by, now).await.map_err(db)?;
        rules::retime(txn, &s.lifetimes, now).await.map_err(db)?;
        ended.extend(rules::end_excess(txn, s, by, now).await.map_err(db)?);
        directory::remember(txn, KEY, Rules::of(s).text()?, now).await.map_err(db)?;
        Ok(ended)
    }

    /// Writes what waits in memory within the transaction, so that it judges by what is known; it stays marked.
    async fn write_waiting(&self, txn: &DatabaseTransaction) -> Result<(), ApiError> {
        let Inner { store, cache, .. } = &*self.inner;
        let changes: Vec<_> = cache.by_ids(&cache.pending.copy()).iter().map(|s| s.activity()).collect();
        for chunk in changes.chunks(256) {
            live::write_within(store, txn, chunk).await.map_err(db)?;
        }
        Ok(())
    }

    /// After the commit: times in memory, what ended out of it and off its sockets, and presence told.
    pub(crate) async fn rules_changed(&self, after: &Settings, ended: &[(SessionId, EndReason)], now: Time) {
        self.inner.cache.retime(&after.lifetimes, now);
        self.ended(ended).await;
        self.inner.presence.settings_changed(after).await;
    }
}
