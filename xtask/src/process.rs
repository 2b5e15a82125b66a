//! Starting programs and stopping them.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{outcome::Outcome, workspace::find_program};

/// Runs a program to its end with our own input and outputs. An error names the command line.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| format!("{} could not be started: {error}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command)).into()) }
}

/// Runs a program to its end and returns what it wrote to standard output, trimmed.
pub(crate) fn read(command: &mut Command) -> Outcome<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{} could not be started: {error}", line(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed ({})", line(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A program that is to end when this process does, however that comes about. Linux can promise it; elsewhere only
/// an orderly end or Ctrl-C ends the program too.
pub(crate) fn that_ends_with_us(program: &Path, signal: &str) -> Command {
    let Some(setpriv) = find_program("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", signal]).arg(program);
    command
}

/// Asks a child to end with `signal` (`TERM`, `INT`), waits up to `patience`, then kills it.
pub(crate) fn stop(child: &mut Child, signal: &str, patience: Duration) {
    let asked = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    let started = Instant::now();
    while asked.as_ref().is_ok_and(std::process::ExitStatus::success) && started.elapsed() < patience {
        if let Ok(Some(_)) = child.try_wait() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Both fail only when the child is gone, which is what is wanted.
    let _ = child.kill();
    let _ = child.wait();
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    format!("`{}`", words.collect::<Vec<_>>().join(" "))
}
