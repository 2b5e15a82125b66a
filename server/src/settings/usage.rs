//! What is wrong with what was asked, in one sentence.

use std::{fmt, path::Path};

/// The program was called or set up in a way that makes no sense: exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl UsageError {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The same, said of a file.
    #[must_use]
    pub fn within(self, path: &Path) -> Self {
        Self(format!("{}: {}", path.display(), self.0))
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// clap explains itself in paragraphs; the first ones, joined, are the sentence and its tips.
impl From<clap::Error> for UsageError {
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        let said = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
            .filter(|line| !line.is_empty());
        let sentence = said.collect::<Vec<_>>().join(" ");
        Self(sentence.strip_prefix("error: ").unwrap_or(&sentence).to_owned())
    }
}
