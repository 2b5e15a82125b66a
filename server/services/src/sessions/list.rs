//! Lists and numbers of sessions.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Actor, ApiError, ErrorCode, SessionId, Time,
    access::Action,
    session::{LiveStats, SessionFilter, SessionSort, SessionStats, SessionView},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Inner, Sessions};
use crate::store::{
    list::{self, After, Plan},
    stats,
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;
/// One's own devices are shown on one page; more than this nobody has, whatever the limit.
const OWN_MAX: u32 = 1_000;

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; nothing on the last.
    pub next: Option<String>,
    /// How many there are in all; on first pages.
    pub total: Option<u64>,
}

impl Sessions {
    /// The actor's own live sessions: the one that asks first, then the most recently active.
    pub async fn own(&self, actor: &Actor) -> Result<Vec<SessionView>, ApiError> {
        let person = actor.person()?;
        let Inner { store, activity, .. } = &*self.inner;
        store.within(activity.flush_of(person.card.id)).await?;
        let now = self.now();
        let condition = list::live_of(person.card.id, now);
        let page = list::page(store.read(), condition, SessionSort::Activity, None, OWN_MAX, Plan::Gather, now);
        let mut views = self.complete(store.within(page).await?, Some(person.session));
        views.sort_by_key(|v| !v.current);
        Ok(views)
    }

    /// Sessions within the actor's reach, newest first; `limit` is held between 1 and 200.
    pub async fn list(
        &self,
        actor: &Actor,
        filter: &SessionFilter,
        sort: SessionSort,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<SessionView>, ApiError> {
        let reach = actor.require(Action::Sessions)?;
        let after = cursor.map(decode).transpose()?;
        let limit = limit.clamp(1, LIMIT_MAX);
        self.flush().await?;
        let (store, now) = (&self.inner.store, self.now());
        let condition = list::condition(reach, filter, now);
        let (total, after, plan) = match after {
            None => {
                let n = store.within(list::count(store.read(), reach, filter, now)).await?;
                (Some(n), None, Plan::for_total(n))
            }
            Some((after, plan)) => (None, Some(after), plan),
        };
        let page = list::page(store.read(), condition, sort, after, limit + 1, plan, now);
        let mut items = store.within(page).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|v| encode(After { at: list::key(sort, v), id: v.id }, plan));
        let own = actor.person().ok().map(|p| p.session);
        Ok(Page { items: self.complete(items, own), next, total })
    }

    /// What the database does not know of them.
    fn complete(&self, mut views: Vec<SessionView>, own: Option<SessionId>) -> Vec<SessionView> {
        for v in &mut views {
            v.current = own == Some(v.id);
            v.place = self.inner.places.of(&v.ip);
        }
        views
    }

    /// How many sessions match, within the actor's reach.
    pub async fn count(&self, actor: &Actor, filter: &SessionFilter) -> Result<u64, ApiError> {
        let reach = actor.require(Action::Sessions)?;
        self.flush().await?;
        let store = &self.inner.store;
        store.within(list::count(store.read(), reach, filter, self.now())).await
    }

    /// Numbers over all sessions within the actor's reach.
    pub async fn stats(&self, actor: &Actor) -> Result<SessionStats, ApiError> {
        let reach = actor.require(Action::Sessions)?;
        self.flush().await?;
        let store = &self.inner.store;
        store.within(stats::stats(store.read(), reach, self.now())).await
    }

    /// The part of these numbers that is of live sessions alone, and quick however many have ended.
    pub async fn live_stats(&self, actor: &Actor) -> Result<LiveStats, ApiError> {
        let reach = actor.require(Action::Sessions)?;
        self.flush().await?;
        let store = &self.inner.store;
        store.within(stats::live(store.read(), reach, self.now())).await
    }
}

/// A cursor is the sort value and the id of the last row, and how the first page was found, in base64url: opaque, and
/// harmless when made up.
fn encode(after: After, plan: Plan) -> String {
    let plan = if plan == Plan::Walk { "w" } else { "g" };
    URL_SAFE_NO_PAD.encode(format!("{plan}.{}.{}", after.at.0, after.id.simple()))
}

fn decode(cursor: &str) -> Result<(After, Plan), ApiError> {
    let parsed = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (plan, rest) = text.split_once('.')?;
        let (at, id) = rest.split_once('.')?;
        let after = After { at: Time(at.parse().ok()?), id: Uuid::try_parse(id).ok()? };
        Some((after, if plan == "w" { Plan::Walk } else { Plan::Gather }))
    };
    parsed().ok_or_else(|| {
        ApiError::new(ErrorCode::BadRequest, "This cursor is not one of ours. Begin again with the first page.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_others_are_refused() {
        let id = Uuid::from_u128(7);
        let (after, plan) = decode(&encode(After { at: Time(-3), id }, Plan::Walk)).unwrap();
        assert_eq!((after.at, after.id, plan), (Time(-3), id, Plan::Walk));
        for bad in ["", "x", "%", "MTIz", &URL_SAFE_NO_PAD.encode("w.1.' OR 1=1")] {
            assert_eq!(decode(bad).unwrap_err().code, ErrorCode::BadRequest, "{bad}");
        }
    }
}
