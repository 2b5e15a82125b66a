//! `rollcall role`: roles and their levels.

use clap::{Args, Subcommand};
use domain::{
    Actor, Level,
    people::{MoveTo, RoleView},
};
use services::Services;

use super::{confirm, database::DatabaseArgs, failure::Failure, org, out, table::table};

/// List, add, change and delete roles
#[derive(Debug, Args)]
pub(super) struct RoleArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List roles with their levels and the numbers of their people
    List(ListArgs),
    /// Add a role
    Add(AddArgs),
    /// Rename a role, or give it another level, which signs its people out
    Edit(EditArgs),
    /// Delete a role
    Delete(DeleteArgs),
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
struct AddArgs {
    /// Its name
    name: String,
    /// member, manager or admin
    #[arg(long, default_value = "member", value_parser = level)]
    level: Level,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct EditArgs {
    /// Its name
    name: String,
    /// What it shall be called
    #[arg(long, value_name = "NAME", required_unless_present = "level")]
    to: Option<String>,
    /// member, manager or admin
    #[arg(long, value_parser = level)]
    level: Option<Level>,
    /// Do not ask, also when it signs people out
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Its name
    name: String,
    /// Which role its people get; they are signed out
    #[arg(long, value_name = "ROLE")]
    move_to: Option<String>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    list: ListArgs,
}

const OP: &Actor = &Actor::Operator;

fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| "use member, manager or admin".to_owned())
}

pub(super) async fn run(args: RoleArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => {
            let all = args.database.open().await?.directory.roles(OP).await?;
            if args.json {
                return out::json(&all);
            }
            let kind = |r: &RoleView| if r.built_in { "built in" } else { "" }.to_owned();
            let rows = all.iter().map(|r| [r.name.clone(), r.level.as_str().to_owned(), r.people.to_string(), kind(r)]);
            out::text(table(["NAME", "LEVEL", "PEOPLE", "KIND"], rows))
        }
        Act::Add(args) => {
            let services = args.list.database.open().await?;
            let made = services.directory.add_role(OP, &args.name, args.level).await?;
            if args.list.json { out::json(&made) } else { out::text(format!("{} is added", made.name)) }
        }
        Act::Edit(args) => {
            let services = args.list.database.open().await?;
            let role = find(&services, &args.name).await?;
            let signs_out = args.level.is_some_and(|level| level != role.level) && role.people > 0;
            if signs_out && confirm::asks(args.yes) {
                let people = out::count(role.people, "account");
                confirm::typed(&format!("This gives {people} other rights and signs them out."), &role.name)?;
            }
            let (edited, moved) = services.directory.edit_role(OP, role.id, args.to.as_deref(), args.level).await?;
            if args.list.json {
                return out::json(&edited);
            }
            out::text(format!("{} is changed, sessions ended: {}", edited.name, moved.sessions_ended))
        }
        Act::Delete(args) => {
            let services = args.list.database.open().await?;
            let role = find(&services, &args.name).await?;
            let to = match &args.move_to {
                Some(name) => Some(MoveTo::To(find(&services, name).await?.id)),
                None => None,
            };
            if !args.dry_run && confirm::asks(args.yes) {
                let would = services.directory.delete_role(OP, role.id, to, true).await?;
                confirm::typed(&format!("This deletes {}; {}.", role.name, org::moved(&would)), &role.name)?;
            }
            let moved = services.directory.delete_role(OP, role.id, to, args.dry_run).await?;
            if args.list.json {
                return out::json(&moved);
            }
            let would = if args.dry_run { "would be" } else { "is" };
            out::text(format!("{} {would} deleted, {}", role.name, org::moved(&moved)))
        }
    }
}

/// The role of this name, whatever the case.
pub(super) async fn find(services: &Services, name: &str) -> Result<RoleView, Failure> {
    let lower = name.trim().to_lowercase();
    let found = services.directory.roles(OP).await?.into_iter().find(|r| r.name.to_lowercase() == lower);
    found.ok_or_else(|| Failure::failed(format!("there is no role \"{name}\"; `rollcall role list` shows all")))
}
