//! `rollcall settings`: what is in force, and changing it; a running server follows within 2 s.

use clap::{Args, Subcommand};
use domain::{
    Actor, Time,
    settings::{Changed, Consequences, SettingView},
};
use services::Changes;

use super::{confirm, database::DatabaseArgs, failure::Failure, out, table::table};

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
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, Args)]
struct UnsetArgs {
    /// Such as session_idle
    key: String,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, Args)]
struct HowArgs {
    /// Only say what would change, who would be signed out, and when
    #[arg(long)]
    dry_run: bool,
    /// Do not ask, also when it signs people out
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

const OP: &Actor = &Actor::Operator;

pub(super) async fn run(args: SettingsArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => list(args).await,
        Act::Set(args) => change(args.how, &args.key, Some(args.value)).await,
        Act::Unset(args) => change(args.how, &args.key, None).await,
    }
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let list = args.database.open().await?.settings.list(OP).await?;
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

/// Looks first, so that what it does to people is said before and after.
async fn change(how: HowArgs, key: &str, value: Option<String>) -> Result<(), Failure> {
    let services = how.database.open().await?;
    let key = key.trim_start_matches("--").replace('-', "_");
    let changes = Changes::from([(key.clone(), value)]);
    let looked = services.settings.change(OP, changes.clone(), true).await?;
    if how.dry_run {
        return if how.json { out::json(&looked) } else { out::text(would(&key, &looked).join("\n")) };
    }
    if looked.sessions.would_end > 0 && confirm::asks(how.yes) {
        confirm::typed(&format!("{}.", ends(&looked.sessions, "end")), "yes")?;
    }
    let mut changed = services.settings.change(OP, changes, false).await?;
    changed.sessions = looked.sessions;
    if how.json {
        return out::json(&changed);
    }
    let list = services.settings.list(OP).await?;
    let value = list.into_iter().find(|s| s.key == key).map(|s| s.value).unwrap_or_default();
    let mut said = vec![format!("{key} is {value}")];
    if changed.sessions.would_end > 0 {
        said.push(format!("{}, by the server", ends(&changed.sessions, "end")));
    }
    said.extend(changed.warnings.iter().map(|w| format!("note: {w}")));
    out::text(said.join("\n"))
}

/// What would happen, a line for each.
fn would(key: &str, looked: &Changed) -> Vec<String> {
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let change = |(key, (from, to)): (&String, &(String, String))| {
        format!("{key} would become {} instead of {}", or_none(to), or_none(from))
    };
    let mut said: Vec<String> = looked.changes.iter().map(change).collect();
    if said.is_empty() {
        said.push(format!("{key} would stay as it is"));
    }
    let s = &looked.sessions;
    said.push(ends(s, "would end"));
    said.extend(s.who.iter().map(|w| format!("  {} ({}): {}", w.username, w.name, out::count(w.sessions, "session"))));
    let more = s.people.saturating_sub(s.who.len() as u64);
    if more > 0 {
        said.push(format!("  and {more} more"));
    }
    if s.sooner > 0 {
        let more = out::count(s.sooner, "more session");
        said.push(format!("{more} would end sooner than before, unless there is activity; the first of them:"));
        said.extend(s.next.iter().map(|n| format!("  {} ({}) at {} UTC", n.username, n.name, n.ends_at.exact())));
    }
    said.extend(looked.warnings.iter().map(|w| format!("note: {w}")));
    said
}

fn ends(s: &Consequences, end: &str) -> String {
    let people = if s.people == 1 { "1 person".to_owned() } else { format!("{} people", s.people) };
    match s.would_end {
        0 => "no session ends at once".to_owned(),
        n => format!("{} of {people} {end} at once, and cannot be brought back", out::count(n, "session")),
    }
}
