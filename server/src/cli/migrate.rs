//! `rollcall migrate`: the schema. Every other command migrates by itself; this is for those who want to see it done.

use clap::{Args, Subcommand};
use services::{Migration, Store};

use super::{
    database::{self, DatabaseArgs},
    failure::Failure,
    out,
    table::table,
};

/// Bring the database's schema up to date, or see whether it is
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Run the migrations that are missing
    Up {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// List all migrations, and change nothing
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

pub(super) async fn run(args: MigrateArgs) -> Result<(), Failure> {
    match args.act {
        Act::Up { database } => up(database).await,
        Act::Status { json, database } => status(json, database).await,
    }
}

async fn up(args: DatabaseArgs) -> Result<(), Failure> {
    let settings = args.settings()?;
    let missing = migrations(&settings.database_url).await?.iter().filter(|m| !m.applied).count();
    database::open(&settings).await?;
    out::text(match missing {
        0 => "the schema is up to date".to_owned(),
        1 => "1 migration was run; the schema is up to date".to_owned(),
        n => format!("{n} migrations were run; the schema is up to date"),
    })
}

async fn status(json: bool, args: DatabaseArgs) -> Result<(), Failure> {
    let migrations = migrations(&args.settings()?.database_url).await?;
    if json {
        return out::json(&migrations);
    }
    let state = |applied| if applied { "applied" } else { "pending" }.to_owned();
    out::text(table(["MIGRATION", "STATE"], migrations.into_iter().map(|m| [m.name, state(m.applied)])))
}

async fn migrations(url: &str) -> Result<Vec<Migration>, Failure> {
    let inspected = Store::inspect(url).await;
    let inspection =
        inspected.map_err(|e| Failure::failed(format!("the database cannot be opened: {e}; see `rollcall doctor`")))?;
    Ok(inspection.migrations)
}
