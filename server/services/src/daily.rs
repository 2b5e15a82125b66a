//! People who did something, day by day, from what is counted as events are written: for the console's first page.

use domain::{Actor, ApiError, Time, access::Action, activity::Day};

use crate::{Services, store::today as days};

impl Services {
    /// The last `n` days in the server's zone, oldest first, the last of them today: when each began, and how many of the
    /// people within reach did something. Nothing is known of days before the first that was counted.
    pub async fn active_by_day(&self, actor: &Actor, n: i64) -> Result<Vec<(Time, Option<u64>)>, ApiError> {
        let reach = actor.require(Action::Activity)?;
        self.activity.flush().await?;
        let (store, zone) = (&self.store, self.activity.zone());
        let today = zone.day(self.clock.now());
        let from = Day(today.0 - n + 1);
        let first = store.within(days::first(store.read())).await?.unwrap_or(today);
        let counted = store.within(days::active_by_day(store.read(), reach, from, today)).await?;
        let of = |day| counted.get(&day).copied().unwrap_or_default();
        let all = (from.0..=today.0).map(Day);
        Ok(all.map(|day| (zone.begin(day), (day >= first).then(|| of(day)))).collect())
    }
}
