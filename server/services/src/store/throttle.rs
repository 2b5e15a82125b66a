//! Failed sign-ins of the last minutes.

use domain::Time;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use super::{
    entity::failure,
    sql::{Sql, values},
};

pub(crate) async fn record(
    db: &impl ConnectionTrait,
    id: Uuid,
    account: &[u8; 32],
    ip: &str,
    now: Time,
) -> Result<(), DbErr> {
    let row =
        failure::ActiveModel { id: Set(id), account: Set(account.to_vec()), ip: Set(ip.to_owned()), at: Set(now.0) };
    failure::Entity::insert(row).exec_without_returning(db).await.map(|_| ())
}

/// When the `n`th last failure of the account after `since` was; nothing when there were fewer.
pub(crate) async fn nth_of_account(
    db: &impl ConnectionTrait,
    account: &[u8; 32],
    n: u32,
    since: Time,
) -> Result<Option<Time>, DbErr> {
    let text = "SELECT at FROM sign_in_failures WHERE account = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?";
    nth(Sql::new(text, values![account.to_vec(), since.0, i64::from(n - 1)]), db).await
}

/// The same for an address.
pub(crate) async fn nth_of_address(
    db: &impl ConnectionTrait,
    ip: &str,
    n: u32,
    since: Time,
) -> Result<Option<Time>, DbErr> {
    let text = "SELECT at FROM sign_in_failures WHERE ip = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?";
    nth(Sql::new(text, values![ip, since.0, i64::from(n - 1)]), db).await
}

/// Whether anybody signed in from this address after `since`.
pub(crate) async fn has_signed_in(db: &impl ConnectionTrait, ip: &str, since: Time) -> Result<bool, DbErr> {
    let text = "SELECT 1 FROM sessions WHERE ip = ? AND created_at > ? LIMIT 1";
    Ok(Sql::new(text, values![ip, since.0]).row(db).await?.is_some())
}

async fn nth(find: Sql, db: &impl ConnectionTrait) -> Result<Option<Time>, DbErr> {
    find.row(db).await?.map(|r| r.try_get_by_index(0).map(Time)).transpose()
}

/// Forgets an account's failures, once its owner proved themselves by another way.
pub(crate) async fn forget(db: &impl ConnectionTrait, account: &[u8; 32]) -> Result<u64, DbErr> {
    Sql::new("DELETE FROM sign_in_failures WHERE account = ?", values![account.to_vec()]).run(db).await
}
