//! Writing down what happened: events of people, and the audit log.

use domain::{SessionId, Time, UserId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, FromQueryResult};
use uuid::Uuid;

use super::{
    entity::{audit, event},
    sql::{Sql, values},
};

/// One thing that happened to or through a person.
pub(crate) struct NewEvent<'a> {
    pub(crate) id: Uuid,
    pub(crate) at: Time,
    pub(crate) kind: &'a str,
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) ip: Option<&'a str>,
}

pub(crate) async fn event(db: &impl ConnectionTrait, new: NewEvent<'_>) -> Result<(), DbErr> {
    let row = event::ActiveModel {
        id: Set(new.id),
        at: Set(new.at.0),
        kind: Set(new.kind.to_owned()),
        user_id: Set(new.user),
        session_id: Set(new.session),
        ip: Set(new.ip.map(str::to_owned)),
        details: Set(None),
    };
    event::Entity::insert(row).exec_without_returning(db).await.map(|_| ())
}

/// A row for the audit log; see `crate::audit`.
pub(crate) struct NewAudit<'a> {
    pub(crate) id: Uuid,
    pub(crate) at: Time,
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) subject_kind: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) details: Option<serde_json::Value>,
    pub(crate) ip: Option<&'a str>,
}

pub(crate) async fn audit(db: &impl ConnectionTrait, new: NewAudit<'_>) -> Result<(), DbErr> {
    let row = audit::ActiveModel {
        id: Set(new.id),
        at: Set(new.at.0),
        actor: Set(new.actor.to_owned()),
        action: Set(new.action.to_owned()),
        subject_kind: Set(new.subject_kind.to_owned()),
        subject: Set(new.subject.map(str::to_owned)),
        details: Set(new.details.map(|d| d.to_string())),
        ip: Set(new.ip.map(str::to_owned)),
    };
    audit::Entity::insert(row).exec_without_returning(db).await.map(|_| ())
}

#[derive(FromQueryResult)]
pub(crate) struct AuditRow {
    pub(crate) id: Uuid,
    pub(crate) at: i64,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject_kind: String,
    pub(crate) subject: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) ip: Option<String>,
}

/// The newest first.
pub(crate) async fn audit_rows(db: &impl ConnectionTrait, limit: u32) -> Result<Vec<AuditRow>, DbErr> {
    let text = "SELECT id, at, actor, action, subject_kind, subject, details, ip FROM audit \
                ORDER BY at DESC, id DESC LIMIT ?";
    Sql::new(text, values![i64::from(limit)]).all(db).await
}
