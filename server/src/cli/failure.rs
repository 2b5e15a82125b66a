//! How a command fails: one sentence with what to do, and an exit code.

use std::{io, process::ExitCode};

use domain::{ApiError, ErrorCode};

use crate::settings::UsageError;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// It did not work: exit code 1.
    Failed(String),
    /// The same, and what it printed says it all.
    Told,
    /// Whoever read our output has enough: not a failure of ours.
    ReaderGone,
}

impl Failure {
    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    pub(super) fn sentence(&self) -> Option<&str> {
        match self {
            Self::Usage(s) | Self::Failed(s) => Some(s),
            Self::Told | Self::ReaderGone => None,
        }
    }

    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Told => ExitCode::FAILURE,
            Self::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        // These two are written for somebody in front of a browser.
        Self::Failed(match error.code {
            ErrorCode::Unavailable => "the database did not answer: see `rollcall doctor`".to_owned(),
            ErrorCode::Internal => "the database refused: see the lines above and `rollcall doctor`".to_owned(),
            _ => error.message,
        })
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
