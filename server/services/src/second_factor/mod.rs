//! The second factor: codes of an app, and back-up codes for the day the telephone is lost.
//!
//! - `totp`: the codes themselves. `enrol`: what a person does with their own, and an administrator with somebody's.
//! - `spend`: using a code up, within the transaction of what it allows: a sign-in, a confirmed password.
//!
//! The secret is sealed with the instance key. Of back-up codes, 120 random bits each, only the hash is kept.

mod enrol;
mod totp;

use data_encoding::BASE32_NOPAD;
use domain::{ApiError, ErrorCode, Time, UserId};
use sea_orm::DatabaseTransaction;

pub use self::enrol::{Enrolment, SecondFactor, State};
use crate::{
    secret,
    store::{db, second_factor as rows},
    vault::Vault,
};

/// Bytes of a back-up code, which is 24 characters.
const BACKUP_BYTES: usize = 15;

/// Whether the person has one, which then is asked for.
pub(crate) async fn is_on(txn: &DatabaseTransaction, user: UserId) -> Result<bool, ApiError> {
    Ok(rows::find(txn, user).await.map_err(db)?.is_some_and(|f| f.confirmed_at.is_some()))
}

/// Whether `typed` is a code of the person that nobody used yet; it is used up with the transaction.
pub(crate) async fn spend(
    txn: &DatabaseTransaction,
    vault: &Vault,
    user: UserId,
    typed: &str,
    now: Time,
) -> Result<bool, ApiError> {
    let typed = tidy(typed);
    let Some(factor) = rows::find(txn, user).await.map_err(db)?.filter(|f| f.confirmed_at.is_some()) else {
        return Ok(false);
    };
    if typed.len() == 6 && typed.bytes().all(|b| b.is_ascii_digit()) {
        let secret = open(vault, user, &factor)?;
        return match totp::matching_step(&secret, &typed, now, factor.last_step) {
            Some(step) => rows::use_step(txn, user, step).await.map_err(db),
            None => Ok(false),
        };
    }
    rows::take_backup(txn, user, &secret::hash(&typed)).await.map_err(db)
}

/// The secret that the app shares.
fn open(vault: &Vault, user: UserId, factor: &rows::Factor) -> Result<Vec<u8>, ApiError> {
    let text = vault.open_sealed(&factor.secret_key, &rows::about(user), &factor.secret)?;
    BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| ApiError::internal())
}

/// Back-up codes are shown in groups and typed as people like.
fn tidy(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).take(64).map(|c| c.to_ascii_lowercase()).collect()
}

/// A back-up code and its hash.
fn backup_code() -> (String, [u8; 32]) {
    let code = BASE32_NOPAD.encode(&secret::random::<BACKUP_BYTES>()).to_lowercase();
    let hash = secret::hash(&code);
    let groups: Vec<&str> = (0..code.len()).step_by(4).map(|i| &code[i..i + 4]).collect();
    (groups.join("-"), hash)
}

/// One answer for a code that is wrong, used, or of somebody else, and for a step that took too long.
pub(crate) fn wrong_code() -> ApiError {
    let message = "This code is wrong, was used already, or came too late.";
    let mut e = ApiError::new(ErrorCode::InvalidCredentials, message);
    e.fields.insert("code".to_owned(), message.to_owned());
    e
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_up_codes_are_read_as_people_type_them() {
        let (shown, hash) = backup_code();
        assert_eq!(shown.len(), 29);
        for typed in [shown.clone(), shown.to_uppercase(), shown.replace('-', " "), format!(" {shown}\n")] {
            assert_eq!(secret::hash(&tidy(&typed)), hash, "{typed}");
        }
        assert_ne!(backup_code().0, shown);
    }
}
