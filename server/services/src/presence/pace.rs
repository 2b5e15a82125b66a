//! How long changes wait for company before they go out.

use std::time::Duration;

use tokio::time::Instant;

/// Changes are never held back longer than this.
const MAX: Duration = Duration::from_millis(50);
/// What one frame to one watcher may cost the two directions together. The first change goes out at once; the next
/// flush waits this long per watcher, so that five watchers see each change after at most 2.5 ms while a thousand
/// who all watch each other get one diff per 50 ms.
const PER_WATCHER: Duration = Duration::from_micros(500);
/// Where more than this many changes reach a watcher in a second, over all watchers, what the frames cost counts for
/// more than the moment,
const BUSY: u128 = 4_000;
/// and flushes are at least this far apart.
const WHEN_BUSY: Duration = Duration::from_millis(25);
/// Over which that is counted, so that a few changes at once make nobody wait.
const SPAN: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Pace {
    /// Since when `told` counts changes by watchers.
    since: Instant,
    told: u128,
    busy: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, told: 0, busy: false }
    }

    /// How long the next flush waits, after one of `changes` to `watchers`.
    pub(super) fn after(&mut self, changes: usize, watchers: usize, now: Instant) -> Duration {
        self.told += (changes * watchers) as u128;
        let span = now - self.since;
        if span >= SPAN {
            self.busy = self.told * 1_000 > BUSY * span.as_millis();
            (self.since, self.told) = (now, 0);
        }
        let pause = PER_WATCHER * watchers.min(1_000) as u32;
        pause.max(if self.busy { WHEN_BUSY } else { Duration::ZERO }).min(MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_saved_where_there_are_many() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        // So many changes a second, to so many, flushed as the pace says.
        let settled = |per_second: u64, watchers| {
            let mut pace = Pace::new(start);
            let (mut now, mut pause) = (start, Duration::ZERO);
            for _ in 0..1_000 {
                let wait = pause.max(ms(1_000) / per_second as u32);
                now += wait;
                pause = pace.after((per_second as f64 * wait.as_secs_f64()).round() as usize, watchers, now);
            }
            pause
        };
        assert_eq!(settled(100, 5), Duration::from_micros(2_500));
        assert_eq!(settled(500, 6), ms(3));
        assert_eq!((settled(633, 10), settled(2_000, 10)), (WHEN_BUSY, WHEN_BUSY));
        assert_eq!((settled(1, 1_000), settled(2_000, 1_000)), (MAX, MAX));
        let mut pace = Pace::new(start);
        assert_eq!(pace.after(1_000, 5, start + ms(1)), Duration::from_micros(2_500), "a burst makes nobody wait");
        assert_eq!(pace.after(1, 5, start + ms(10_000)), Duration::from_micros(2_500), "nor when it is long over");
    }
}
