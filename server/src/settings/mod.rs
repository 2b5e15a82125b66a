//! The settings of the program: flags, then environment, then file, then default.
//!
//! - `args`: every setting with its flag, its variable, its default and its help. `file`: the TOML file.
//! - `parse`: what a value may be. `base_url`: the address people use. `check`: what may not go together.
//!
//! What a setting does is not decided here: rules take `domain::settings::Settings`.
//!
//! To add one: a field in `args`, its place in `ServeSettings`; flag, variable, file key and help follow from the field.

mod args;
mod base_url;
mod check;
mod file;
mod parse;
mod usage;

use std::{
    ffi::OsString,
    fs, io,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource};
use domain::settings::{Fixed, Settings, setting};
use ipnet::IpNet;
use services::{Config, Smtp};

pub use self::{
    args::{LogFormat, Preset, ServeArgs},
    base_url::BaseUrl,
    check::sqlite_url,
    parse::{Listen, duration},
    usage::UsageError,
};

/// Everything the server is told at its start, checked.
#[derive(Clone)]
pub struct ServeSettings {
    pub listen: SocketAddr,
    /// Nothing when health and metrics are off.
    pub ops_listen: Option<SocketAddr>,
    pub data_dir: PathBuf,
    /// May hold a password: never logged, never shown.
    pub database_url: String,
    pub secret_key_file: PathBuf,
    /// Where files are kept; may hold a secret.
    pub storage_url: String,
    pub geoip_file: Option<PathBuf>,
    /// The server mails are sent by.
    pub smtp: Option<Smtp>,
    pub base_url: Option<BaseUrl>,
    pub insecure_http: bool,
    pub trusted_proxies: Vec<IpNet>,
    /// Directives for the log, such as `info` or `info,server=debug`.
    pub log: String,
    pub log_format: LogFormat,
    pub services: Settings,
    /// Which of them nobody can change while the server runs, and by what they are fixed.
    pub fixed: Fixed,
}

impl ServeSettings {
    /// The defaults with everything in `dir`, on a free port of this machine: for tests.
    pub fn for_test(dir: &Path) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ops_listen: None,
            data_dir: dir.to_owned(),
            database_url: sqlite_url(&dir.join("rollcall.db")),
            secret_key_file: dir.join(SECRET_KEY),
            storage_url: storage_in(dir),
            geoip_file: None,
            smtp: None,
            base_url: None,
            insecure_http: false,
            trusted_proxies: vec![],
            log: "warn".to_owned(),
            log_format: LogFormat::Text,
            services: Settings::default(),
            fixed: Fixed::default(),
        }
    }

    /// Whether people reach us by https, which decides the cookie's name and attributes.
    pub fn https(&self) -> bool {
        self.base_url.as_ref().is_some_and(|url| url.https)
    }

    /// Where people reach us, as far as it is known before the listener is bound.
    pub fn origin(&self) -> String {
        self.base_url.as_ref().map_or_else(|| crate::serve::origin(self.listen), |base| base.origin.clone())
    }

    /// What the services are told. `base` begins every link; `background`: whether this is the server.
    pub fn config(&self, base: String, background: bool) -> Config {
        Config {
            database_url: self.database_url.clone(),
            settings: self.services.clone(),
            fixed: self.fixed.clone(),
            secret_key_file: self.secret_key_file.clone(),
            data_dir: self.data_dir.clone(),
            storage_url: self.storage_url.clone(),
            // Commands show addresses; where they are is for people who look at lists.
            geoip_file: self.geoip_file.clone().filter(|_| background),
            base,
            smtp: self.smtp.clone(),
            background,
        }
    }
}

/// Session settings of `ROLLCALL_SESSION_PRESET=strict`; the same figures as `domain::settings::Lifetimes::strict`.
const STRICT: [(&str, &str); 4] =
    [("session_idle", "1h"), ("session_max", "24h"), ("session_max_admin", "24h"), ("session_remember", "off")];

/// Reads the settings from `flags` (what follows `rollcall serve`), the environment and the file.
pub fn read(flags: Vec<OsString>) -> Result<ServeArgs, UsageError> {
    let command = ServeArgs::command().no_binary_name(true);
    let mut all = flags;
    let mut matches = parse(&command, &all)?;
    let mut fixed = said(&matches);
    // What neither a flag nor the environment says is added as a flag, so that every source is read by one parser.
    if let Some(path) = matches.get_one::<PathBuf>("config").cloned() {
        let values = file::read(&path, &command)?;
        for (key, _) in values.iter().filter(|(key, _)| setting(key).is_some()) {
            fixed.entry(key.clone()).or_insert_with(|| format!("{key} in {}", path.display()));
        }
        all.extend(flags_for(&values, &matches));
        matches = parse(&command, &all).map_err(|e| e.within(&path))?;
    }
    if matches.get_one::<Preset>("session_preset") == Some(&Preset::Strict) {
        all.extend(flags_for(&STRICT.map(|(id, value)| (id.to_owned(), value.to_owned())), &matches));
        matches = parse(&command, &all)?;
    }
    Ok(ServeArgs { fixed, ..ServeArgs::from_arg_matches(&matches)? })
}

/// The settings that a flag or a variable gives, and which.
fn said(matches: &ArgMatches) -> Fixed {
    let by = |key: &str| match matches.value_source(key) {
        Some(ValueSource::CommandLine) => Some(format!("--{}", key.replace('_', "-"))),
        Some(ValueSource::EnvVariable) => Some(format!("ROLLCALL_{}", key.to_uppercase())),
        _ => None,
    };
    domain::settings::ALL.iter().filter_map(|s| Some((s.key.to_owned(), by(s.key)?))).collect()
}

fn parse(command: &Command, flags: &[OsString]) -> Result<ArgMatches, UsageError> {
    Ok(command.clone().try_get_matches_from(flags)?)
}

fn flags_for(values: &[(String, String)], said: &ArgMatches) -> Vec<OsString> {
    let unsaid = |id: &str| matches!(said.value_source(id), None | Some(ValueSource::DefaultValue));
    let flag = |(id, value): &(String, String)| format!("--{}={value}", id.replace('_', "-")).into();
    values.iter().filter(|(id, _)| unsaid(id)).map(flag).collect()
}

/// Where files are kept unless another place is given.
pub fn storage_in(dir: &Path) -> String {
    format!("file://{}", dir.join("files").display())
}

/// The key file's name in the data directory.
pub const SECRET_KEY: &str = "secret.key";

/// Creates the data directory for the owner alone, if it is not there.
pub fn prepare_data_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(dir)
}

/// The owner alone: the database holds addresses and hashed secrets.
const PRIVATE_DIR: u32 = 0o700;

/// The permission bits of a file or directory that are more than its owner's.
pub fn shared_bits(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077)
}

#[cfg(test)]
mod tests;
