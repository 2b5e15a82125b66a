//! Mails on their way out, as administrators see them: never what they say.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Time;

/// Where a mail is.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    Waiting,
    /// Tried for as long as makes sense; only a person sends it on.
    GivenUp,
    Sent,
}

impl MailState {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::GivenUp, Self::Sent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::GivenUp => "given_up",
            Self::Sent => "sent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// A mail in a list.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailView {
    pub id: Uuid,
    /// `password_reset`, `new_device`, …
    pub kind: String,
    pub to: String,
    pub subject: String,
    pub state: MailState,
    pub created_at: Time,
    pub tries: u32,
    pub next_try_at: Option<Time>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    pub sent_at: Option<Time>,
}
