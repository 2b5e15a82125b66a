//! How often a password may be tried. Failures are counted in the database, so that a restart forgives nobody; names
//! nobody has count like all others; successes never count; and no account is ever locked for longer than the window.

use domain::{
    ApiError, Time,
    time::{MINUTE, SECOND},
};

use sea_orm::{ConnectionTrait, DbErr};

use crate::{
    secret,
    store::{Store, throttle},
};

/// Failures count for this long.
pub(crate) const WINDOW: i64 = 15 * MINUTE;
/// Failures of one account within the window; ten thousand accounts behind one address need the other limit.
pub(crate) const PER_ACCOUNT: u32 = 10;
/// Failures from one address within the window.
const PER_ADDRESS: u32 = 100;

/// How an account is known to the throttle: by a hash of what was typed, trimmed and in lower case.
pub(crate) fn key(account: &str) -> [u8; 32] {
    secret::hash(account)
}

/// 429 with the time until the next try when the account has failed `per_account` times, or the address too often.
pub(crate) async fn check(
    store: &Store,
    account: &[u8; 32],
    ip: &str,
    per_account: u32,
    now: Time,
) -> Result<(), ApiError> {
    store.within(refusal(store.read(), account, ip, per_account, now)).await?.map_or(Ok(()), Err)
}

/// The same for those who hold a transaction: the refusal, if there is one.
pub(crate) async fn refusal(
    db: &impl ConnectionTrait,
    account: &[u8; 32],
    ip: &str,
    per_account: u32,
    now: Time,
) -> Result<Option<ApiError>, DbErr> {
    let since = now.plus(-WINDOW);
    let of_account = throttle::nth_of_account(db, account, per_account, since).await?;
    let of_address = throttle::nth_of_address(db, ip, PER_ADDRESS, since).await?;
    Ok(of_account.max(of_address).map(|at| {
        let wait = at.plus(WINDOW).since(now);
        ApiError::too_many(u32::try_from(wait.max(0) / SECOND + 1).unwrap_or(1))
    }))
}
