//! How a command ends, and with which exit code.

use std::error::Error;

/// What every command returns.
pub(crate) type Outcome<T = ()> = Result<T, Stop>;

/// Why a command stopped early. Not an `Error` itself, so that `?` can take any error into `Failed`.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The caller asked for something that does not exist: exit code 2 and the usage.
    Usage(String),
    /// Something did not work: exit code 1 and this sentence.
    Failed(Box<dyn Error>),
    /// Tests failed and have been counted on the last line already: exit code 1, not another word.
    Counted,
}

impl<E: Into<Box<dyn Error>>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Stop {
    /// One sentence for a report that goes on after this.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Usage(problem) => problem.clone(),
            Self::Failed(error) => error.to_string(),
            Self::Counted => "tests failed".into(),
        }
    }
}

/// Refuses whatever is left on a command line that takes no (more) arguments.
pub(crate) fn no_more(args: &[String]) -> Outcome {
    match args.first() {
        None => Ok(()),
        Some(extra) => Err(Stop::Usage(format!("`{extra}` is not understood here"))),
    }
}

/// The arguments meant for `rollcall serve`: all of them, with or without a leading `--`.
pub(crate) fn serve_args(args: &[String]) -> &[String] {
    match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    }
}
