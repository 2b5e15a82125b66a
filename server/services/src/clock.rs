//! Time and ids. The one place that reads the machine's clock.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Instant, UNIX_EPOCH},
};

use domain::Time;
use uuid::Uuid;

use crate::secret;

/// Where the time comes from; a cheap clone.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// Moved by tests.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until it is moved.
    pub fn manual(at: Time) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    #[expect(clippy::disallowed_methods, reason = "everybody else asks here")]
    pub fn now(&self) -> Time {
        match self {
            Self::System => {
                let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Time(since.as_millis() as i64)
            }
            Self::Manual(at) => Time(at.load(Ordering::SeqCst)),
        }
    }

    /// Milliseconds since some moment of this process, by a clock that nobody sets; a manual clock has no other beside it.
    pub fn steady(&self) -> Option<i64> {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        matches!(self, Self::System).then(|| BEGAN.elapsed().as_millis() as i64)
    }

    /// Moves a manual clock forward; nothing else can be moved.
    pub fn advance(&self, ms: i64) {
        if let Self::Manual(at) = self {
            at.fetch_add(ms, Ordering::SeqCst);
        }
    }

    /// A fresh UUIDv7: sorts by time on both databases, and within a millisecond by the order of asking, so that what is
    /// written down twice in one keeps its order.
    pub fn new_id(&self) -> Uuid {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let n = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut tail: [u8; 10] = secret::random();
        // The 18 bits that follow the time, around the places of version and variant.
        (tail[0], tail[1], tail[2]) = ((n >> 14) as u8 & 0x0f, (n >> 6) as u8, n as u8 & 0x3f);
        uuid::Builder::from_unix_timestamp_millis(self.now().0.max(0) as u64, &tail).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_of_asking() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        let ids: Vec<Uuid> = (0..1_000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted() && ids[0].get_version_num() == 7);
        clock.advance(1);
        assert!(clock.new_id() > ids[999]);
    }
}
