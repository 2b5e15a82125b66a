//! Writing down what happened to or through people.

use domain::{SessionId, Time, UserId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use super::entity::event;

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
