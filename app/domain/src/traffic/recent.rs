//! The last hour, second by second.

use std::collections::VecDeque;

use super::{
    durations::Packed,
    tally::{Point, Seen, Tally, Totals},
};
use crate::{Time, time::SECOND};

/// What is kept, in seconds.
pub const KEPT: i64 = 3_600;

#[derive(Debug)]
struct Second {
    /// Since 1970.
    no: i64,
    totals: Totals,
    durations: Packed,
}

/// The seconds of the last hour in which anything was asked.
#[derive(Debug, Default)]
pub struct Recent {
    over: VecDeque<Second>,
    running: Tally,
    /// The number of the running one.
    no: i64,
}

fn second(at: Time) -> i64 {
    at.0.div_euclid(SECOND)
}

impl Recent {
    /// Counts a request that was answered at `at`. A clock that was set back counts into the newest second there is.
    pub fn record(&mut self, at: Time, seen: &Seen<'_>) {
        let no = second(at);
        if no > self.no {
            let running = std::mem::take(&mut self.running);
            if running.durations.n() > 0 || running.totals != Totals::default() {
                let durations = running.durations.packed();
                self.over.push_back(Second { no: self.no, totals: running.totals, durations });
            }
            while self.over.front().is_some_and(|s| s.no < no - KEPT) {
                self.over.pop_front();
            }
            self.no = no;
        }
        self.running.record(seen);
    }

    /// What was counted in the seconds from one to before another.
    fn between(&self, from: i64, to: i64) -> Tally {
        let mut tally = Tally::default();
        let begin = self.over.partition_point(|s| s.no < from);
        for s in self.over.range(begin..).take_while(|s| s.no < to) {
            tally.add_totals(&s.totals);
            tally.durations.add_packed(&s.durations);
        }
        if (from..to).contains(&self.no) {
            tally.add(&self.running);
        }
        tally
    }

    /// The last `seconds` that are over, and what there is of the running one: what was asked just now counts at once.
    pub fn last(&self, now: Time, seconds: i64) -> Point {
        let (from, to) = (second(now) - seconds, second(now) + 1);
        let begin = Time(from * SECOND);
        self.between(from, to).point(begin, now.since(begin))
    }

    /// The last second that is over.
    pub fn newest(&self, now: Time) -> Point {
        let no = second(now) - 1;
        self.between(no, no + 1).point(Time(no * SECOND), SECOND)
    }

    /// As `series`, with the running step as the last: over what there is of it.
    pub fn up_to_now(&self, now: Time, step: i64, steps: i64) -> Vec<Point> {
        let mut points = self.series(now, step, steps - 1);
        let begin = Time(second(now).div_euclid(step.max(1)) * step.max(1) * SECOND);
        points.push(self.between(second(begin), second(now) + 1).point(begin, now.since(begin)));
        points
    }

    /// `steps` steps of so many seconds that are over, oldest first, silent ones too. Steps begin at whole multiples, so
    /// that the same step is the same at every look.
    pub fn series(&self, now: Time, step: i64, steps: i64) -> Vec<Point> {
        let step = step.max(1);
        let end = second(now).div_euclid(step) * step;
        (1..=steps)
            .rev()
            .map(|back| {
                let from = end - back * step;
                self.between(from, from + step).point(Time(from * SECOND), step * SECOND)
            })
            .collect()
    }
}
