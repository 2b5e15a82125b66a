//! How often a password may be tried. Failures are counted in the database, so that a restart forgives nobody; names
//! nobody has count like all others; successes never count; and no account is ever locked for longer than the window.

use domain::{
    ApiError, Time,
    time::{DAY, MINUTE, SECOND},
};

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

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
/// Failures from all strange addresses together: what many addresses with a try or two each may try in all.
const PER_STRANGERS: u32 = 1_000;
/// An address is strange unless somebody signed in from it within this.
const FAMILIAR_FOR: i64 = 30 * DAY;
/// The failures of strangers count once more under this, which is no name's hash, from no address.
const STRANGERS: [u8; 32] = [0; 32];

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
    // What failed from no address at all, such as the tally of strangers, is nobody's neighbour.
    let of_address = if ip.is_empty() { None } else { throttle::nth_of_address(db, ip, PER_ADDRESS, since).await? };
    Ok(of_account.max(of_address).map(|at| wait(at, now)))
}

fn wait(at: Time, now: Time) -> ApiError {
    let wait = at.plus(WINDOW).since(now);
    ApiError::too_many(u32::try_from(wait.max(0) / SECOND + 1).unwrap_or(1))
}

/// Whether the address is a stranger's: nobody signed in from it lately. Then 429 when strangers failed too often: stolen
/// passwords are tried from many addresses, each at many names. Nobody is locked out where they have been before, and the
/// name does not matter, so that the answer tells nothing of it.
pub(crate) async fn check_stranger(store: &Store, ip: &str, now: Time) -> Result<bool, ApiError> {
    let (since, familiar) = (now.plus(-WINDOW), now.plus(-FAMILIAR_FOR));
    if store.within(throttle::has_signed_in(store.read(), ip, familiar)).await? {
        return Ok(false);
    }
    let too_often = store.within(throttle::nth_of_account(store.read(), &STRANGERS, PER_STRANGERS, since)).await?;
    too_often.map_or(Ok(true), |at| Err(wait(at, now)))
}

/// Counts a stranger's failure.
pub(crate) async fn record_stranger(db: &impl ConnectionTrait, id: Uuid, now: Time) -> Result<(), DbErr> {
    throttle::record(db, id, &STRANGERS, "", now).await
}
