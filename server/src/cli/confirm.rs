//! Asking before what cannot be undone. Whoever sits at a terminal is asked; a script was thought about before.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use super::failure::Failure;

/// Longer than any answer.
const ANSWER_MAX: u64 = 1_000;

/// Whether somebody is there to be asked who did not say `--yes`.
pub(super) fn asks(yes: bool) -> bool {
    !yes && io::stdin().is_terminal()
}

/// Says what would happen, and goes on only when `word` is typed.
pub(super) fn typed(what: &str, word: &str) -> Result<(), Failure> {
    eprint!("{what} Type {word} to go on: ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(ANSWER_MAX).read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case(word) {
        Ok(())
    } else {
        Err(Failure::failed("nothing was done: that was not what to type"))
    }
}
