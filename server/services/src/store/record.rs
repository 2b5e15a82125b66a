//! Writing down what happened to or through people.

use domain::{SessionId, Time, UserId};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use super::{
    entity::event,
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

/// Sessions of a user with an event of this kind since then.
pub(crate) async fn sessions_of(
    db: &impl ConnectionTrait,
    user: UserId,
    kind: &str,
    since: Time,
) -> Result<Vec<SessionId>, DbErr> {
    let text = "SELECT session_id FROM events WHERE user_id = ? AND at > ? AND kind = ? AND session_id IS NOT NULL";
    let rows = Sql::new(text, values![user, since.0, kind]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}
