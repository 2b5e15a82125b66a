//! How much a session, and a person with all of theirs, may tell: enough for pages that tell of every click, and too
//! little for one client to fill the queue or the disk for all.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::{ApiError, ErrorCode, SessionId, UserId};
use governor::{
    Quota, RateLimiter, clock::Clock as _, middleware::NoOpMiddleware, state::keyed::DefaultKeyedStateStore,
};
use uuid::Uuid;

use crate::clock::Clock;

/// So much at once, and each second after that: an event is one, and each whole kB that comes with it one more.
const OF_A_SESSION: Quota = quota(120, 2);
const OF_A_PERSON: Quota = quota(240, 4);
const KB: usize = 1_000;

const fn quota(at_once: u32, per_second: u32) -> Quota {
    let [at_once, per_second] = [NonZeroU32::new(at_once), NonZeroU32::new(per_second)];
    Quota::per_second(per_second.expect("not zero")).allow_burst(at_once.expect("not zero"))
}

/// A clock that is never set back: else whoever told something would have to wait until it has caught up.
#[derive(Clone)]
struct Steady {
    clock: Clock,
    latest: Arc<AtomicI64>,
}

impl governor::clock::Clock for Steady {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.clock.steady().unwrap_or_else(|| self.clock.now().0);
        Duration::from_millis(self.latest.fetch_max(now, Relaxed).max(now).unsigned_abs())
    }
}

type Keyed = RateLimiter<Uuid, DefaultKeyedStateStore<Uuid>, Steady, NoOpMiddleware<Duration>>;

/// Who told something lately. Whoever might tell all there is to tell at once is not in it.
pub(super) struct Limits {
    clock: Steady,
    sessions: Keyed,
    people: Keyed,
}

impl Limits {
    pub(super) fn new(clock: &Clock) -> Self {
        let clock = Steady { clock: clock.clone(), latest: Arc::default() };
        let of = |quota| Keyed::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        Self { sessions: of(OF_A_SESSION), people: of(OF_A_PERSON), clock: clock.clone() }
    }

    /// 429 when it is too much. What is refused to a session takes nothing from its person's other ones.
    pub(super) fn check(&self, session: SessionId, user: UserId, bytes: usize) -> Result<(), ApiError> {
        let weight = u32::try_from(bytes / KB).unwrap_or(u32::MAX - 1);
        let weight = NonZeroU32::MIN.saturating_add(weight);
        for (limiter, key) in [(&self.sessions, session), (&self.people, user)] {
            // More than fits at once cannot come: what is told with an event is bounded.
            if let Ok(Err(until)) = limiter.check_key_n(&key, weight) {
                let wait = until.wait_time_from(self.clock.now());
                let seconds = wait.as_millis().div_ceil(1_000).max(1) as u32;
                let message = format!(
                    "This is too much at once. The event was not written; go on in {seconds} s, and more slowly."
                );
                let error = ApiError::new(ErrorCode::TooManyRequests, message);
                return Err(ApiError { retry_after: Some(seconds), ..error });
            }
        }
        Ok(())
    }

    /// Forgets those who told nothing for long enough to tell all there is at once.
    pub(super) fn forget(&self) {
        for limiter in [&self.sessions, &self.people] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Time;

    use super::*;

    #[test]
    fn who_tells_nothing_is_forgotten() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        let limits = Limits::new(&clock);
        let tell = |n| limits.check(Uuid::from_u128(n), Uuid::from_u128(n % 7), 0);
        assert!((0..100).all(|n| tell(n).is_ok()));
        limits.forget();
        assert_eq!((limits.sessions.len(), limits.people.len()), (100, 7));
        clock.advance(60_000);
        assert!(tell(0).is_ok());
        limits.forget();
        assert_eq!((limits.sessions.len(), limits.people.len()), (1, 1));
        clock.advance(-60_000);
        assert!(tell(0).is_ok(), "a clock that is set back holds nobody up");
    }
}
