//! Who asked how often within the last hour.

use std::collections::HashMap;

use super::Asker;
use crate::{OrganisationId, Time, UserId, access::Reach, time::MINUTE};

/// Minutes that are kept.
const KEPT: i64 = 60;

struct Caller {
    organisation: Option<OrganisationId>,
    /// The minute of the newest request, since 1970.
    minute: i64,
    by_minute: [u32; KEPT as usize],
}

impl Caller {
    /// Minutes since the newest request are zero from now on.
    fn turn(&mut self, minute: i64) {
        for m in (self.minute + 1..=minute).rev().take(KEPT as usize) {
            self.by_minute[m.rem_euclid(KEPT) as usize] = 0;
        }
        self.minute = self.minute.max(minute);
    }

    fn n(&self, minute: i64) -> u64 {
        let minutes = minute - KEPT + 1..=minute;
        let counted = (self.minute - KEPT + 1..=self.minute).filter(|m| minutes.contains(m));
        counted.map(|m| u64::from(self.by_minute[m.rem_euclid(KEPT) as usize])).sum()
    }
}

/// Requests of each person, by minute.
#[derive(Default)]
pub struct Callers {
    of: HashMap<UserId, Caller>,
    swept: i64,
}

impl Callers {
    pub fn record(&mut self, at: Time, asker: Asker) {
        let minute = at.0.div_euclid(MINUTE);
        if minute > self.swept {
            self.swept = minute;
            self.of.retain(|_, c| c.minute > minute - KEPT);
        }
        let organisation = asker.organisation;
        let caller =
            self.of.entry(asker.user).or_insert(Caller { organisation, minute, by_minute: [0; KEPT as usize] });
        caller.organisation = organisation;
        caller.turn(minute);
        caller.by_minute[minute.rem_euclid(KEPT) as usize] += 1;
    }

    /// Those within reach who asked most within the last hour, most first.
    pub fn top(&self, now: Time, reach: Reach, most: usize) -> Vec<(UserId, u64)> {
        let minute = now.0.div_euclid(MINUTE);
        let within = self.of.iter().filter(|(_, c)| reach.covers(c.organisation));
        let mut all: Vec<_> = within.map(|(id, c)| (*id, c.n(minute))).filter(|(_, n)| *n > 0).collect();
        all.sort_unstable_by_key(|(id, n)| (std::cmp::Reverse(*n), *id));
        all.truncate(most);
        all
    }
}
