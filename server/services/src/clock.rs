//! Time and ids. The one place that reads the machine's clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::UNIX_EPOCH,
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

    /// Milliseconds since some moment, by a clock that nobody sets; a manual clock has no other beside it.
    pub fn steady(&self) -> Option<i64> {
        matches!(self, Self::System).then(steady)
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
        id_at(self.now())
    }
}

/// The same for a time of the past, as load tests make it up.
pub(crate) fn id_at(at: Time) -> Uuid {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut tail: [u8; 10] = secret::random();
    // The 18 bits that follow the time, around the places of version and variant.
    (tail[0], tail[1], tail[2]) = ((n >> 14) as u8 & 0x0f, (n >> 6) as u8, n as u8 & 0x3f);
    uuid::Builder::from_unix_timestamp_millis(at.0.max(0) as u64, &tail).into_uuid()
}

/// Goes on while the machine is suspended, which std's clock does not: by that one a suspend would look like a wall
/// clock set forward, and a night's sleep would leave everybody's input as new as before.
#[cfg(target_os = "linux")]
fn steady() -> i64 {
    use rustix::time::{ClockId, clock_gettime};
    let up = std::time::Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
    up.as_millis() as i64
}

#[cfg(not(target_os = "linux"))]
fn steady() -> i64 {
    use std::{sync::LazyLock, time::Instant};
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed().as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's own word for it: its uptime counts suspended time, and so does ours.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_steady_clock_is_the_time_since_boot() {
        let before = steady();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        // It is given in hundredths.
        let (uptime, after) = ((seconds * 1_000.0) as i64, steady());
        assert!((before - 10..=after).contains(&uptime), "{before} {uptime} {after}");
        assert_eq!(Clock::manual(Time(0)).steady(), None);
    }

    #[test]
    fn ids_sort_in_the_order_of_asking() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        let ids: Vec<Uuid> = (0..1_000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted() && ids[0].get_version_num() == 7);
        clock.advance(1);
        assert!(clock.new_id() > ids[999]);
    }
}
