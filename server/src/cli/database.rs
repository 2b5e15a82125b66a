//! Opening the database for a command, beside a server that may be running.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;
use services::{Clock, Services};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::failure::Failure;
use crate::{
    log,
    settings::{self, LogFormat, ServeSettings},
};

/// Which database; what is not said here comes from the environment and the file, as for `serve`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Database")]
pub(super) struct DatabaseArgs {
    /// The server's settings file
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The server's data directory [default: ./data]
    #[arg(long, env = "ROLLCALL_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The server's database [default: sqlite://DATA_DIR/rollcall.db]
    #[arg(long, env = "ROLLCALL_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// The server's key file [default: DATA_DIR/secret.key]
    #[arg(long, env = "ROLLCALL_SECRET_KEY_FILE", value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
}

/// Commands are to be seen, their logs only when something is wrong.
const COMMAND_LOG: &str = "warn";

impl DatabaseArgs {
    /// The server's settings, and logging begun.
    pub(super) fn settings(self) -> Result<ServeSettings, Failure> {
        let named = [
            ("--config", self.config.map(OsString::from)),
            ("--data-dir", self.data_dir.map(OsString::from)),
            ("--database-url", self.database_url.map(OsString::from)),
            ("--secret-key-file", self.secret_key_file.map(OsString::from)),
        ];
        let flags = named.into_iter().filter_map(|(flag, value)| Some([OsString::from(flag), value?])).flatten();
        let settings = settings::read(flags.collect())?.settings()?;
        let said = std::env::var("ROLLCALL_LOG");
        log::start(said.as_deref().unwrap_or(COMMAND_LOG), LogFormat::Text);
        Ok(settings)
    }

    /// The services on the migrated database, without background work.
    pub(super) async fn open(self) -> Result<Services, Failure> {
        open(&self.settings()?).await
    }
}

/// Opens the database of these settings, migrates it, and starts no background work.
pub(super) async fn open(settings: &ServeSettings) -> Result<Services, Failure> {
    settings::prepare_data_dir(&settings.data_dir).map_err(|e| {
        Failure::failed(format!("the data directory {} cannot be created: {e}", settings.data_dir.display()))
    })?;
    let config = settings.config(settings.origin(), false);
    let opened = Services::open(config, Clock::System, CancellationToken::new(), &TaskTracker::new()).await;
    opened.map_err(|e| Failure::failed(format!("{e}; see `rollcall doctor`")))
}
