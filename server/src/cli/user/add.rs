//! `rollcall user add`.

use clap::Args;
use services::NewUser;

use super::{OP, link};
use crate::cli::{
    database::{self, DatabaseArgs},
    failure::Failure,
    out, password,
};

/// Add a person
#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// What they sign in with
    #[arg(long)]
    username: String,
    /// How they are shown [default: the username]
    #[arg(long)]
    name: Option<String>,
    /// Where mail reaches them
    #[arg(long)]
    email: Option<String>,
    /// admin, manager, teacher, student, member or a role of your own
    #[arg(long, default_value = "member")]
    role: String,
    /// Their organisation; created if it is not there
    #[arg(long)]
    org: Option<String>,
    /// A team of the organisation, created if it is not there; may be repeated
    #[arg(long = "team", value_name = "TEAM", requires = "org")]
    teams: Vec<String>,
    /// Read the password from standard input, one line, instead of asking
    #[arg(long)]
    password_stdin: bool,
    /// Ask for no password, and print a link with which they choose it; good once, for a week
    #[arg(long, conflicts_with_all = ["password_stdin", "json"])]
    invite: bool,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: AddArgs) -> Result<(), Failure> {
    let password = (!args.invite).then(|| password::read(&args.username, args.password_stdin)).transpose()?;
    let settings = args.database.settings()?;
    let services = database::open(&settings).await?;
    let new = NewUser {
        password,
        username: args.username,
        name: args.name,
        email: args.email,
        role: Some(args.role),
        organisation: args.org,
        teams: args.teams,
    };
    let user = services.accounts.add(OP, new).await?;
    if args.json {
        return out::json(&user);
    }
    if args.invite {
        let invitation = services.accounts.invite(OP, user.id).await?;
        return out::text(link::invited(&settings, &invitation));
    }
    let of = user.organisation.as_ref().map(|o| format!(" of {o}")).unwrap_or_default();
    out::text(format!("added {} as {}{of}", user.username, user.role))
}
