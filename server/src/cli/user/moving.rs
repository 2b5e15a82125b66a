//! `rollcall user move`.

use clap::Args;
use services::WhichPeople;

use super::{OP, filter::FilterArgs, of};
use crate::cli::{confirm, database::DatabaseArgs, failure::Failure, org, out};

/// Move people to another organisation, or out of any; they leave their teams and are signed out
#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// Who
    #[arg(value_name = "USERNAME", conflicts_with = "filter")]
    who: Vec<String>,
    /// Where they go: an organisation's name, or none
    #[arg(long, value_name = "NAME")]
    to: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// Everybody
    #[arg(long, conflicts_with_all = ["filter", "who"])]
    all: bool,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: MoveArgs) -> Result<(), Failure> {
    if args.who.is_empty() && !args.all && args.filter.is_empty() {
        let said = "say who: usernames, a filter such as --org, or --all; see `rollcall user move --help`";
        return Err(Failure::usage(said));
    }
    let services = args.database.open().await?;
    let to = org::target(&services, &args.to).await?;
    let which = if args.who.is_empty() {
        WhichPeople::Filter(args.filter.read(&services.clock))
    } else {
        let mut ids = vec![];
        for who in &args.who {
            ids.push(services.accounts.one(OP, who.as_str()).await.map_err(|e| of(who, e))?.user.id);
        }
        WhichPeople::Ids(ids)
    };
    if !args.dry_run && confirm::asks(args.yes) {
        let would = services.accounts.move_people(OP, which.clone(), to, true).await?;
        confirm::typed(&format!("This cannot be undone: {}.", org::moved(&would)), "move")?;
    }
    let moved = services.accounts.move_people(OP, which, to, args.dry_run).await?;
    if args.json {
        return out::json(&moved);
    }
    out::text(format!("{}{}", if args.dry_run { "would be: " } else { "" }, org::moved(&moved)))
}
