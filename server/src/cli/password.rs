//! Asking for a new password: never an argument, which every process on the machine could read.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::failure::Failure;

/// Longer than any password that is accepted, so that a wrong file does not fill the memory.
const LINE_MAX: u64 = 4_096;

/// The new password of `username`: a line of standard input, or asked twice on a terminal.
pub(super) fn read(username: &str, stdin: bool) -> Result<String, Failure> {
    if stdin {
        return line();
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask for the password on: use --password-stdin"));
    }
    let silence = Silence::begin()?;
    let first = ask(&format!("New password of {username}: "))?;
    let second = ask("The same again: ")?;
    drop(silence);
    if first == second { Ok(first) } else { Err(Failure::failed("the two passwords differ: try again")) }
}

fn ask(question: &str) -> Result<String, Failure> {
    eprint!("{question}");
    io::stderr().flush()?;
    let answer = line();
    eprintln!();
    answer
}

fn line() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(LINE_MAX).read_line(&mut text);
    read.map_err(|e| Failure::failed(format!("the password cannot be read: {e}")))?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if password.is_empty() {
        Err(Failure::failed("the password is empty: give one line"))
    } else {
        Ok(password.to_owned())
    }
}

/// While it lives, the terminal does not show what is typed.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // The terminal may be gone, and then there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
