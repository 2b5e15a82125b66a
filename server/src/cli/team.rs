//! `rollcall team`: teams, each of one organisation.

use clap::{Args, Subcommand};
use domain::{
    Actor, OrganisationId,
    people::{MoveTo, TeamView},
};
use services::Services;

use super::{confirm, database::DatabaseArgs, failure::Failure, org, out, table::table};

/// List, add, rename and delete teams
#[derive(Debug, Args)]
pub(super) struct TeamArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List teams with the numbers of their people
    List(ListArgs),
    /// Add a team
    Add(OneArgs),
    /// Rename a team
    Rename(RenameArgs),
    /// Delete a team
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Of one organisation
    #[arg(long)]
    org: Option<String>,
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
    /// Its organisation
    #[arg(long)]
    org: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
struct RenameArgs {
    #[command(flatten)]
    one: OneArgs,
    /// What it shall be called
    #[arg(long, value_name = "NAME")]
    to: String,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Where its people go: another team of the organisation, or none
    #[arg(long, value_name = "TEAM")]
    move_to: Option<String>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;
const OP: &Actor = &Actor::Operator;

pub(super) async fn run(args: TeamArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => {
            let services = args.database.open().await?;
            let of = match &args.org {
                Some(name) => Some(org::find(&services, name).await?.id),
                None => None,
            };
            let all = all(&services, of).await?;
            if args.json {
                return out::json(&all);
            }
            let rows = all.into_iter().map(|t| [t.name, t.organisation, t.people.to_string(), t.id.to_string()]);
            out::text(table(["NAME", "ORGANISATION", "PEOPLE", "ID"], rows))
        }
        Act::Add(args) => {
            let services = args.database.open().await?;
            let of = org::find(&services, &args.org).await?;
            let made = services.directory.add_team(OP, of.id, &args.name).await?;
            if args.json { out::json(&made) } else { out::text(format!("{} is added to {}", made.name, of.name)) }
        }
        Act::Rename(RenameArgs { one, to }) => {
            let services = one.database.open().await?;
            let of = org::find(&services, &one.org).await?.id;
            let team = find(&services, of, &one.name).await?;
            let renamed = services.directory.rename_team(OP, team.id, &to).await?;
            if one.json { out::json(&renamed) } else { out::text(format!("it is called {} now", renamed.name)) }
        }
        Act::Delete(DeleteArgs { one, move_to, dry_run, yes }) => {
            let services = one.database.open().await?;
            let of = org::find(&services, &one.org).await?.id;
            let team = find(&services, of, &one.name).await?;
            let to = match move_to.as_deref() {
                None => None,
                Some("none") => Some(MoveTo::Nowhere),
                Some(name) => Some(MoveTo::To(find(&services, of, name).await?.id)),
            };
            if !dry_run && confirm::asks(yes) {
                let would = services.directory.delete_team(OP, team.id, to, true).await?;
                let what =
                    format!("This deletes {}, and takes {} out of it.", team.name, out::count(would.people, "account"));
                confirm::typed(&what, &team.name)?;
            }
            let moved = services.directory.delete_team(OP, team.id, to, dry_run).await?;
            if one.json {
                return out::json(&moved);
            }
            let would = if dry_run { "would be" } else { "is" };
            out::text(format!("{} {would} deleted, people moved: {}", team.name, moved.people))
        }
    }
}

async fn all(services: &Services, of: Option<OrganisationId>) -> Result<Vec<TeamView>, Failure> {
    let (mut all, mut cursor) = (vec![], None::<String>);
    loop {
        let page = services.directory.teams(OP, of, PAGE, cursor.as_deref()).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

async fn find(services: &Services, of: OrganisationId, name: &str) -> Result<TeamView, Failure> {
    let lower = name.trim().to_lowercase();
    let found = all(services, Some(of)).await?.into_iter().find(|t| t.name.to_lowercase() == lower);
    found.ok_or_else(|| Failure::failed(format!("there is no team \"{name}\" in it; `rollcall team list` shows all")))
}
