//! Sessions: the one predicate, and writing single rows. Lists are in `list`, endings in `ending`, what the memory of
//! the server needs in `live`.

use domain::{
    SessionId, Time, UserId,
    session::{EndReason, Span},
    useragent::Device,
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, FromQueryResult};
use uuid::Uuid;

use super::{
    entity::session,
    sql::{Sql, values},
};

/// **The** predicate, in SQL: a session `s` that would authenticate a request at the time given as its one value. The
/// same as `domain::session::Span::is_live`; used by the auth check, every list, every count, every limit and every
/// bulk act. People who are disabled are few and indexed apart, so asking for them costs nothing; their sessions end
/// with the disabling anyway.
///
/// The plus keeps the planner from starting at the times: among a million sessions it would else gather and sort every
/// live one for a page of fifty. Counts read the partial index of those nobody ended, which holds all they need.
pub(crate) const LIVE: &str = "s.ended_at IS NULL AND +s.expires_at > ? AND s.user_id NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)";

/// A sign-in about to be written.
pub(crate) struct New {
    pub(crate) id: SessionId,
    pub(crate) token_hash: [u8; 32],
    pub(crate) user: UserId,
    pub(crate) span: Span,
    pub(crate) fresh_until: Time,
    pub(crate) remembered: bool,
    pub(crate) ip: String,
    pub(crate) device: Device,
}

impl New {
    fn into_row(self) -> session::ActiveModel {
        session::ActiveModel {
            id: Set(self.id),
            token_hash: Set(self.token_hash.to_vec()),
            user_id: Set(self.user),
            created_at: Set(self.span.created_at.0),
            last_activity_at: Set(self.span.last_activity_at.0),
            last_seen_at: Set(self.span.last_activity_at.0),
            idle_ms: Set(self.span.idle),
            absolute_expires_at: Set(self.span.absolute_expires_at.0),
            expires_at: Set(self.span.expires_at().0),
            fresh_until: Set(self.fresh_until.0),
            remembered: Set(self.remembered),
            connected: Set(false),
            ip: Set(Some(self.ip)),
            browser: Set(self.device.browser),
            os: Set(self.device.os),
            device: Set(self.device.kind.as_str().to_owned()),
            ended_at: Set(None),
            ended_reason: Set(None),
            ended_by: Set(None),
        }
    }
}

/// Writes sessions; at most 1,000 at once, which is 19,000 values.
pub(crate) async fn insert(db: &impl ConnectionTrait, new: impl IntoIterator<Item = New>) -> Result<(), DbErr> {
    session::Entity::insert_many(new.into_iter().map(New::into_row)).exec_without_returning(db).await.map(|_| ())
}

/// A session that is over, as a load test makes it up.
pub(crate) struct Past {
    pub(crate) new: New,
    /// When, why and by whom it was ended; nothing when only its time is over.
    pub(crate) ended: Option<(Time, EndReason, Option<String>)>,
}

/// Writes sessions of the past; at most 1,000 at once.
pub(crate) async fn insert_past(db: &impl ConnectionTrait, past: impl IntoIterator<Item = Past>) -> Result<(), DbErr> {
    let rows = past.into_iter().map(|past| {
        let mut row = past.new.into_row();
        if let Some((at, reason, by)) = past.ended {
            row.ended_at = Set(Some(at.0));
            row.ended_reason = Set(Some(reason.as_str().to_owned()));
            row.ended_by = Set(by);
        }
        row
    });
    session::Entity::insert_many(rows).exec_without_returning(db).await.map(|_| ())
}

/// A session of a user that nobody has ended, as the database knows it; its times may be over.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(crate) struct Standing {
    pub(crate) id: Uuid,
    created_at: i64,
    last_activity_at: i64,
    idle_ms: i64,
    absolute_expires_at: i64,
}

impl Standing {
    pub(crate) fn span(&self) -> Span {
        Span {
            created_at: Time(self.created_at),
            last_activity_at: Time(self.last_activity_at),
            idle: self.idle_ms,
            absolute_expires_at: Time(self.absolute_expires_at),
            ended: false,
        }
    }
}

/// Addresses of a user's last sessions with this browser and system; those that were blanked are left out.
pub(crate) async fn addresses_of(
    db: &impl ConnectionTrait,
    user: UserId,
    browser: &str,
    os: &str,
) -> Result<Vec<String>, DbErr> {
    let text = "SELECT ip FROM sessions WHERE user_id = ? AND browser = ? AND os = ? AND ip IS NOT NULL \
                ORDER BY created_at DESC LIMIT 100";
    let rows = Sql::new(text, values![user, browser, os]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}

/// Whether we know of any session of the user.
pub(crate) async fn any_of(db: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    Ok(Sql::new("SELECT 1 FROM sessions WHERE user_id = ? LIMIT 1", values![user]).row(db).await?.is_some())
}

pub(crate) async fn standing_of(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<Standing>, DbErr> {
    let text = "SELECT id, created_at, last_activity_at, idle_ms, absolute_expires_at FROM sessions \
                WHERE user_id = ? AND ended_at IS NULL";
    Sql::new(text, values![user]).all(db).await
}

/// Gives a live session a new token: the old one is dead from the commit on. False when it is not live with the old.
pub(crate) async fn rotate(
    db: &impl ConnectionTrait,
    id: SessionId,
    old: &[u8; 32],
    new: &[u8; 32],
    fresh_until: Time,
    now: Time,
) -> Result<bool, DbErr> {
    let text = format!(
        "UPDATE sessions SET token_hash = ?, fresh_until = ? WHERE id IN \
         (SELECT s.id FROM sessions s WHERE s.id = ? AND s.token_hash = ? AND {LIVE})"
    );
    let values = values![new.to_vec(), fresh_until.0, id, old.to_vec(), now.0];
    Ok(Sql::new(text, values).run(db).await? == 1)
}
