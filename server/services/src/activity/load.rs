//! Events by the million, as a season of use would leave them, and how fast more can be written: `rollcall load events`
//! and `rollcall load ingest`.

use std::time::{Duration, Instant};

use domain::{
    Actor, ApiError,
    access::Action,
    account::UserCard,
    activity::{ACTION, LOGIN, LOGOUT, PAGE_VIEW},
    time::{DAY, MINUTE},
};
use uuid::Uuid;

use super::Activity;
use crate::{
    clock::id_at,
    sessions::Chance,
    store::{card, events::NewEvent, user},
};

/// Events of one transaction of the past: nobody else waits.
const BATCH: usize = 5_000;
const ROUTES: u64 = 200;
/// Events of one visit.
const VISIT: u64 = 12;
/// While the queue is full.
const PAUSE: Duration = Duration::from_millis(1);

/// What to make up.
#[derive(Clone, Copy, Debug)]
pub struct PastEvents {
    pub events: u64,
    pub days: u32,
}

/// What was measured of the writer.
#[derive(Clone, Copy, Debug)]
pub struct Ingested {
    pub events: u64,
    pub took: Duration,
    /// How often the queue was full.
    pub refused: u64,
}

impl Activity {
    /// Makes up events of the people there are, over some days up to now. The same shape each time.
    pub async fn load_past(&self, actor: &Actor, past: PastEvents) -> Result<(), ApiError> {
        let people = self.people(actor).await?;
        let span = i64::from(past.days) * DAY;
        let begin = self.inner.clock.now().plus(-span);
        let mut batch = Vec::with_capacity(BATCH);
        for n in 0..past.events {
            let at = begin.plus((span as f64 * (n as f64 / past.events as f64)) as i64);
            batch.push(made_up(&people, n, at));
            if batch.len() == BATCH || n + 1 == past.events {
                self.inner.store.within(self.write_batch(&mut batch)).await?;
                batch.clear();
            }
        }
        Ok(())
    }

    /// Puts events into the queue as fast as it takes them, until all are written.
    pub async fn ingest(&self, actor: &Actor, events: u64) -> Result<Ingested, ApiError> {
        let people = self.people(actor).await?;
        let (started, mut refused) = (Instant::now(), 0);
        for n in 0..events {
            let event = made_up(&people, n, self.inner.clock.now());
            while self.push(event.clone()).is_err() {
                refused += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.flush().await?;
        Ok(Ingested { events, took: started.elapsed(), refused })
    }

    async fn people(&self, actor: &Actor) -> Result<Vec<UserCard>, ApiError> {
        actor.require(Action::Accounts)?;
        let store = &self.inner.store;
        let ids = store.within(user::all_ids(store.read())).await?;
        let people = store.within(card::by_ids(store.read(), &ids)).await?;
        if people.is_empty() {
            return Err(ApiError::invalid("people", "There is nobody who could do anything."));
        }
        Ok(people)
    }
}

/// The event number `n`. A visit is a sign-in, pages and actions, and sometimes a sign-out; some forty visits go on at
/// the same time.
fn made_up(people: &[UserCard], n: u64, at: domain::Time) -> NewEvent {
    const AT_ONCE: u64 = 40;
    let (visit, step) = ((n / (VISIT * AT_ONCE)) * AT_ONCE + n % AT_ONCE, n / AT_ONCE % VISIT);
    let mut of_visit = Chance(visit);
    let card = &people[of_visit.below(people.len() as u64) as usize];
    let session = Uuid::from_u128((0x0190_0000 << 96) | u128::from(visit));
    let mut chance = Chance(n ^ 0x5eed);
    // Half of the views are of the first tenth of pages.
    let page = if chance.below(2) == 0 { chance.below(ROUTES / 10) } else { chance.below(ROUTES) };
    let kind = match step {
        0 => LOGIN,
        s if s == VISIT - 1 && chance.below(2) == 0 => LOGOUT,
        _ if chance.below(4) == 0 => ACTION,
        _ => PAGE_VIEW,
    };
    NewEvent {
        seq: 0,
        id: id_at(at),
        at: at.plus(chance.below(MINUTE as u64 / 60) as i64),
        kind: kind.to_owned(),
        user: Some(card.id),
        session: Some(session),
        organisation: card.organisation.as_ref().map(|o| o.id),
        route: (kind == PAGE_VIEW).then(|| format!("/section-{page:03}")),
        ip: None,
        dur_ms: None,
        details: (kind == ACTION).then(|| "{\"action\":\"saved\"}".to_owned()),
    }
}
