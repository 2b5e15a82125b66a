//! `rollcall settings`: what is in force, and changing it; a running server follows within 2 s.

use clap::{Args, Subcommand};
use domain::{Actor, Time, settings::SettingView};
use services::Changes;

use super::{database::DatabaseArgs, failure::Failure, out, table::table};

/// List and change settings; a running server follows within 2 s
#[derive(Debug, Args)]
pub(super) struct SettingsArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// What is in force, by default, by whose change; flags of a running server are not known here
    List(ListArgs),
    /// Change a setting; sessions that end by it are ended by the server
    Set(SetArgs),
    /// Put a setting back to its default
    Unset(UnsetArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
struct SetArgs {
    /// Such as session_idle
    key: String,
    /// Such as 12h
    value: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
struct UnsetArgs {
    /// Such as session_idle
    key: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: SettingsArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => list(args).await,
        Act::Set(args) => change(args.database, args.key, Some(args.value), args.json).await,
        Act::Unset(args) => change(args.database, args.key, None, args.json).await,
    }
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let list = args.database.open().await?.settings.list(&Actor::Operator).await?;
    if args.json {
        return out::json(&list);
    }
    out::text(table(["KEY", "VALUE", "DEFAULT", "TAKES", "CHANGED (UTC)", "BY"], list.iter().map(row)))
}

fn row(s: &SettingView) -> [String; 6] {
    let by = match (&s.fixed_by, &s.changed_by) {
        (Some(fixed), _) => format!("fixed by {fixed}"),
        (None, by) => by.clone().unwrap_or_default(),
    };
    let at = s.changed_at.map(Time::exact).unwrap_or_default();
    [s.key.clone(), s.value.clone(), s.default.clone(), s.bounds.clone(), at, by]
}

async fn change(database: DatabaseArgs, key: String, value: Option<String>, json: bool) -> Result<(), Failure> {
    let services = database.open().await?;
    let key = key.trim_start_matches("--").replace('-', "_");
    let changes = Changes::from([(key.clone(), value)]);
    let changed = services.settings.change(&Actor::Operator, changes, false).await?;
    if json {
        return out::json(&changed);
    }
    let list = services.settings.list(&Actor::Operator).await?;
    let value = list.into_iter().find(|s| s.key == key).map(|s| s.value).unwrap_or_default();
    let mut said = vec![format!("{key} is {value}")];
    said.extend(changed.warnings.iter().map(|w| format!("note: {w}")));
    out::text(said.join("\n"))
}
