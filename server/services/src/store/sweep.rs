//! The clean-up, in batches small enough that nobody notices.

use std::time::{Duration, Instant};

use domain::{
    Time,
    session::EndReason,
    settings::Settings,
    time::{DAY, HOUR, MINUTE, Millis},
};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use super::{
    Store,
    events::SLOT,
    sql::{Sql, values},
};

/// Rows of one batch. Deleting one of a million touches a dozen indexes, a tenth of a millisecond of the writer.
pub(crate) const BATCH: i64 = 25;
/// After a full batch the writer is left alone this many times as long as the batch took: while others write,
const REST: u32 = 12;
/// and when nobody else has written for a while.
const REST_ALONE: u32 = 1;
/// What is counted of events and requests is kept for 25 months, and who saw which page for 400 days.
const COUNTED_KEPT: Millis = 760 * DAY;
const SEEN_KEPT: Millis = 400 * DAY;
/// Notices go this long after they were read.
const READ_NOTICES_KEPT: Millis = 30 * DAY;
const A_WHILE: Duration = Duration::from_secs(1);

/// A clean-up under way.
pub(crate) struct Sweep<'a> {
    store: &'a Store,
    /// Transactions anybody had begun when the last batch was done.
    begun: u64,
    /// When somebody else wrote last, as far as was noticed.
    others: Instant,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, begun: store.begun(), others: Instant::now() }
    }

    /// Marks a batch of sessions whose time was over at `before` as ended at the moment it was; how many. Those touched
    /// within the last moments may be younger in a server's memory than here, so a process that is not that server leaves
    /// them `spare`: as long as the server may keep activity to itself.
    pub(crate) async fn end_expired(&mut self, now: Time, spare: bool) -> Result<u64, DbErr> {
        let margin = if spare { "CASE WHEN idle_ms < 100000 THEN idle_ms / 10 ELSE 10000 END" } else { "0" };
        let text = format!(
            "UPDATE sessions SET ended_at = expires_at, connected = ?, ended_reason = \
             CASE WHEN expires_at = absolute_expires_at THEN '{}' ELSE '{}' END \
             WHERE id IN (SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at <= ? AND expires_at + {margin} <= ? \
             LIMIT ?)",
            EndReason::AbsoluteTimeout.as_str(),
            EndReason::IdleTimeout.as_str()
        );
        self.batch(&Sql::new(text, values![false, now.0, now.0, BATCH])).await
    }

    /// Deletes a batch of sessions that ended at or before `before`; how many.
    pub(crate) async fn delete_ended(&mut self, before: Time) -> Result<u64, DbErr> {
        let text = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ended_at <= ? \
                    LIMIT ?)";
        self.batch(&Sql::new(text, values![before.0, BATCH])).await
    }

    /// The rest of what has its time: addresses, events, intervals of presence, failures, tokens, the record of
    /// endings, notices. All of it, in batches.
    pub(crate) async fn retain(
        &mut self,
        settings: &Settings,
        now: Time,
        stop: &CancellationToken,
    ) -> Result<(), DbErr> {
        let (ip, events) = (now.plus(-settings.retention_ip), now.plus(-settings.retention_events));
        let jobs = [
            (
                "UPDATE sessions SET ip = NULL WHERE id IN \
                 (SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ip IS NOT NULL AND ended_at <= ? LIMIT ?)",
                ip.0,
            ),
            (
                "UPDATE events SET ip = NULL WHERE seq IN (SELECT seq FROM events WHERE ip IS NOT NULL AND at <= ? LIMIT ?)",
                ip.0,
            ),
            ("DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE at <= ? LIMIT ?)", events.0),
            (
                "DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE next_try_at IS NULL AND created_at <= ? LIMIT ?)",
                events.0,
            ),
            (
                "DELETE FROM presence_intervals WHERE id IN \
                 (SELECT id FROM presence_intervals WHERE to_at IS NOT NULL AND to_at <= ? LIMIT ?)",
                events.0,
            ),
            (
                "DELETE FROM sign_in_failures WHERE id IN (SELECT id FROM sign_in_failures WHERE at <= ? LIMIT ?)",
                now.plus(-15 * MINUTE).0,
            ),
            (
                "DELETE FROM one_time_tokens WHERE hash IN \
                 (SELECT hash FROM one_time_tokens WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)",
                now.0,
            ),
            (
                "DELETE FROM endings WHERE (seq, session_id) IN (SELECT seq, session_id FROM endings WHERE at <= ? LIMIT ?)",
                now.plus(-HOUR).0,
            ),
            (
                "DELETE FROM card_changes WHERE (seq, user_id) IN (SELECT seq, user_id FROM card_changes WHERE at <= ? LIMIT ?)",
                now.plus(-HOUR).0,
            ),
            (
                "DELETE FROM event_15m WHERE (slot, org_id, kind) IN \
                 (SELECT slot, org_id, kind FROM event_15m WHERE slot <= ? LIMIT ?)",
                now.plus(-COUNTED_KEPT).0 / SLOT,
            ),
            (
                "DELETE FROM route_day WHERE (day, route_id, kind) IN \
                 (SELECT day, route_id, kind FROM route_day WHERE day <= ? LIMIT ?)",
                now.plus(-COUNTED_KEPT).0 / DAY,
            ),
            (
                "DELETE FROM user_day WHERE (day, user_id) IN (SELECT day, user_id FROM user_day WHERE day <= ? LIMIT ?)",
                now.plus(-COUNTED_KEPT).0 / DAY,
            ),
            (
                "DELETE FROM visits WHERE (user_id, to_at) IN (SELECT user_id, to_at FROM visits WHERE from_at <= ? LIMIT ?)",
                now.plus(-COUNTED_KEPT).0,
            ),
            (
                "DELETE FROM user_route_day WHERE (day, route_id, user_id) IN \
                 (SELECT day, route_id, user_id FROM user_route_day WHERE day <= ? LIMIT ?)",
                now.plus(-SEEN_KEPT).0 / DAY,
            ),
            (
                "DELETE FROM notices WHERE id IN \
                 (SELECT id FROM notices WHERE read_at IS NOT NULL AND read_at <= ? LIMIT ?)",
                now.plus(-READ_NOTICES_KEPT).0,
            ),
            ("DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE created_at <= ? LIMIT ?)", events.0),
            (
                "DELETE FROM traffic_15m WHERE (slot, route, status_class) IN \
                 (SELECT slot, route, status_class FROM traffic_15m WHERE slot <= ? LIMIT ?)",
                now.plus(-COUNTED_KEPT).0,
            ),
        ];
        for (text, before) in jobs {
            while self.batch(&Sql::new(text, values![before, BATCH])).await? == BATCH as u64 && !stop.is_cancelled() {}
        }
        Ok(())
    }

    async fn batch(&mut self, sql: &Sql) -> Result<u64, DbErr> {
        let txn = self.store.begin().await?;
        let started = Instant::now();
        let n = sql.clone().run(&txn).await?;
        txn.commit().await?;
        if n == BATCH as u64 {
            let begun = self.store.begun();
            if begun > self.begun + 1 {
                self.others = Instant::now();
            }
            self.begun = begun;
            let rest = if self.others.elapsed() < A_WHILE { REST } else { REST_ALONE };
            tokio::time::sleep(rest * started.elapsed()).await;
        }
        Ok(n)
    }
}
