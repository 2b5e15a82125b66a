//! Lists for those who may see them, and what each person may see of themselves.

use domain::{
    Actor, ApiError, ErrorCode, SessionId, Time,
    access::Action,
    activity::{Day, EventFilter, EventRow, Journey, Summary, Today, Visit},
};

use super::Activity;
use crate::{
    Page,
    store::{
        feed::{self, After},
        today as days, visits,
    },
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;
/// Steps of a journey.
const STEPS: i64 = 500;

impl Activity {
    /// Events within the actor's reach, newest first; `limit` is held between 1 and 200. Their total is not known where
    /// counting would take long.
    pub async fn list(
        &self,
        actor: &Actor,
        filter: &EventFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<EventRow>, ApiError> {
        let reach = actor.require(Action::Activity)?;
        let after = cursor.map(decode).transpose()?;
        let limit = limit.clamp(1, LIMIT_MAX);
        self.flush().await?;
        let (store, read) = (&self.inner.store, self.inner.store.read());
        let condition = store.within(feed::condition(read, reach, filter)).await?;
        let (countable, none) = (condition.is_countable(), condition.is_none());
        let condition = store.within(condition.settle(read)).await?;
        let mut items = if none {
            vec![]
        } else {
            store.within(feed::page(read, &condition, after, None, i64::from(limit) + 1)).await?
        };
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let total = match (after, more) {
            (None, false) => Some(items.len() as u64),
            (None, true) if countable => store.within(feed::count(read, condition)).await?,
            _ => None,
        };
        let next = items.last().filter(|_| more).map(|r| format!("{}.{}", r.at.0, r.seq));
        Ok(Page { items, next, total })
    }

    /// Kinds of events there are, by the alphabet.
    pub async fn kinds(&self, actor: &Actor) -> Result<Vec<String>, ApiError> {
        actor.require(Action::Activity)?;
        let store = &self.inner.store;
        store.within(feed::kinds(store.read())).await
    }

    /// Today and yesterday in the server's zone, of people within the actor's reach, with so many pages.
    pub async fn today(&self, actor: &Actor, pages: u32) -> Result<Today, ApiError> {
        let reach = actor.require(Action::Activity)?;
        self.flush().await?;
        let (store, day) = (&self.inner.store, self.zone().day(self.inner.clock.now()));
        let read = store.read();
        Ok(Today {
            active: store.within(days::active(read, reach, day)).await?,
            active_before: store.within(days::active(read, reach, Day(day.0 - 1))).await?,
            readers: store.within(days::readers(read, reach, day)).await?,
            pages: store.within(days::pages(read, reach, day, i64::from(pages))).await?,
        })
    }

    /// What the actor did, in numbers.
    pub async fn own_summary(&self, actor: &Actor) -> Result<Summary, ApiError> {
        let user = actor.person()?.card.id;
        self.flush().await?;
        let store = &self.inner.store;
        store.within(feed::summary(store.read(), user)).await
    }

    /// The actor's visits that began since then.
    pub async fn own_visits(&self, actor: &Actor, since: Time) -> Result<Vec<Visit>, ApiError> {
        let user = actor.person()?.card.id;
        self.flush().await?;
        let store = &self.inner.store;
        store.within(visits::of(store.read(), user, since)).await
    }

    /// The newest things the actor did, in one of their sessions or in all. Of sessions that are not theirs, nothing.
    pub async fn own_journey(&self, actor: &Actor, session: Option<SessionId>) -> Result<Journey, ApiError> {
        let user = actor.person()?.card.id;
        self.flush().await?;
        let store = &self.inner.store;
        let mut steps = store.within(feed::journey(store.read(), user, session, STEPS)).await?;
        let more = steps.len() > STEPS as usize;
        if more {
            steps.remove(0);
        }
        Ok(Journey { steps, more })
    }
}

fn decode(cursor: &str) -> Result<After, ApiError> {
    let parsed = || {
        let (at, seq) = cursor.split_once('.')?;
        Some(After { at: at.parse().ok()?, seq: seq.parse().ok()? })
    };
    parsed().ok_or_else(|| ApiError::new(ErrorCode::BadRequest, crate::cursor::STRANGE))
}
