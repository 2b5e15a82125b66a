//! Making reports, one at a time.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::{
    Actor, ApiError, ErrorCode, Reach, Time,
    access::Person,
    reports::Report,
    time::{MINUTE, Millis, SECOND},
};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Reports, rows::Rows, write::Writer};
use crate::{
    activity::About,
    mail::letter,
    sessions::commit,
    store::{
        card, db,
        reports::{self as rows, Taken},
    },
};

/// Looked for this often without being told: what another process wrote down, and what one left.
const EVERY: Duration = Duration::from_secs(5);
/// How long a claim holds without being renewed, and how often it is.
const CLAIM: Millis = 30 * SECOND;
const RENEWED: Duration = Duration::from_secs(1);
/// What failed for a reason that may pass is tried again after so long, and so often in all.
const PAUSE: Millis = MINUTE;
const TRIES: i64 = 3;
/// What outputs of ours are filed under.
const SOURCE: &str = "Report";

/// How far it has come, between the one who makes and the one who tells.
#[derive(Default)]
struct Progress {
    rows: AtomicU64,
    total: AtomicU64,
}

impl Reports {
    /// Makes what waits until `stop`. What is not ready by then is begun anew by whoever is next.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(e) = self.make_all(&stop).await {
                tracing::warn!(error = %e, "reports could not be made; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.waiting.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Makes every report that waits, oldest first; how many were taken.
    pub async fn make_all(&self, stop: &CancellationToken) -> Result<u32, ApiError> {
        let mut n = 0;
        while !stop.is_cancelled() {
            let (by, now) = (self.clock().new_id(), self.clock().now());
            let txn = self.sessions.begin().await?;
            let taken = rows::take(&txn, by, now, now.plus(CLAIM)).await.map_err(db)?;
            commit(txn).await?;
            let Some(taken) = taken else { break };
            self.make(&taken, by, stop).await?;
            n += 1;
        }
        Ok(n)
    }

    async fn make(&self, taken: &Taken, by: Uuid, stop: &CancellationToken) -> Result<(), ApiError> {
        let (store, progress) = (self.store(), Progress::default());
        if taken.tries > TRIES {
            let problem = "It could not be made: the server stopped each time while it was.";
            return store.within(rows::fail(store.write(), by, problem, self.clock().now())).await.map(drop);
        }
        let made = tokio::select! {
            made = AssertUnwindSafe(self.produce(taken, by, &progress)).catch_unwind() => {
                made.unwrap_or_else(|_| Err(ApiError::internal()))
            }
            // Cancelled, or taken by another: nothing of it is left.
            () = self.keep(by, &progress) => return Ok(()),
            () = stop.cancelled() => {
                let now = self.clock().now();
                return store.within(rows::release(store.write(), by, now, false, now)).await;
            }
        };
        let Err(e) = made else { return Ok(()) };
        let now = self.clock().now();
        let may_pass = matches!(e.code, ErrorCode::Unavailable | ErrorCode::Internal);
        if may_pass && taken.tries < TRIES {
            tracing::warn!(error = %e, id = %taken.id, "a report could not be made; trying again");
            return store.within(rows::release(store.write(), by, now.plus(PAUSE), true, now)).await;
        }
        let problem = match e.code {
            ErrorCode::Forbidden | ErrorCode::Unauthenticated => "Your role may not see this any more.",
            _ => &e.message,
        };
        tracing::info!(error = %e, id = %taken.id, "a report cannot be made");
        store.within(rows::fail(store.write(), by, problem, now)).await.map(drop)
    }

    /// Says how far it has come, as long as it is ours.
    async fn keep(&self, by: Uuid, progress: &Progress) {
        loop {
            tokio::time::sleep(RENEWED).await;
            let (rows, total) = (progress.rows.load(Relaxed), progress.total.load(Relaxed));
            let (store, now) = (self.store(), self.clock().now());
            let kept = rows::keep(store.write(), by, rows, (total > 0).then_some(total), now, now.plus(CLAIM));
            match store.within(kept).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => tracing::warn!(error = %e, "how far a report has come could not be written"),
            }
        }
    }

    async fn produce(&self, taken: &Taken, by: Uuid, progress: &Progress) -> Result<(), ApiError> {
        let store = self.store();
        let report = store.within(rows::one(store.read(), taken.id)).await?.ok_or_else(ApiError::not_found)?;
        let actor = self.actor(taken).await?;
        let (mut rows, total) = Rows::open(self, actor.clone(), report.clone()).await?;
        // Without it there is no bar, and a report all the same.
        progress.total.store(total.unwrap_or_default(), Relaxed);
        let reach = rows.reach();
        let mut file = self.files.make(&actor).await?;
        let mut writer = Writer::open(report.format, rows.columns(), &self.inner.folder, &mut file).await?;
        loop {
            let next = rows.next().await?;
            // An empty page is the last; one that is not may be too.
            if next.is_empty() {
                break;
            }
            progress.rows.store(rows.read(), Relaxed);
            writer.rows(next, &mut file).await?;
        }
        let read = rows.read();
        let summary = rows.summary();
        let facts = summary.facts.clone();
        writer.finish(summary, &mut file).await?;
        let this = self.clone();
        // To its end even when the claim ends meanwhile, which it finds itself, and however long the storage takes.
        let settled = tokio::spawn(async move {
            let made = Arc::new(file.place().await?);
            let (that, of) = (this.clone(), Arc::clone(&made));
            let act = async move { that.finish(&actor, by, &report, read, reach, &facts, &of).await };
            let kept = this.sessions.act(act).await;
            drop(made);
            this.files.remove_unkept().await;
            kept
        });
        settled.await.map_err(|e| {
            tracing::error!(error = %e, "a report could not be settled");
            ApiError::internal()
        })?
    }

    /// Whoever asked, with the rights of now.
    async fn actor(&self, taken: &Taken) -> Result<Actor, ApiError> {
        let store = self.store();
        let cards = store.within(card::by_ids(store.read(), &[taken.user_id])).await?;
        let card = cards.into_iter().next().ok_or_else(ApiError::not_found)?;
        if !store.within(rows::is_enabled(store.read(), taken.user_id)).await? {
            return Err(ApiError::new(ErrorCode::Conflict, "Your account was disabled."));
        }
        if self.sessions.inner.settings.now().lacks_second_factor(&card) {
            return Err(ApiError::second_factor_missing());
        }
        let person =
            Person { card: Arc::new(card), session: Uuid::nil(), fresh_until: Time(0), ip: String::new().into() };
        Ok(Actor::Person(Arc::new(person)))
    }

    /// In one transaction: the output, that the report is done, the event and the mail.
    #[expect(clippy::too_many_arguments, reason = "what was made, each once")]
    async fn finish(
        &self,
        actor: &Actor,
        by: Uuid,
        report: &Report,
        read: u64,
        reach: Reach,
        facts: &[(&'static str, String)],
        made: &crate::files::Made,
    ) -> Result<(), ApiError> {
        let (card, name) = (&actor.person()?.card, report.file_name());
        let mail = &self.sessions.inner.mail;
        let txn = self.sessions.begin().await?;
        let now = self.clock().now();
        let output = made.keep(&self.files, &txn, card, &name, SOURCE, report.format.content_type()).await?;
        let of = match reach {
            Reach::Organisation(id) => Some(id),
            Reach::Everything | Reach::Nothing => None,
        };
        if !rows::done(&txn, by, read, output, of, now).await.map_err(db)? {
            // Cancelled at the last moment: the transaction goes, and the file with it.
            return Ok(());
        }
        let about = About { card, session: None, ip: None };
        self.sessions.inner.events.append(&txn, "output", about).await.map_err(db)?;
        if report.mail {
            let link = mail.link("/admin/reports");
            mail.put(&txn, card, letter::report(card, &name, facts, &link)).await?;
        }
        commit(txn).await?;
        mail.wake();
        Ok(())
    }
}
