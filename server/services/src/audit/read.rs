//! Lists, exports and the verification of the log.

use domain::{Actor, ApiError, ErrorCode, time::Millis};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::{
    Audit, AuditRow, Entry,
    chain::{self, Fault, Verified, Walk},
};
use crate::{
    Page,
    store::{
        audit::{self, AuditFilter},
        db,
    },
};

/// Rows of one page at most.
const LIMIT_MAX: u32 = 200;
/// Rows of an export fetched at a time, a few hundred KB.
const EXPORTED: u32 = 1_000;
/// Rows verified between two looks at the clock of others: some milliseconds of hashing.
const VERIFIED: i64 = 1_000;

impl Audit {
    /// The newest entries first; `limit` is held between 1 and 200.
    pub async fn list(
        &self,
        actor: &Actor,
        filter: &AuditFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<AuditRow>, ApiError> {
        super::may_read(actor)?;
        let before = cursor.map(|c| c.parse::<i64>().map_err(|_| no_cursor())).transpose()?;
        let limit = limit.clamp(1, LIMIT_MAX);
        let (store, read) = (&self.store, self.store.read());
        let total = match before {
            None => Some(store.within(audit::count(read, filter)).await?),
            Some(_) => None,
        };
        let mut rows = store.within(audit::page(read, filter, before, limit + 1)).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|r| r.seq.to_string());
        Ok(Page { items: rows.into_iter().map(AuditRow::from).collect(), next, total })
    }

    /// Every action that was ever recorded, by the alphabet.
    pub async fn actions(&self, actor: &Actor) -> Result<Vec<String>, ApiError> {
        super::may_read(actor)?;
        self.store.within(audit::actions(self.store.read())).await
    }

    /// Number and hash of the newest entry, to be kept where this program cannot write.
    pub async fn head(&self, actor: &Actor) -> Result<(i64, String), ApiError> {
        super::may_read(actor)?;
        let head = self.store.within(audit::head(self.store.read())).await?;
        Ok((head.seq, chain::hex(&head.hash)))
    }

    /// Whether the actor may export the log right now: 403 for others, and when the password was not given lately.
    pub fn may_export(&self, actor: &Actor) -> Result<(), ApiError> {
        super::may_read(actor)?;
        actor.require_fresh(self.clock.now())
    }

    /// Begins an export, which is recorded; `export_after` gives its rows. Asks for sudo mode.
    pub async fn begin_export(&self, actor: &Actor, filter: &AuditFilter, format: &str) -> Result<(), ApiError> {
        self.may_export(actor)?;
        let AuditFilter { actor: by, action, subject, from, to, q } = filter;
        let asked = json!({"actor": by, "action": action, "subject": subject, "from": from, "to": to, "q": q});
        let asked: serde_json::Map<_, _> = asked
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let details = Some(json!({"format": format, "filter": asked}));
        self.record(actor, Entry { action: "audit_exported", subject_kind: "audit", details, ..Entry::default() }).await
    }

    /// The next entries of an export, oldest first; none when it is complete.
    pub async fn export_after(&self, actor: &Actor, filter: &AuditFilter, seq: i64) -> Result<Vec<AuditRow>, ApiError> {
        super::may_read(actor)?;
        let rows = self.store.within(audit::matching(self.store.read(), filter, seq, EXPORTED)).await?;
        Ok(rows.into_iter().map(AuditRow::from).collect())
    }

    /// Walks along the whole chain, in batches. `anchor` is a head's hash that was kept elsewhere: without it, entries
    /// cut off the end together with the head's memory of them cannot be missed.
    pub async fn verify(&self, actor: &Actor, anchor: Option<&str>) -> Result<Verified, ApiError> {
        super::may_read(actor)?;
        let anchor = anchor.map(|a| a.trim().to_lowercase());
        let began = self.clock.now();
        let mut walk = Walk::begin();
        // What is erased or added meanwhile is not seen.
        let txn = self.store.within(self.store.snapshot()).await?;
        let fault = self.walk(&txn, &mut walk, anchor.as_deref()).await?;
        // It only read; there is nothing to lose.
        let _ = txn.rollback().await;
        Ok(Verified {
            entries: walk.seq,
            since: walk.since,
            head: chain::hex(&walk.hash),
            erased: walk.erased,
            fault,
            took_ms: Millis::max(0, self.clock.now().since(began)),
        })
    }

    async fn walk(
        &self,
        txn: &DatabaseTransaction,
        walk: &mut Walk,
        anchor: Option<&str>,
    ) -> Result<Option<Fault>, ApiError> {
        let head = audit::head(txn).await.map_err(db)?;
        let mut anchored = anchor.is_none();
        loop {
            let rows = self.store.within(audit::after(txn, walk.seq, VERIFIED)).await?;
            for row in &rows {
                if let Err(fault) = walk.step(row) {
                    return Ok(Some(fault));
                }
                anchored = anchored || anchor == Some(&chain::hex(&row.hash));
            }
            if rows.len() < VERIFIED as usize {
                break;
            }
        }
        if let Err(fault) = walk.end(head.seq, &head.hash) {
            return Ok(Some(fault));
        }
        let lost = Fault {
            row: walk.seq + 1,
            says: "no row has the hash that was kept: rows were cut off the end, or all of them were written anew"
                .into(),
        };
        Ok((!anchored).then_some(lost))
    }
}

fn no_cursor() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "This cursor is not one of ours. Begin again with the first page.")
}
