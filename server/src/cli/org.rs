//! `rollcall org`: organisations.

use clap::{Args, Subcommand};
use domain::{
    Actor,
    people::{MoveTo, Moved, OrganisationView, UserFilter},
};
use services::{Services, WhichPeople};

use super::{confirm, database::DatabaseArgs, failure::Failure, out, table::table};

/// List, add, rename and delete organisations, and move their people
#[derive(Debug, Args)]
pub(super) struct OrgArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List organisations with the numbers of their people and teams
    List(ListArgs),
    /// Add an organisation
    Add(OneArgs),
    /// Rename an organisation
    Rename(RenameArgs),
    /// Delete an organisation with its teams
    Delete(DeleteArgs),
    /// Move all people of an organisation to another; they are signed out
    Move(MoveArgs),
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
struct OneArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct RenameArgs {
    /// What it is called now
    name: String,
    /// What it shall be called
    to: String,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Its name
    name: String,
    /// Where its people go: an organisation's name, or none
    #[arg(long, value_name = "NAME")]
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

#[derive(Debug, Args)]
struct MoveArgs {
    /// Whose people
    name: String,
    /// Where they go: an organisation's name, or none
    to: String,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    list: ListArgs,
}

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;
const OP: &Actor = &Actor::Operator;

pub(super) async fn run(args: OrgArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => {
            let all = all(&args.database.open().await?, None).await?;
            if args.json {
                return out::json(&all);
            }
            let rows = all.into_iter().map(|o| [o.name, o.people.to_string(), o.teams.to_string(), o.id.to_string()]);
            out::text(table(["NAME", "PEOPLE", "TEAMS", "ID"], rows))
        }
        Act::Add(args) => {
            let services = args.list.database.open().await?;
            let made = services.directory.add_organisation(OP, &args.name).await?;
            if args.list.json { out::json(&made) } else { out::text(format!("{} is added", made.name)) }
        }
        Act::Rename(args) => {
            let services = args.list.database.open().await?;
            let one = find(&services, &args.name).await?;
            let renamed = services.directory.rename_organisation(OP, one.id, &args.to).await?;
            if args.list.json { out::json(&renamed) } else { out::text(format!("it is called {} now", renamed.name)) }
        }
        Act::Delete(args) => {
            let services = args.list.database.open().await?;
            let one = find(&services, &args.name).await?;
            let to = match &args.move_to {
                Some(name) => Some(target(&services, name).await?.map_or(MoveTo::Nowhere, MoveTo::To)),
                None => None,
            };
            if !args.dry_run && confirm::asks(args.yes) {
                let would = services.directory.delete_organisation(OP, one.id, to, true).await?;
                let what =
                    format!("This deletes {} with {}; {}.", one.name, out::count(would.teams, "team"), moved(&would));
                confirm::typed(&what, &one.name)?;
            }
            let done = services.directory.delete_organisation(OP, one.id, to, args.dry_run).await?;
            if args.list.json {
                return out::json(&done);
            }
            let would = if args.dry_run { "would be" } else { "is" };
            out::text(format!("{} {would} deleted, {}, teams deleted: {}", one.name, moved(&done), done.teams))
        }
        Act::Move(args) => {
            let services = args.list.database.open().await?;
            let one = find(&services, &args.name).await?;
            let to = target(&services, &args.to).await?;
            let which = WhichPeople::Filter(UserFilter { org: Some(one.id.to_string()), ..UserFilter::default() });
            if !args.dry_run && confirm::asks(args.yes) {
                let would = services.accounts.move_people(OP, which.clone(), to, true).await?;
                confirm::typed(&format!("This cannot be undone: {}.", moved(&would)), "move")?;
            }
            let done = services.accounts.move_people(OP, which, to, args.dry_run).await?;
            if args.list.json {
                return out::json(&done);
            }
            out::text(format!("{}{}", if args.dry_run { "would be: " } else { "" }, moved(&done)))
        }
    }
}

/// What becomes, or became, of people.
pub(super) fn moved(m: &Moved) -> String {
    format!("people moved: {}, sessions ended: {}", m.people, m.sessions_ended)
}

async fn all(services: &Services, q: Option<&str>) -> Result<Vec<OrganisationView>, Failure> {
    let (mut all, mut cursor) = (vec![], None::<String>);
    loop {
        let page = services.directory.organisations(OP, q, PAGE, cursor.as_deref()).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// The organisation of this name, whatever the case.
pub(super) async fn find(services: &Services, name: &str) -> Result<OrganisationView, Failure> {
    let lower = name.trim().to_lowercase();
    let found = all(services, Some(name)).await?.into_iter().find(|o| o.name.to_lowercase() == lower);
    found.ok_or_else(|| Failure::failed(format!("there is no organisation \"{name}\"; `rollcall org list` shows all")))
}

/// Where people go; nothing for none.
pub(super) async fn target(services: &Services, name: &str) -> Result<Option<domain::OrganisationId>, Failure> {
    if name == "none" { Ok(None) } else { Ok(Some(find(services, name).await?.id)) }
}
