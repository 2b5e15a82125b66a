//! Logs: to standard error, as text for people or a JSON object a line.
//!
//! What is logged is decided where it happens; nothing that could be a secret is passed to a log at all. Here it is
//! seen to that a value cannot forge a line, and that libraries do not print what passes through them.

use std::{
    fmt::{self, Write},
    io::{self, IsTerminal},
};

use tracing_subscriber::{
    EnvFilter,
    field::MakeExt,
    filter::LevelFilter,
    fmt::format::{Writer, debug_fn},
    util::SubscriberInitExt,
};

use crate::settings::{LogFormat, UsageError};

/// Libraries that see headers, cookies or statements stay quiet, however loud our own modules are asked to be;
/// whoever needs one names it.
const QUIET: &str = "hyper=info,hyper_util=info,tungstenite=info,tokio_tungstenite=info,tower_http=info,sqlx=warn,\
                     sea_orm=warn,sea_orm_migration=warn,leptos=info,";

/// Starts logging; once per process, later calls change nothing.
pub fn start(directives: &str, format: LogFormat) {
    let filter = EnvFilter::builder().parse_lossy(format!("{QUIET}{directives}"));
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A subscriber that is set already stays: a test's own, for one.
    let _ = match format {
        LogFormat::Text => {
            let fields = debug_fn(|out: &mut Writer<'_>, field: &tracing::field::Field, value: &dyn fmt::Debug| {
                let mut out = OneLine(out);
                match field.name() {
                    "message" => write!(out, "{value:?}"),
                    name => write!(out, "{name}={value:?}"),
                }
            });
            base.fmt_fields(fields.delimited(" ")).with_ansi(io::stderr().is_terminal()).finish().try_init()
        }
        LogFormat::Json => base.json().flatten_event(true).finish().try_init(),
    };
}

/// Whether these directives make sense.
pub(crate) fn check(directives: &str) -> Result<(), UsageError> {
    // To the filter a word it does not know is a module's name, and a slip would silence everything.
    let known = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    let parsed = EnvFilter::builder().parse(directives);
    if parsed.is_ok() && directives.split(',').all(|part| known(part.trim())) {
        return Ok(());
    }
    Err(UsageError::new("--log takes a level such as info, or info,server=debug"))
}

/// Writes control characters, and those that reorder text, as escapes: one event, one line, in the order it was said.
struct OneLine<'a, W>(&'a mut W);

impl<W: Write> Write for OneLine<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                write!(self.0, "{}", c.escape_default())?;
            } else {
                self.0.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_forge_a_line() {
        let mut out = String::new();
        OneLine(&mut out).write_str("ada\n2026-01-01 INFO all well\r\u{1b}[2K\u{202e}é").unwrap();
        assert_eq!(out, "ada\\n2026-01-01 INFO all well\\r\\u{1b}[2K\\u{202e}é");
    }

    #[test]
    fn directives_are_checked() {
        assert!(check("info").is_ok() && check("warn,server=debug").is_ok() && check("off").is_ok());
        assert!(check("loud").is_err() && check("a=loud").is_err());
    }
}
