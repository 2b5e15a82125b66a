//! What happened to a person, newest first: from their sessions, and from what the audit log says of their account.

use domain::{
    Time, UserId,
    people::{Moment, MomentKind},
    session::EndReason,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::sql::{Sql, values};

/// Which of the three a moment comes from; of the same instant the end is newer than the beginning.
const ACTS: u8 = 0;
const ENDS: u8 = 1;
const BEGINS: u8 = 2;

/// Where a page begins: after this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) at: i64,
    pub(crate) from: u8,
    /// Of a session.
    pub(crate) id: Uuid,
    /// Of an entry of the log.
    pub(crate) seq: i64,
}

/// What is behind it in an order by time and key, both descending.
fn behind(sql: &mut Sql, at: &str, key: &str, from: u8, after: Option<After>) {
    let Some(after) = after else { return };
    if from > after.from {
        sql.push(&format!(" AND {at} <= ?"), values![after.at]);
    } else if from < after.from {
        sql.push(&format!(" AND {at} < ?"), values![after.at]);
    } else if from == ACTS {
        sql.push(&format!(" AND ({at}, {key}) < (?, ?)"), values![after.at, after.seq]);
    } else {
        sql.push(&format!(" AND ({at}, {key}) < (?, ?)"), values![after.at, after.id]);
    }
}

#[derive(FromQueryResult)]
struct SessionRow {
    id: Uuid,
    at: i64,
    ip: Option<String>,
    browser: String,
    os: String,
    ended_reason: Option<String>,
    ended_by: Option<String>,
}

/// Beginnings or ends of the person's sessions.
async fn of_sessions(
    db: &impl ConnectionTrait,
    user: UserId,
    from: u8,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<(After, Moment)>, DbErr> {
    let at = if from == ENDS { "s.ended_at" } else { "s.created_at" };
    let mut sql = Sql::new(
        format!(
            "SELECT s.id, {at} AS at, s.ip, s.browser, s.os, s.ended_reason, s.ended_by FROM sessions s WHERE s.user_id = ?"
        ),
        values![user],
    );
    if from == ENDS {
        sql.push(" AND s.ended_at IS NOT NULL", vec![]);
    }
    behind(&mut sql, at, "s.id", from, after);
    sql.push(&format!(" ORDER BY {at} DESC, s.id DESC LIMIT ?"), values![limit]);
    let rows: Vec<SessionRow> = sql.all(db).await?;
    let moment = |r: SessionRow| {
        let ends = from == ENDS;
        let device = [&*r.browser, &*r.os].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" on ");
        let moment = Moment {
            at: Time(r.at),
            kind: if ends { MomentKind::Ended } else { MomentKind::SignedIn },
            session: Some(r.id),
            device: Some(device).filter(|d| !d.is_empty()),
            ip: r.ip,
            reason: r.ended_reason.as_deref().filter(|_| ends).and_then(EndReason::parse),
            by: r.ended_by.filter(|_| ends),
            ..Moment::default()
        };
        (After { at: r.at, from, id: r.id, seq: 0 }, moment)
    };
    Ok(rows.into_iter().map(moment).collect())
}

#[derive(FromQueryResult)]
struct ActRow {
    seq: i64,
    at: i64,
    action: String,
    actor: String,
    details: Option<String>,
    ip: Option<String>,
}

/// What the log says of the account. Who looked at the person is in the log itself.
async fn of_log(
    db: &impl ConnectionTrait,
    username: &str,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<(After, Moment)>, DbErr> {
    let mut sql = Sql::new(
        "SELECT a.seq, a.at, a.action, a.actor, a.details, a.ip FROM audit a WHERE a.subject = ? \
         AND a.subject_kind = 'user' AND a.action <> 'person_viewed'",
        values![username],
    );
    behind(&mut sql, "a.at", "a.seq", ACTS, after);
    sql.push(" ORDER BY a.at DESC, a.seq DESC LIMIT ?", values![limit]);
    let rows: Vec<ActRow> = sql.all(db).await?;
    let moment = |r: ActRow| {
        let moment = Moment {
            at: Time(r.at),
            kind: MomentKind::Act,
            action: Some(r.action),
            by: Some(r.actor),
            details: r.details.and_then(|d| serde_json::from_str(&d).ok()),
            ip: r.ip,
            ..Moment::default()
        };
        (After { at: r.at, from: ACTS, id: Uuid::nil(), seq: r.seq }, moment)
    };
    Ok(rows.into_iter().map(moment).collect())
}

/// A page of the person's timeline, with what the next one begins after.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    user: UserId,
    log_of: Option<&str>,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<(After, Moment)>, DbErr> {
    let mut all = of_sessions(db, user, BEGINS, after, limit).await?;
    all.extend(of_sessions(db, user, ENDS, after, limit).await?);
    if let Some(username) = log_of {
        all.extend(of_log(db, username, after, limit).await?);
    }
    all.sort_by(|(a, _), (b, _)| (b.at, a.from, b.seq, b.id).cmp(&(a.at, b.from, a.seq, a.id)));
    all.truncate(limit as usize);
    Ok(all)
}
