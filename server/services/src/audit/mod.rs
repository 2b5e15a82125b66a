//! The audit log: who did what to whom, written in the same transaction as the act.
//!
//! - `chain`: what an entry's hash covers, and walking along the chain. `read`: lists, exports, verification.
//! - `erase`: taking a person's texts out. `seldom`: what is written once a while, however often it happens.
//!
//! To record a new act: one word for it in `Entry::action` and a row in docs/SECURITY.md, the subject's kind and name,
//! and details as JSON; `append` it as late in the act's transaction as can be. Never a secret, and never what somebody
//! typed where a name was expected.

mod chain;
mod erase;
mod read;
mod seldom;

use std::{sync::Arc, time::Duration};

use domain::{
    Actor, ApiError, Time, UserId,
    access::Action,
    time::{HOUR, Millis},
};
use sea_orm::{DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub(crate) use self::seldom::Rare;
use self::seldom::Seldom;
pub use self::{
    chain::{Fault, Verified},
    erase::Whose,
};
use crate::{
    clock::Clock,
    store::{
        Store,
        audit::{self, Head, Row},
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
}

/// Whose act it is, and from which address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    /// `Actor::label`.
    pub(crate) name: &'a str,
    pub(crate) ip: Option<&'a str>,
}

impl<'a> By<'a> {
    /// Somebody without a session.
    pub(crate) fn anonymous(ip: &'a str) -> Self {
        Self { name: "anonymous", ip: Some(ip) }
    }
}

impl<'a> From<&'a Actor> for By<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self { name: actor.label(), ip: actor.ip() }
    }
}

/// The program itself.
pub(crate) const SYSTEM: By<'static> = By { name: "system", ip: None };
/// Whoever has a shell.
pub(crate) const OPERATOR: By<'static> = By { name: "operator", ip: None };

/// Writes an entry within the caller's transaction, which is one of `Store::begin`.
pub(crate) async fn append(
    txn: &DatabaseTransaction,
    clock: &Clock,
    by: impl Into<By<'_>>,
    entry: Entry<'_>,
) -> Result<(), DbErr> {
    let by = by.into();
    let place = audit::advance(txn).await?;
    append_as(txn, clock, place, by, entry).await
}

/// Writes an entry at the place that was made for it.
async fn append_as(
    txn: &DatabaseTransaction,
    clock: &Clock,
    place: Head,
    by: By<'_>,
    entry: Entry<'_>,
) -> Result<(), DbErr> {
    // As it will be stored: PostgreSQL takes no NUL in a text.
    let stored = |text: &str| text.replace('\0', "\u{fffd}");
    let mut row = Row {
        seq: place.seq,
        at: clock.now().0,
        action: entry.action.to_owned(),
        subject_kind: entry.subject_kind.to_owned(),
        actor: stored(by.name),
        subject: entry.subject.map(stored),
        details: entry.details.map(|d| d.to_string()),
        ip: by.ip.map(stored),
        salts: vec![],
        seals: vec![],
        hash: vec![],
    };
    (row.salts, row.seals) = chain::seal(row.texts());
    row.hash = chain::link(&place.hash, &row).to_vec();
    audit::insert(txn, row).await
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// 1, 2, 3, …
    pub seq: i64,
    pub at: Time,
    /// A username, `operator`, `system`, `anonymous`; `erased-N` when entry N records that it was erased, as below.
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject: Option<String>,
    pub details: Option<serde_json::Value>,
    pub ip: Option<String>,
    /// SHA-256 in hexadecimal, over this entry and the hash before it.
    pub hash: String,
}

impl From<Row> for AuditRow {
    fn from(r: Row) -> Self {
        let json = |text: String| serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
        Self {
            seq: r.seq,
            at: Time(r.at),
            actor: r.actor,
            action: r.action,
            subject_kind: r.subject_kind,
            subject: r.subject,
            details: r.details.map(json),
            ip: r.ip,
            hash: chain::hex(&r.hash),
        }
    }
}

/// How often what was counted is written.
const COUNTED_EVERY: Duration = Duration::from_mins(1);
/// Looking at a person, and being refused, is written once in this time.
const ONCE_IN: Millis = HOUR;

/// The handle on the audit log; a cheap clone.
#[derive(Clone)]
pub struct Audit {
    store: Store,
    clock: Clock,
    seldom: Arc<Seldom>,
}

impl Audit {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, seldom: Arc::default() }
    }

    /// Writes an entry by itself, for what changes nothing else.
    pub(crate) async fn record(&self, by: impl Into<By<'_>>, entry: Entry<'_>) -> Result<(), ApiError> {
        let by = by.into();
        self.store
            .within(async {
                let txn = self.store.begin().await?;
                append(&txn, &self.clock, by, entry).await?;
                txn.commit().await
            })
            .await
    }

    /// The same at most once in `each`; what is left out is counted, and the count written after it.
    pub(crate) async fn record_seldom(&self, rare: Rare, each: Millis) -> Result<(), ApiError> {
        match self.seldom.first(&rare, self.clock.now(), each) {
            Some(rare) => self.write_rare(&rare, None).await,
            None => Ok(()),
        }
    }

    async fn write_rare(&self, rare: &Rare, more: Option<u64>) -> Result<(), ApiError> {
        let entry = Entry {
            action: rare.action,
            subject_kind: rare.subject_kind,
            subject: rare.subject.as_deref(),
            details: more.map(|n| json!({"repeated": n})),
        };
        self.record(By { name: &rare.actor, ip: rare.ip.as_deref() }, entry).await
    }

    /// Somebody looked at what is known of another person.
    pub async fn viewed(&self, actor: &Actor, id: UserId, username: &str) -> Result<(), ApiError> {
        if actor.user_id() == Some(id) {
            return Ok(());
        }
        let rare = Rare {
            action: "person_viewed",
            actor: actor.label().to_owned(),
            subject_kind: "user",
            subject: Some(username.to_owned()),
            ip: actor.ip().map(str::to_owned),
        };
        self.record_seldom(rare, ONCE_IN).await
    }

    /// Somebody was refused what is not for their role; `door` is a method and a path without anything typed in it.
    pub async fn refused(&self, actor: &Actor, door: String, ip: &str) -> Result<(), ApiError> {
        let rare = Rare {
            action: "refused",
            actor: actor.label().to_owned(),
            subject_kind: "door",
            subject: Some(door),
            ip: Some(ip.to_owned()),
        };
        self.record_seldom(rare, ONCE_IN).await
    }

    /// Writes down what was left out and whose while is over.
    pub async fn write_counted(&self) -> Result<(), ApiError> {
        for (rare, more) in self.seldom.over(self.clock.now()) {
            self.write_rare(&rare, Some(more)).await?;
        }
        Ok(())
    }

    /// Does so every minute until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(COUNTED_EVERY) => {}
            }
            if let Err(e) = self.write_counted().await {
                tracing::warn!(error = %e, "what was left out of the audit log could not be counted in it");
            }
        }
    }
}

fn may_read(actor: &Actor) -> Result<(), ApiError> {
    actor.require(Action::Audit).map(drop)
}
