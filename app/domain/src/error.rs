//! What can be told to a caller when something does not work: one code, one sentence with what to do, and the fields.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why, as a program reads it; `snake_case` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    BadRequest,
    Unauthenticated,
    InvalidCredentials,
    SecondFactorRequired,
    NewPasswordRequired,
    Forbidden,
    ReauthRequired,
    SecondFactorMissing,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    Conflict,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    TooManyRequests,
    Internal,
    Unavailable,
    /// Only in the browser: the server was not reached.
    Network,
}

impl ErrorCode {
    /// The HTTP status of this code.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated | Self::InvalidCredentials | Self::SecondFactorRequired => 401,
            Self::Forbidden
            | Self::NewPasswordRequired
            | Self::ReauthRequired
            | Self::SecondFactorMissing
            | Self::CrossSite => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::Network => 503,
        }
    }
}

/// What serde says of a value that does not fit, without the names of our types.
pub fn said_plainly(text: &str) -> String {
    let mut words = text.split(' ');
    let mut said: Vec<&str> = vec![];
    while let Some(word) = words.next() {
        match word {
            "tuple" | "unit" | "newtype" | "internally" | "tagged" | "untagged" => {}
            "struct" | "enum" | "variant" => {
                words.next();
                said.push(if word == "struct" { "an object" } else { "one of its words" });
            }
            word => said.push(word),
        }
    }
    said.join(" ")
}

/// The one error every door answers with. Holds nothing of the inside: internals are logged under the request's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    pub code: ErrorCode,
    /// A sentence for a person, with what to do.
    pub message: String,
    /// Field name → what is wrong with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Seconds after which a repetition may work; becomes `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: BTreeMap::new(), retry_after: None }
    }

    /// 422: `field` is wrong, and why.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut e = Self::new(ErrorCode::Invalid, message.clone());
        e.fields.insert(field.to_owned(), message);
        e
    }

    /// 404, the same for "not there" and "not yours".
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing here, or it is not yours to see.")
    }

    pub fn forbidden() -> Self {
        Self::new(ErrorCode::Forbidden, "Your role does not allow this. Ask an administrator.")
    }

    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "Sign in first: there is no live session with this request.")
    }

    pub fn reauth_required() -> Self {
        Self::new(ErrorCode::ReauthRequired, "Confirm your password first, then repeat this.")
    }

    /// 403 for whoever has to set a second factor up first, because their role asks for one.
    pub fn second_factor_missing() -> Self {
        Self::new(
            ErrorCode::SecondFactorMissing,
            "Your role asks for a second factor. Set one up first, on your account's page.",
        )
    }

    /// 403 after a right password that is too short for what its owner has become.
    pub fn new_password_required(min: usize) -> Self {
        let message = format!("Your role asks for a password of at least {min} characters. Choose a new one.");
        Self::new(ErrorCode::NewPasswordRequired, message)
    }

    /// One answer for every kind of failed sign-in (ASVS 6.3.8).
    pub fn invalid_credentials() -> Self {
        Self::new(ErrorCode::InvalidCredentials, "Username or password is wrong.")
    }

    pub fn too_many(retry_after: u32) -> Self {
        let message = format!("Too many failed attempts. Try again in {} min.", retry_after.div_ceil(60));
        Self { retry_after: Some(retry_after), ..Self::new(ErrorCode::TooManyRequests, message) }
    }

    /// 500 with nothing of the inside.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "Something went wrong on our side. It has been logged under this request's id.")
    }

    pub fn unavailable() -> Self {
        let message = "The server cannot answer right now. Nothing was changed; try again in a moment.";
        Self { retry_after: Some(1), ..Self::new(ErrorCode::Unavailable, message) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_not_named() {
        for (said, plain) in [
            (
                "invalid type: string \"text\", expected struct Login",
                "invalid type: string \"text\", expected an object",
            ),
            ("expected internally tagged enum Choice", "expected one of its words"),
            ("missing field `username`", "missing field `username`"),
            ("expected struct", "expected an object"),
        ] {
            assert_eq!(said_plainly(said), plain);
        }
    }
}
