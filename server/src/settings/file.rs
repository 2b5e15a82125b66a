//! The optional settings file: TOML, one key a setting, named like its variable without `ROLLCALL_`, in lower case.

use std::{fs, path::Path};

use clap::Command;
use toml::{Table, Value};

use super::UsageError;

/// The file's settings as names and values; a key that is no setting is an error that names it.
pub(super) fn read(path: &Path, command: &Command) -> Result<Vec<(String, String)>, UsageError> {
    let text = fs::read_to_string(path)
        .map_err(|e| UsageError::new(format!("the settings file {} cannot be read: {e}", path.display())))?;
    values(&text, command).map_err(|e| e.within(path))
}

fn values(text: &str, command: &Command) -> Result<Vec<(String, String)>, UsageError> {
    let table: Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        UsageError::new(format!("line {line} is not TOML: {}", e.message()))
    })?;
    table.into_iter().map(|(key, value)| Ok((known(&key, command)?, plain(&key, value)?))).collect()
}

fn known(key: &str, command: &Command) -> Result<String, UsageError> {
    let all = command.get_arguments().map(|argument| argument.get_id().as_str());
    let settings: Vec<_> = all.filter(|id| !matches!(*id, "config" | "help" | "version")).collect();
    if settings.contains(&key) {
        return Ok(key.to_owned());
    }
    let names = settings.join(", ");
    Err(UsageError::new(format!("there is no setting \"{key}\"; the settings are {names}")))
}

fn plain(key: &str, value: Value) -> Result<String, UsageError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(n) => Ok(n.to_string()),
        Value::Boolean(b) => Ok(b.to_string()),
        Value::Array(items) => {
            Ok(items.into_iter().map(|item| plain(key, item)).collect::<Result<Vec<_>, _>>()?.join(","))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => {
            Err(UsageError::new(format!("\"{key}\" takes a text, a whole number, true or false, or a list")))
        }
    }
}
