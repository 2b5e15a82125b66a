//! The daily mails. Notices know when theirs is due, so one that was missed while nothing ran is written at the next start.

use std::time::Duration;

use domain::{ApiError, UserId};
use tokio_util::sync::CancellationToken;

use super::Notices;
use crate::{
    mail::letter,
    sessions::commit,
    store::{card, db, notices as rows},
};

const EVERY: Duration = Duration::from_secs(5);
/// People looked up at once.
const BATCH: u32 = 100;

impl Notices {
    /// Writes what is due until `stop`.
    pub(crate) async fn run_digests(self, stop: CancellationToken) {
        loop {
            if let Err(e) = self.write_digests().await {
                tracing::warn!(error = %e, "daily mails of uploads could not be written");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Writes every daily mail that is due; how many.
    pub async fn write_digests(&self) -> Result<u32, ApiError> {
        let (store, mut n) = (self.store(), 0);
        loop {
            let due = store.within(rows::due(store.read(), self.clock().now(), BATCH)).await?;
            if due.is_empty() {
                return Ok(n);
            }
            for user in due {
                n += u32::from(self.write_digest(user).await?);
            }
        }
    }

    /// In one transaction: the mail, and that these notices are in it. Whoever comes second finds nothing to do.
    async fn write_digest(&self, user: UserId) -> Result<bool, ApiError> {
        let (mail, now) = (&self.sessions.inner.mail, self.clock().now());
        let txn = self.sessions.begin().await?;
        let cards = card::by_ids(&txn, &[user]).await.map_err(db)?;
        let id = match cards.first() {
            Some(card) => mail.put_at(&txn, card, letter::uploads(), now).await?,
            None => None,
        };
        if rows::collect(&txn, user, now, id).await.map_err(db)? == 0 {
            return Ok(false);
        }
        commit(txn).await?;
        mail.wake();
        Ok(id.is_some())
    }
}
