//! Moving what was committed from SQLite's log into its file. Left to itself, SQLite does so within whichever commit makes
//! the log too long: one sign-in in a hundred then waits for the disk. A connection of its own does it beside the writer.

use std::time::Duration;

use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use super::{Store, sql::Sql};

/// Pages of the log after which the writer does it itself all the same, so that the log stays within 64 MB whatever
/// happens: here, and in commands that run without a server.
pub(super) const WRITERS_OWN: &str = "16000";
/// Pages of the log from which on it is worth beginning anew.
const LONG: i64 = 500;
/// Often, so that each finds little: what it sends to the disk, a sign-in may have to wait behind.
const EVERY: Duration = Duration::from_millis(200);
/// Rounds after which it also looks when nobody began a transaction.
const QUIET_ROUNDS: u32 = 25;
/// The writer is in a transaction a part of the time: this many tries, this far apart.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(5);

impl Store {
    /// Moves what no reader needs in the log any more. Nothing to do on PostgreSQL.
    pub(crate) async fn checkpoint(&self) -> Result<(), DbErr> {
        let Some(checkpointer) = &self.checkpointer else { return Ok(()) };
        // First nearly all of it, in nobody's way; then the rest, for which the writer is kept out a moment, so that the
        // log begins anew. Neither waits for anybody: what is in use now is for the next time.
        let moved = Sql::new("PRAGMA wal_checkpoint(PASSIVE)", vec![]).row(checkpointer).await?;
        let pages: i64 = moved.map_or(Ok(0), |row| row.try_get_by_index::<i32>(1))?.into();
        if pages > LONG {
            for _ in 0..TRIES {
                let begun_anew = Sql::new("PRAGMA wal_checkpoint(RESTART)", vec![]).row(checkpointer).await?;
                if begun_anew.is_some_and(|row| row.try_get_by_index::<i32>(0) == Ok(0)) {
                    break;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
        Ok(())
    }

    /// Does so again and again until `stop`.
    pub(crate) async fn run_checkpoints(self, stop: CancellationToken) {
        let (mut begun, mut quiet, mut failing) = (self.begun(), 0, false);
        while self.checkpointer.is_some() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            quiet = if self.begun() == begun { quiet + 1 } else { 0 };
            if quiet % QUIET_ROUNDS != 0 {
                continue;
            }
            begun = self.begun();
            let moved = self.checkpoint().await;
            if let Some(e) = moved.as_ref().err().filter(|_| !failing) {
                tracing::warn!(error = %e, "the database's log could not be moved into its file; it is tried again");
            }
            failing = moved.is_err();
        }
    }
}
