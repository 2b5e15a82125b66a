//! The audit log: who did what to whom, written in the same transaction as the act.
//!
//! To record a new act: one word for it in `Entry::action`, the subject's kind and name, and details as JSON. Never a
//! secret, and never what somebody typed where a name was expected.

use domain::{Actor, ApiError, Time, access::Action};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock::Clock,
    store::{
        Store,
        record::{self, NewAudit},
    },
};

/// One act, as it is written down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry<'a> {
    /// `sign_in`, `sessions_revoked`, `user_disabled`, …
    pub(crate) action: &'a str,
    /// `user`, `session`, `sessions`.
    pub(crate) subject_kind: &'a str,
    /// A username or an id.
    pub(crate) subject: Option<&'a str>,
    pub(crate) details: Option<serde_json::Value>,
    pub(crate) ip: Option<&'a str>,
}

/// Writes an entry within the caller's transaction. `actor` is `Actor::label`.
pub(crate) async fn append(
    txn: &impl ConnectionTrait,
    clock: &Clock,
    actor: &str,
    entry: Entry<'_>,
) -> Result<(), DbErr> {
    let new = NewAudit {
        id: clock.new_id(),
        at: clock.now(),
        actor,
        action: entry.action,
        subject_kind: entry.subject_kind,
        subject: entry.subject,
        details: entry.details,
        ip: entry.ip,
    };
    record::audit(txn, new).await
}

/// A row of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    pub id: Uuid,
    pub at: Time,
    /// A username, `operator` or `anonymous`.
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject: Option<String>,
    pub details: Option<serde_json::Value>,
    pub ip: Option<String>,
}

/// Reads the audit log; a cheap clone.
#[derive(Clone)]
pub struct Audit {
    store: Store,
}

impl Audit {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// The newest entries first.
    pub async fn recent(&self, actor: &Actor, limit: u32) -> Result<Vec<AuditRow>, ApiError> {
        actor.require(Action::Accounts)?;
        let rows = self.store.within(record::audit_rows(self.store.read(), limit)).await?;
        Ok(rows
            .into_iter()
            .map(|r| AuditRow {
                id: r.id,
                at: Time(r.at),
                actor: r.actor,
                action: r.action,
                subject_kind: r.subject_kind,
                subject: r.subject,
                details: r.details.and_then(|d| serde_json::from_str(&d).ok()),
                ip: r.ip,
            })
            .collect())
    }
}
