//! Mails on their way out.

use domain::{
    Time, UserId,
    mail::{MailState, MailView},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult};
use uuid::Uuid;

use super::{
    Store,
    sql::{Sql, values},
};

/// What a mail's text is sealed as being about.
pub(crate) fn about(id: Uuid) -> String {
    format!("mail {id}")
}

/// A mail about to be written; `body` is sealed with `body_key`.
pub(crate) struct New<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: &'a str,
    pub(crate) user: UserId,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) body: String,
    pub(crate) body_key: String,
    pub(crate) now: Time,
    /// When it is sent.
    pub(crate) due: Time,
    pub(crate) good_until: Time,
}

pub(crate) async fn insert(db: &impl ConnectionTrait, new: New<'_>) -> Result<(), DbErr> {
    let text = "INSERT INTO mails (id, kind, user_id, recipient, subject, body, body_key, created_at, good_until, next_try_at, \
                tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)";
    let until = new.good_until.0;
    let values =
        values![new.id, new.kind, new.user, new.to, new.subject, new.body, new.body_key, new.now.0, until, new.due.0];
    Sql::new(text, values).run(db).await.map(|_| ())
}

/// A mail whose time has come.
#[derive(FromQueryResult)]
pub(crate) struct Due {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) body: Option<String>,
    pub(crate) body_key: Option<String>,
    pub(crate) good_until: Option<i64>,
    pub(crate) next_try_at: i64,
    pub(crate) tries: i64,
}

pub(crate) async fn due(db: &impl ConnectionTrait, now: Time, limit: i64) -> Result<Vec<Due>, DbErr> {
    let text = "SELECT id, kind, user_id, recipient, subject, body, body_key, good_until, next_try_at, tries FROM mails \
                WHERE next_try_at IS NOT NULL AND next_try_at <= ? ORDER BY next_try_at LIMIT ?";
    Sql::new(text, values![now.0, limit]).all(db).await
}

/// Takes a mail on for a try; false when somebody else has, or an administrator dropped it.
pub(crate) async fn take(db: &impl ConnectionTrait, due: &Due, next: Time) -> Result<bool, DbErr> {
    let text = "UPDATE mails SET next_try_at = ?, tries = tries + 1 WHERE id = ? AND next_try_at = ?";
    Ok(Sql::new(text, values![next.0, due.id, due.next_try_at]).run(db).await? == 1)
}

/// The newest mail of a kind to somebody that nobody has tried to send, written after `since`. Its row is held, so that it
/// is not taken on before the caller's transaction ends.
pub(crate) async fn untried(
    txn: &DatabaseTransaction,
    user: UserId,
    kind: &str,
    since: Time,
) -> Result<Option<Uuid>, DbErr> {
    let untried = "tries = 0 AND next_try_at IS NOT NULL";
    let text = format!(
        "UPDATE mails SET tries = 0 WHERE id = (SELECT id FROM mails WHERE user_id = ? AND kind = ? AND created_at > ? \
         AND {untried} ORDER BY created_at DESC LIMIT 1) AND {untried} RETURNING id"
    );
    let row = Sql::new(text, values![user, kind, since.0]).row(txn).await?;
    row.map(|r| r.try_get_by_index(0)).transpose()
}

/// When the last mail of a kind to somebody, written after `since`, was sent or is waiting since.
pub(crate) async fn last(
    txn: &DatabaseTransaction,
    user: UserId,
    kind: &str,
    since: Time,
) -> Result<Option<Time>, DbErr> {
    let text = "SELECT max(coalesce(sent_at, created_at)) FROM mails WHERE user_id = ? AND kind = ? AND created_at > ?";
    let last = Sql::new(text, values![user, kind, since.0]).number(txn).await?;
    Ok((last > 0).then_some(Time(last)))
}

/// It went out, and what it said is forgotten.
pub(crate) async fn sent(db: &impl ConnectionTrait, id: Uuid, now: Time) -> Result<u64, DbErr> {
    let text = "UPDATE mails SET sent_at = ?, next_try_at = NULL, last_error = NULL, body = NULL, body_key = NULL WHERE id = ?";
    Sql::new(text, values![now.0, id]).run(db).await
}

/// It did not go out; given up when there is no next try. `forget`: what it said is of no use any more.
pub(crate) async fn failed(
    db: &impl ConnectionTrait,
    id: Uuid,
    error: &str,
    next: Option<Time>,
    forget: bool,
) -> Result<u64, DbErr> {
    let mut sql = Sql::new("UPDATE mails SET last_error = ?, next_try_at = ?", values![error, next.map(|t| t.0)]);
    if forget {
        sql.push(", body = NULL, body_key = NULL", vec![]);
    }
    sql.push(" WHERE id = ?", values![id]);
    sql.run(db).await
}

/// Gives up what waits and says nothing of use any more, whether there is a server to send by or not; how many. Looks
/// first, so that nothing is written where nothing is late.
pub(crate) async fn give_up_late(store: &Store, error: &str, now: Time) -> Result<u64, DbErr> {
    let late = "next_try_at IS NOT NULL AND good_until <= ?";
    let there = format!("SELECT 1 FROM mails WHERE {late} LIMIT 1");
    if Sql::new(there, values![now.0]).row(store.read()).await?.is_none() {
        return Ok(0);
    }
    let text =
        format!("UPDATE mails SET last_error = ?, next_try_at = NULL, body = NULL, body_key = NULL WHERE {late}");
    Sql::new(text, values![error, now.0]).run(store.write()).await
}

/// Makes what is not sent due at once, one mail or all; those whose text is forgotten stay. How many.
pub(crate) async fn again(db: &impl ConnectionTrait, id: Option<Uuid>, now: Time) -> Result<u64, DbErr> {
    let mut sql = Sql::new(
        "UPDATE mails SET next_try_at = ?, tries = 0 WHERE sent_at IS NULL AND body IS NOT NULL",
        values![now.0],
    );
    if let Some(id) = id {
        sql.push(" AND id = ?", values![id]);
    }
    sql.run(db).await
}

/// Takes a mail that is not sent out of the outbox; to whom it was.
pub(crate) async fn drop(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<String>, DbErr> {
    let row = Sql::new("SELECT recipient FROM mails WHERE id = ? AND sent_at IS NULL", values![id]).row(db).await?;
    let Some(row) = row else { return Ok(None) };
    Sql::new("DELETE FROM mails WHERE id = ?", values![id]).run(db).await?;
    row.try_get_by_index(0).map(Some)
}

/// Takes everything that is not sent out of the outbox; how many.
pub(crate) async fn drop_all(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Sql::new("DELETE FROM mails WHERE sent_at IS NULL", vec![]).run(db).await
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    kind: String,
    recipient: String,
    subject: String,
    created_at: i64,
    next_try_at: Option<i64>,
    tries: i64,
    last_error: Option<String>,
    sent_at: Option<i64>,
}

fn condition(state: Option<MailState>) -> &'static str {
    match state {
        None => "1 = 1",
        Some(MailState::Waiting) => "next_try_at IS NOT NULL",
        Some(MailState::GivenUp) => "next_try_at IS NULL AND sent_at IS NULL",
        Some(MailState::Sent) => "sent_at IS NOT NULL",
    }
}

/// The newest first, those older than `before`.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    state: Option<MailState>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MailView>, DbErr> {
    let mut sql = Sql::new(
        format!(
            "SELECT id, kind, recipient, subject, created_at, next_try_at, tries, last_error, sent_at FROM mails WHERE {}",
            condition(state)
        ),
        vec![],
    );
    if let Some(id) = before {
        sql.push(" AND id < ?", values![id]);
    }
    sql.push(" ORDER BY id DESC LIMIT ?", values![limit]);
    let rows: Vec<Row> = sql.all(db).await?;
    Ok(rows
        .into_iter()
        .map(|r| MailView {
            state: match (r.sent_at, r.next_try_at) {
                (Some(_), _) => MailState::Sent,
                (None, Some(_)) => MailState::Waiting,
                (None, None) => MailState::GivenUp,
            },
            id: r.id,
            kind: r.kind,
            to: r.recipient,
            subject: r.subject,
            created_at: Time(r.created_at),
            tries: u32::try_from(r.tries).unwrap_or(u32::MAX),
            next_try_at: r.next_try_at.map(Time),
            last_error: r.last_error,
            sent_at: r.sent_at.map(Time),
        })
        .collect())
}

pub(crate) async fn count(db: &impl ConnectionTrait, state: Option<MailState>) -> Result<i64, DbErr> {
    Sql::new(format!("SELECT COUNT(*) FROM mails WHERE {}", condition(state)), vec![]).number(db).await
}
