//! Schedules: when one is due, its report is written down as if somebody had asked for it then.

use std::time::Duration;

use domain::{
    ApiError, Reach, UserId,
    access::reach,
    account::UserCard,
    notices::TimeOfDay,
    reports::{NewReport, Schedule},
};
use tokio_util::sync::CancellationToken;

use super::Reports;
use crate::{
    sessions::commit,
    store::{card, db, reports as rows},
};

const EVERY: Duration = Duration::from_secs(5);
/// Schedules looked up at once.
const BATCH: u32 = 100;

impl Reports {
    /// Writes down what is due until `stop`.
    pub(crate) async fn run_schedules(self, stop: CancellationToken) {
        loop {
            if let Err(e) = self.ask_for_due().await {
                tracing::warn!(error = %e, "scheduled reports could not be asked for");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Writes down every report that is due; how many. Of times that were missed while nothing ran only the last counts.
    pub async fn ask_for_due(&self) -> Result<u32, ApiError> {
        let (store, mut n) = (self.store(), 0);
        loop {
            let due = store.within(rows::due(store.read(), self.clock().now(), BATCH)).await?;
            if due.is_empty() {
                return Ok(n);
            }
            for (user, schedule) in due {
                n += u32::from(self.ask_for(user, schedule).await?);
            }
        }
    }

    /// In one transaction: the report, and that the schedule is due again later. Whoever comes second finds it moved.
    async fn ask_for(&self, user: UserId, s: Schedule) -> Result<bool, ApiError> {
        let (zone, now) = (self.zone(), self.clock().now());
        let minute = TimeOfDay::parse(&s.at).unwrap_or(TimeOfDay::MORNING).minutes();
        let (first, last) = s.every.period(zone, minute, now);
        // Due by the clocks of a zone that is not in force any more: from now on by those that are.
        let moved = s.every.next(zone, minute, s.next_at.plus(-1)) != s.next_at;
        let txn = self.sessions.begin().await?;
        if !rows::move_on(&txn, s.id, s.next_at, s.every.next(zone, minute, now)).await.map_err(db)? {
            return Ok(false);
        }
        let cards = card::by_ids(&txn, &[user]).await.map_err(db)?;
        let reach = |c: &UserCard| reach(c.level, c.organisation.as_ref().map(|o| o.id), s.subject.action());
        if moved || cards.first().map(reach).is_none_or(|reach| reach == Reach::Nothing) {
            // Who may not see it now may again later.
            commit(txn).await?;
            return Ok(false);
        }
        let asked = NewReport {
            subject: s.subject,
            format: s.format,
            from: first.to_string(),
            to: last.to_string(),
            organisation: s.organisation.map(|o| o.id),
            mail: s.mail,
        };
        let period = (zone.begin(first), zone.span(last).1);
        let schedule = Some((s.id, s.next_at));
        let new = rows::New { id: self.clock().new_id(), user, asked: &asked, period, schedule, now };
        rows::insert(&txn, new).await.map_err(db)?;
        commit(txn).await?;
        self.inner.waiting.notify_one();
        Ok(true)
    }
}
