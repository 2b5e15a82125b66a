//! Whether the database answers. Sessions are checked in memory; a server cut off from its database would go on
//! believing people whom another process has thrown out meanwhile (ASVS 16.5.3).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use services::Store;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often we look, and how long an answer may take.
const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);
/// Looks in a row without an answer after which nobody is believed: one alone may be a busy moment.
const MISSED_MAX: u32 = 2;

/// What the last looks found; a cheap clone.
#[derive(Clone, Default)]
pub struct Database {
    is_away: Arc<AtomicBool>,
}

impl Database {
    pub fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Looks until `stop`.
    pub async fn watch(self, store: Store, stop: CancellationToken) {
        let mut missed = 0;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(EVERY) => {}
            }
            let answers = timeout(PATIENCE, store.is_ready()).await.unwrap_or(false);
            missed = if answers { 0 } else { missed + 1 };
            let is_away = missed >= MISSED_MAX;
            if self.is_away.swap(is_away, Ordering::Relaxed) != is_away {
                if is_away {
                    warn!("the database does not answer: nobody is signed in until it does");
                } else {
                    info!("the database answers again");
                }
            }
        }
    }
}
