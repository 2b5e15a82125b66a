//! Every way a session ends on purpose.

use domain::{
    Actor, ApiError, Reach, SessionId, Time,
    access::Action,
    activity::LOGOUT,
    session::{EndReason, SessionFilter, SessionState},
};
use serde_json::json;

use super::{Inner, LiveSession, Sessions, commit};
use crate::{
    activity::About,
    audit::{self, Entry},
    store::{Sql, db, ending, list, live, values},
};

/// At most this many ids in one bulk act; for more there are filters.
const IDS_MAX: usize = 1_000;
/// Sessions ended in one transaction, so that sign-ins get their turn while everybody's are.
const BATCH: usize = 1_000;

/// Which sessions a bulk act is about.
#[derive(Clone, Debug)]
pub enum Which {
    Filter(SessionFilter),
    Ids(Vec<SessionId>),
}

/// Live sessions to end, why, and how it is written down.
struct Ending {
    /// A condition on `sessions s`.
    which: Sql,
    reason: EndReason,
    by: Actor,
    action: &'static str,
    subject_kind: &'static str,
    subject: Option<String>,
    details: serde_json::Value,
    /// Written down also when it ended nobody.
    always: bool,
}

impl Sessions {
    /// Ends the live sessions that match: rows and audit in one transaction, then memory, then sockets.
    async fn end(&self, e: Ending) -> Result<Vec<SessionId>, ApiError> {
        let this = self.clone();
        self.act(async move {
            let clock = &this.inner.clock;
            let txn = this.begin().await?;
            let ids = ending::end(&txn, e.which, e.reason, Some(e.by.label()), clock.now()).await.map_err(db)?;
            if e.always || !ids.is_empty() {
                let mut details = e.details;
                details["number"] = json!(ids.len());
                let entry = Entry {
                    action: e.action,
                    subject_kind: e.subject_kind,
                    subject: e.subject.as_deref(),
                    details: Some(details),
                };
                audit::append(&txn, clock, &e.by, entry).await.map_err(db)?;
            }
            commit(txn).await?;
            let ended: Vec<_> = ids.iter().map(|id| (*id, e.reason)).collect();
            this.ended(&ended).await;
            Ok(ids)
        })
        .await
    }

    /// Signs out. Also when the session's time is over: whoever signs out is out.
    pub async fn sign_out(&self, actor: &Actor, session: &LiveSession) -> Result<(), ApiError> {
        let (this, id, card, actor) = (self.clone(), session.id, session.card(), actor.clone());
        let began = session.created_at;
        // What is still to be written of it is written first: afterwards it is left alone.
        let activity: Vec<_> = session.is_dirty().then(|| session.activity()).into_iter().collect();
        self.act(async move {
            let Inner { clock, store, .. } = &*this.inner;
            let txn = this.begin().await?;
            live::write_within(store, &txn, &activity).await.map_err(db)?;
            let which = Sql::new("s.id = ?", values![id]);
            let by = Some(card.username.as_str());
            let ended = ending::end(&txn, which, EndReason::Logout, by, clock.now()).await.map_err(db)?;
            if !ended.is_empty() {
                let about = About { card: &card, session: Some(id), ip: actor.ip() };
                this.inner.events.append_since(&txn, LOGOUT, about, Some(began)).await.map_err(db)?;
                let subject = id.to_string();
                let entry =
                    Entry { action: "sign_out", subject_kind: "session", subject: Some(&subject), ..Entry::default() };
                audit::append(&txn, clock, &actor, entry).await.map_err(db)?;
            }
            commit(txn).await?;
            this.ended(&[(id, EndReason::Logout)]).await;
            Ok(())
        })
        .await
    }

    /// Ends one of the actor's own sessions; 404 unless it is theirs and live. Asks for sudo mode.
    pub async fn end_own(&self, actor: &Actor, id: SessionId) -> Result<(), ApiError> {
        let person = actor.person()?;
        actor.require_fresh(self.now())?;
        let reason = if id == person.session { EndReason::Logout } else { EndReason::Revoked };
        let which = Sql::new("s.id = ? AND s.user_id = ?", values![id, person.card.id]);
        let ended = self.end_of(actor, which, reason, Some(id.to_string())).await?;
        if ended.is_empty() { Err(ApiError::not_found()) } else { Ok(()) }
    }

    /// Ends all the actor's sessions but the one that asks; how many. Asks for sudo mode.
    pub async fn end_own_others(&self, actor: &Actor) -> Result<u64, ApiError> {
        let person = actor.person()?;
        actor.require_fresh(self.now())?;
        let which = Sql::new("s.user_id = ? AND s.id <> ?", values![person.card.id, person.session]);
        Ok(self.end_of(actor, which, EndReason::Revoked, None).await?.len() as u64)
    }

    async fn end_of(
        &self,
        actor: &Actor,
        which: Sql,
        reason: EndReason,
        subject: Option<String>,
    ) -> Result<Vec<SessionId>, ApiError> {
        let person = actor.person()?;
        self.inner.store.within(self.inner.activity.flush_of(person.card.id)).await?;
        let ending = Ending {
            which,
            reason,
            by: actor.clone(),
            action: "own_sessions_ended",
            subject_kind: "session",
            subject,
            details: json!({}),
            always: false,
        };
        self.end(ending).await
    }

    /// Ends the live sessions that match, within the actor's reach; how many. The actor's own is spared unless
    /// `include_own`. A dry run ends nothing and gives the same number. Acting asks for sudo mode, looking does not.
    pub async fn revoke(&self, actor: &Actor, which: Which, include_own: bool, dry_run: bool) -> Result<u64, ApiError> {
        let reach = actor.require(Action::Sessions)?;
        let now = self.now();
        if !dry_run {
            actor.require_fresh(now)?;
        }
        let about = match &which {
            Which::Filter(filter) => json!({"filter": filter, "include_own": include_own}),
            Which::Ids(ids) => json!({"ids": ids, "include_own": include_own}),
        };
        let mut condition = match which {
            Which::Filter(filter) => to_end(reach, filter, now),
            Which::Ids(ids) => {
                if ids.len() > IDS_MAX {
                    return Err(ApiError::invalid("ids", format!("Use at most {IDS_MAX} ids, or a filter.")));
                }
                let mut condition = list::condition(reach, &SessionFilter::default(), now);
                condition.push(" AND ", vec![]).append(list::among(&ids));
                condition
            }
        };
        if let (Ok(person), false) = (actor.person(), include_own) {
            condition.push(" AND s.id <> ?", values![person.session]);
        }
        self.flush().await?;
        if dry_run {
            return self.number_live(condition, now).await;
        }
        let live = list::live_among(condition, now);
        let ids = self.inner.store.within(list::ids(self.inner.store.read(), live)).await?;
        let (this, by) = (self.clone(), actor.clone());
        // To its end even when whoever asked goes away: half of it is what nobody asked for.
        tokio::spawn(async move { this.revoke_all(ids, by, about).await }).await.map_err(|e| {
            tracing::error!(error = %e, "ending sessions panicked");
            ApiError::internal()
        })?
    }

    /// What `revoke` by this filter would end: how many sessions of others, and whether the actor's own matches as well.
    pub async fn would_end(&self, actor: &Actor, filter: SessionFilter) -> Result<(u64, bool), ApiError> {
        let others = self.revoke(actor, Which::Filter(filter.clone()), false, true).await?;
        let Ok(person) = actor.person() else { return Ok((others, false)) };
        let now = self.now();
        let mut own = to_end(actor.require(Action::Sessions)?, filter, now);
        own.push(" AND s.id = ?", values![person.session]);
        Ok((others, self.number_live(own, now).await? > 0))
    }

    /// Ends these in batches, each with its row in the audit log.
    async fn revoke_all(&self, ids: Vec<SessionId>, by: Actor, about: serde_json::Value) -> Result<u64, ApiError> {
        let mut batches: Vec<&[SessionId]> = ids.chunks(BATCH).collect();
        if batches.is_empty() {
            // Also what ended nobody is written down.
            batches.push(&[]);
        }
        let mut ended = 0;
        for (n, batch) in (1..).zip(&batches) {
            let mut details = about.clone();
            if batches.len() > 1 {
                details["batch"] = json!(format!("{n} of {}", batches.len()));
            }
            let ending = Ending {
                which: list::among(batch),
                reason: EndReason::Revoked,
                by: by.clone(),
                action: "sessions_revoked",
                subject_kind: "sessions",
                subject: None,
                details,
                always: true,
            };
            ended += self.end(ending).await?.len() as u64;
        }
        Ok(ended)
    }

    async fn number_live(&self, condition: Sql, now: Time) -> Result<u64, ApiError> {
        let store = &self.inner.store;
        store.within(list::count_of(store.read(), list::live_among(condition, now))).await
    }
}

/// Sessions that a bulk act by this filter may end. What ended cannot end: said to the filter, which has indexes for the
/// live ones.
fn to_end(reach: Reach, filter: SessionFilter, now: Time) -> Sql {
    let state = filter.state.or(Some(SessionState::Live));
    list::condition(reach, &SessionFilter { state, ..filter }, now)
}
