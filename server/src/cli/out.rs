//! Standard output. It is for answers; everything else goes to standard error.

use std::io::{self, Write};

use serde::Serialize;

use super::failure::Failure;

/// Writes the text and a line feed, at once: a script may be waiting for it.
pub(super) fn text(text: impl AsRef<str>) -> Result<(), Failure> {
    part(&format!("{}\n", text.as_ref()))
}

/// Writes a piece of something long, at once.
pub(super) fn part(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ReaderGone),
        Err(e) => Err(Failure::failed(format!("standard output cannot be written: {e}"))),
    }
}

/// Writes a value as JSON for programs.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value);
    text(json.map_err(|e| Failure::failed(format!("the answer cannot be written as JSON: {e}")))?)
}

/// `1 session`, `2 sessions`.
pub(super) fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
