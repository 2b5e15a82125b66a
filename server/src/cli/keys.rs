//! `rollcall keys`: the keys that seal what the database must not be able to read.

use clap::{Args, Subcommand};
use serde_json::json;
use services::{Clock, KeyView, vault};

use super::{database::DatabaseArgs, failure::Failure, out, table::table};
use crate::settings;

/// List and rotate the keys that seal values at rest
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the keys, oldest first
    List(Plain),
    /// Make a new key, seal everything with it, and drop the old ones; keep copies of the old file with old backups
    Rotate(Plain),
    Reset(ResetArgs),
}

#[derive(Debug, Args)]
struct Plain {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// When the key file is lost for good: delete what it sealed, turn off the second factors it sealed, and make a new one
#[derive(Debug, Args)]
struct ResetArgs {
    /// Yes, delete it
    #[arg(long, required = true)]
    yes: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: KeysArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => list(args).await,
        Act::Rotate(args) => rotate(args).await,
        Act::Reset(args) => reset(args).await,
    }
}

async fn list(args: Plain) -> Result<(), Failure> {
    let keys = args.database.open().await?.keys().await?;
    if args.json {
        return out::json(&keys);
    }
    let row = |k: &KeyView| {
        let seals = if k.current { "yes" } else { "" };
        [k.id.clone(), k.made_at.exact(), k.values.to_string(), seals.to_owned()]
    };
    out::text(table(["KEY", "MADE (UTC)", "VALUES", "SEALS"], keys.iter().map(row)))
}

async fn rotate(args: Plain) -> Result<(), Failure> {
    let (key, again) = args.database.open().await?.rotate_keys().await?;
    if args.json {
        return out::json(&json!({ "key": key, "sealed_again": again }));
    }
    out::text(format!("{} seals from now on; {again} values were sealed again", key.id))
}

async fn reset(args: ResetArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    settings::prepare_data_dir(&settings.data_dir)?;
    let deleted = vault::reset(&settings.database_url, &settings.secret_key_file, &Clock::System).await;
    let deleted = deleted.map_err(|e| Failure::failed(e.to_string()))?;
    out::text(format!("{deleted} values that nobody could open were deleted"))
}
