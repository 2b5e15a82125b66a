//! `rollcall user edit`.

use clap::Args;
use domain::people::UserEdit;

use super::{OP, Who, of};
use crate::cli::{database::DatabaseArgs, failure::Failure, out};

/// Change an account; another role or organisation signs the person out
#[derive(Debug, Args)]
pub(super) struct EditArgs {
    #[command(flatten)]
    who: Who,
    /// What they sign in with from now on
    #[arg(long, value_name = "USERNAME")]
    new_username: Option<String>,
    /// How they are shown
    #[arg(long)]
    name: Option<String>,
    /// Where mail reaches them
    #[arg(long)]
    email: Option<String>,
    /// Forget where mail reached them
    #[arg(long, conflicts_with = "email")]
    no_email: bool,
    /// Another role
    #[arg(long)]
    role: Option<String>,
    /// Another organisation; created if it is not there
    #[arg(long)]
    org: Option<String>,
    /// No organisation
    #[arg(long, conflicts_with = "org")]
    no_org: bool,
    /// All teams they shall be in, created if they are not there; may be repeated
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<String>,
    /// No team
    #[arg(long, conflicts_with = "teams")]
    no_teams: bool,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: EditArgs) -> Result<(), Failure> {
    let who = args.who.username();
    let edit = UserEdit {
        username: args.new_username,
        name: args.name,
        email: args.email.map(Some).or(args.no_email.then_some(None)),
        role: args.role,
        organisation: args.org.map(Some).or(args.no_org.then_some(None)),
        teams: (!args.teams.is_empty() || args.no_teams).then_some(args.teams),
    };
    if edit == UserEdit::default() {
        return Err(Failure::usage("say what shall change; see `rollcall user edit --help`"));
    }
    let services = args.database.open().await?;
    let edited = services.accounts.edit(OP, who.as_str(), edit).await.map_err(|e| of(&who, e))?;
    if args.json {
        return out::json(&edited.user);
    }
    out::text(format!("{} is changed, sessions ended: {}", edited.user.user.username, edited.sessions_ended))
}
