//! Accounts: what a username and a password must be, and what others may read of an account.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ApiError, Level, UserId};

/// Something with an id and a name, such as an organisation or a team.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
}

/// A role: a name with a level.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub level: Level,
}

/// The roles every database begins with (product.md, "Words").
pub const BUILT_IN_ROLES: [(&str, Level); 5] = [
    ("admin", Level::Admin),
    ("manager", Level::Manager),
    ("teacher", Level::Member),
    ("student", Level::Member),
    ("member", Level::Member),
];

/// What is known of an account wherever it appears; shared, never changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCard {
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    pub role: String,
    pub level: Level,
    pub organisation: Option<Named>,
    pub teams: Vec<Named>,
    /// Whether they have set a second factor up.
    pub second_factor: bool,
}

/// An account as the API gives it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    pub id: Uuid,
    pub username: String,
    pub name: String,
    pub email: Option<String>,
    pub role: String,
    pub level: Level,
    pub organisation: Option<String>,
    pub organisation_id: Option<Uuid>,
    pub teams: Vec<String>,
}

impl From<&UserCard> for UserView {
    fn from(c: &UserCard) -> Self {
        Self {
            id: c.id,
            username: c.username.clone(),
            name: c.name.clone(),
            email: c.email.clone(),
            role: c.role.clone(),
            level: c.level,
            organisation: c.organisation.as_ref().map(|o| o.name.clone()),
            organisation_id: c.organisation.as_ref().map(|o| o.id),
            teams: c.teams.iter().map(|t| t.name.clone()).collect(),
        }
    }
}

/// At least this many characters for members and managers, and for admins (security.md, house decision on row 1).
pub const PASSWORD_MIN: usize = 12;
pub const PASSWORD_MIN_ADMIN: usize = 15;
/// Longer would let one request buy a lot of hashing.
pub const PASSWORD_MAX: usize = 256;

/// How many characters a password must have for this level.
pub fn password_min(level: Level) -> usize {
    if level == Level::Admin { PASSWORD_MIN_ADMIN } else { PASSWORD_MIN }
}

/// The length rule of a password (ASVS 6.2.1, 6.2.9): counted in characters, nothing cut, nothing changed. Whether it
/// is easy to guess is judged on the server, which has the dictionaries.
pub fn check_password_length(password: &str, level: Level) -> Result<(), ApiError> {
    let min = password_min(level);
    let n = password.chars().count();
    if n < min {
        return Err(ApiError::invalid(
            "password",
            format!("Use at least {min} characters; a few words make a good password."),
        ));
    }
    if n > PASSWORD_MAX {
        return Err(ApiError::invalid("password", format!("Use at most {PASSWORD_MAX} characters.")));
    }
    Ok(())
}

/// A username as it is stored and compared: lower case, 1 to 64 of letters, digits and `. _ - @ +`. Nothing that could
/// be a path, markup, a formula or a client's magic key.
pub fn username(text: &str) -> Result<String, ApiError> {
    let name = text.trim().to_lowercase();
    let good = |c: char| c.is_alphanumeric() || "._-@+".contains(c);
    if name.is_empty()
        || name.chars().count() > 64
        || !name.chars().all(good)
        || !name.starts_with(char::is_alphanumeric)
    {
        return Err(ApiError::invalid(
            "username",
            "Use 1 to 64 letters, digits or . _ - @ +, beginning with a letter or a digit.",
        ));
    }
    Ok(name)
}

/// A name as people write it: 1 to 100 characters, no control characters.
pub fn display_name(field: &str, text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(field, "Use 1 to 100 characters on one line."));
    }
    Ok(name.to_owned())
}

/// An e-mail address, checked only as far as is useful before a mail is sent to it.
pub fn email(text: &str) -> Result<String, ApiError> {
    let address = text.trim();
    let good = address.len() <= 254
        && !address.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\"',;".contains(c))
        && address
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && host.contains('.') && !host.contains('@'));
    if good {
        Ok(address.to_owned())
    } else {
        Err(ApiError::invalid("email", "Use an address such as ada@example.org."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_counted_in_characters() {
        assert!(check_password_length("elevenchars", Level::Member).is_err());
        assert!(check_password_length("twelve chars", Level::Member).is_ok());
        assert!(check_password_length("fourteen chars", Level::Admin).is_err());
        assert!(check_password_length("fifteen chars ok", Level::Admin).is_ok());
        assert!(check_password_length(&"🦀".repeat(12), Level::Member).is_ok());
        assert!(check_password_length(&"x".repeat(257), Level::Member).is_err());
    }

    #[test]
    fn usernames_are_plain() {
        assert_eq!(username(" Ada.Lovelace ").as_deref(), Ok("ada.lovelace"));
        for bad in ["", "=cmd()", "__proto__", "a b", "<b>", "../x", "@ada", &"x".repeat(65)] {
            assert!(username(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_checked_as_far_as_is_useful() {
        assert!(email("ada@example.org").is_ok());
        for bad in ["ada", "ada@host", "a b@example.org", "ada@x.org\r\nBcc: b@x.org", "@x.org"] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }
}
