//! Reading what is remembered of presence.

use std::collections::BTreeMap;

use domain::{
    Actor, ApiError, Reach, Time, UserId,
    access::Action,
    presence::{
        State,
        history::{Interval, PresenceAt, PresenceDay},
    },
    time::{DAY, SECOND},
};

use super::Presence;
use crate::store::{card, interval};

/// People of one answer at most.
const LIMIT_MAX: u32 = 1_000;

impl Presence {
    /// Who was here at `time`, within the actor's reach: `limit` (1 to 1,000) of them from `offset`, in the order of
    /// usernames. 422 for a time in the future; nobody before the retention of events.
    pub async fn at(&self, actor: &Actor, time: Time, limit: u32, offset: u32) -> Result<PresenceAt, ApiError> {
        let reach = actor.require(Action::Watch)?;
        let now = self.clock.now();
        if time > now {
            return Err(ApiError::invalid("time", "Use a time that has come: what will be is not known."));
        }
        let store = self.store.as_ref().ok_or_else(ApiError::unavailable)?;
        self.flush().await?;
        // What the hourly clean-up is yet to delete must not make the answer depend on its last run.
        let all = if now.since(time) > self.retention() {
            vec![]
        } else {
            store.within(interval::at(store.read(), reach, time)).await?
        };
        let mut by_state: BTreeMap<String, u32> = zero();
        for was in &all {
            *by_state.entry(was.state.as_str().to_owned()).or_default() += 1;
        }
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let limit = limit.clamp(1, LIMIT_MAX) as usize;
        Ok(PresenceAt { time, total, by_state, users: all.into_iter().skip(offset as usize).take(limit).collect() })
    }

    /// What a person was on `day`, `2026-03-02` in UTC. 404 for whoever is not within reach, 422 for what is no day or
    /// lies in the future.
    pub(crate) async fn day(&self, actor: &Actor, id: UserId, day: &str) -> Result<PresenceDay, ApiError> {
        let reach = actor.require(Action::Watch)?;
        let store = self.store.as_ref().ok_or_else(ApiError::unavailable)?;
        let cards = store.within(card::by_ids(store.read(), &[id])).await?;
        if !cards.iter().any(|c| reach.covers(c.organisation.as_ref().map(|o| o.id))) {
            return Err(ApiError::not_found());
        }
        let now = self.clock.now();
        let from = Time::of_day(day).filter(|from| *from <= now);
        let from = from.ok_or_else(|| ApiError::invalid("day", "Use a day that has come, as in 2026-03-02."))?;
        let to = from.plus(DAY);
        self.flush().await?;
        let mut intervals = store.within(interval::of(store.read(), id, from, to)).await?;
        intervals.retain(|i| reach == Reach::Everything || !i.invisible);
        intervals.retain(|i| i.to.is_none_or(|to| now.since(to) <= self.retention()));
        Ok(PresenceDay {
            day: day.to_owned(),
            from,
            to,
            seconds_by_state: seconds(&intervals, from, to.min(now)),
            intervals,
            as_of: now,
        })
    }
}

/// Every state but offline, at zero.
fn zero<T: Default>() -> BTreeMap<String, T> {
    State::ALL[..5].iter().map(|s| (s.as_str().to_owned(), T::default())).collect()
}

/// Seconds between `from` and `to` by state, in whole ones.
fn seconds(intervals: &[Interval], from: Time, to: Time) -> BTreeMap<String, i64> {
    let mut ms: BTreeMap<String, i64> = zero();
    for i in intervals {
        let within = i.to.unwrap_or(to).min(to).since(i.from.max(from));
        *ms.entry(i.state.as_str().to_owned()).or_default() += within.max(0);
    }
    ms.into_iter().map(|(state, ms)| (state, ms / SECOND)).collect()
}
