//! `rollcall user`: accounts, for whoever has a shell on the machine.

mod edit;
mod list;

use std::io::{self, IsTerminal, Write};

use clap::{Args, Subcommand};
use domain::{Actor, people::UserSort, time::Millis};
use services::{Invitation, NewUser, Token};

use super::{
    database::{self, DatabaseArgs},
    failure::Failure,
    out, password,
};
use crate::settings::{ServeSettings, duration};

/// Add, invite, list, edit, disable, enable and delete accounts, and make links to reset a password
#[derive(Debug, Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Add(Box<AddArgs>),
    List(Box<ListArgs>),
    Edit(Box<edit::EditArgs>),
    /// Make a link with which a person without a password chooses one; good once, for a week
    Invite(OneArgs),
    /// Sign a person out everywhere and let them in no more
    Disable(OneArgs),
    /// Let a disabled person in again
    Enable(OneArgs),
    /// Delete a person with their sessions, for good
    Delete(DeleteArgs),
    /// Delete a person with their sessions and all that the audit log says of them, for good
    Erase(DeleteArgs),
    /// Make a link with which a person chooses a new password; good once, for an hour
    ResetLink(OneArgs),
    /// Turn off the second factor of somebody who lost it
    SecondFactorOff(OneArgs),
}

/// Add a person
#[derive(Debug, Args)]
struct AddArgs {
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

/// List accounts
#[derive(Debug, Args)]
struct ListArgs {
    /// Part of a name, a username or an e-mail address
    #[arg(long, short)]
    q: Option<String>,
    /// Of one role
    #[arg(long)]
    role: Option<String>,
    /// Of one organisation, by name or id
    #[arg(long)]
    org: Option<String>,
    /// Of one team, by name or id
    #[arg(long)]
    team: Option<String>,
    /// Only those who are disabled
    #[arg(long)]
    disabled: bool,
    /// Only those who are not
    #[arg(long, conflicts_with = "disabled")]
    enabled: bool,
    /// Only those who signed in within this time
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    signed_in_within: Option<Millis>,
    /// Only those who did not, or never
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    not_signed_in_for: Option<Millis>,
    /// name, username, created, sign_in or dormant
    #[arg(long, default_value = "username", value_parser = sort)]
    sort: UserSort,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

fn sort(text: &str) -> Result<UserSort, String> {
    UserSort::parse(text).ok_or_else(|| "use name, username, created, sign_in or dormant".to_owned())
}

#[derive(Debug, Args)]
struct OneArgs {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    who: Who,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// A person, by position or by flag.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// Whose account
    #[arg(value_name = "USERNAME")]
    who: Option<String>,
    /// The same as a flag
    #[arg(long)]
    username: Option<String>,
}

impl Who {
    fn username(self) -> String {
        self.who.or(self.username).unwrap_or_default()
    }
}

pub(super) async fn run(args: UserArgs) -> Result<(), Failure> {
    match args.act {
        Act::Add(args) => add(*args).await,
        Act::List(args) => list::run(*args).await,
        Act::Edit(args) => edit::run(*args).await,
        Act::Invite(args) => link(args, true).await,
        Act::Disable(args) => {
            let (services, who) = (args.database.open().await?, args.who.username());
            services.accounts.disable(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
            out::text(format!("{who} is disabled and signed out everywhere"))
        }
        Act::Enable(args) => {
            let (services, who) = (args.database.open().await?, args.who.username());
            services.accounts.enable(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
            out::text(format!("{who} may sign in again"))
        }
        Act::Delete(args) => delete(args).await,
        Act::Erase(args) => erase(args).await,
        Act::ResetLink(args) => link(args, false).await,
        Act::SecondFactorOff(args) => {
            let (services, who) = (args.database.open().await?, args.who.username());
            services.second_factor.reset_of(&Actor::Operator, &who).await.map_err(|e| of(&who, e))?;
            out::text(format!("{who} signs in by password alone again"))
        }
    }
}

async fn add(args: AddArgs) -> Result<(), Failure> {
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
    let user = services.accounts.add(&Actor::Operator, new).await?;
    if args.json {
        return out::json(&user);
    }
    if args.invite {
        let invitation = services.accounts.invite(&Actor::Operator, user.id).await?;
        return out::text(invited(&settings, &invitation));
    }
    let of = user.organisation.as_ref().map(|o| format!(" of {o}")).unwrap_or_default();
    out::text(format!("added {} as {}{of}", user.username, user.role))
}

async fn delete(args: DeleteArgs) -> Result<(), Failure> {
    let (services, who) = (args.database.open().await?, args.who.username());
    if !args.yes && io::stdin().is_terminal() {
        eprint!("Delete {who} with all their sessions, for good? Type the username: ");
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if answer.trim() != who {
            return Err(Failure::failed("nothing was deleted"));
        }
    }
    services.accounts.delete(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
    out::text(format!("{who} is deleted"))
}

/// Says what would go, asks, and does it.
pub(super) async fn erase(args: DeleteArgs) -> Result<(), Failure> {
    let (services, who) = (args.database.open().await?, args.who.username());
    let goes = services.accounts.erases(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
    let rows: u64 = goes.rows.values().sum();
    let entries = goes.audit_entries.unwrap_or_default();
    if !args.yes && io::stdin().is_terminal() {
        eprint!(
            "Erase {who}, {rows} records and what {entries} entries of the audit log say, for good? Type the username: "
        );
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if answer.trim() != who {
            return Err(Failure::failed("nothing was erased"));
        }
    }
    services.accounts.erase(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
    out::text(format!("{who} is erased, with {rows} records and what {entries} entries of the audit log said"))
}

async fn link(args: OneArgs, first: bool) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let (services, who) = (database::open(&settings).await?, args.who.username());
    let accounts = &services.accounts;
    if first {
        let invitation = accounts.invite(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
        return out::text(invited(&settings, &invitation));
    }
    let token = accounts.reset_link(&Actor::Operator, who.as_str()).await.map_err(|e| of(&who, e))?;
    out::text(address(&settings, &token))
}

/// Where the invitation went, or the link to hand over.
fn invited(settings: &ServeSettings, invitation: &Invitation) -> String {
    match invitation {
        Invitation::Mailed(to) => format!("the invitation goes to {to}"),
        Invitation::Link(token) => address(settings, token),
    }
}

/// Where the holder of a link goes with its token.
fn address(settings: &ServeSettings, token: &Token) -> String {
    format!("{}/reset?token={}", settings.origin(), token.expose())
}

/// What is not found here is a username, which the operator may be told.
pub(super) fn of(who: &str, error: domain::ApiError) -> Failure {
    match error.code {
        domain::ErrorCode::NotFound => {
            Failure::failed(format!("there is no account \"{who}\"; `rollcall user list` shows all"))
        }
        _ => error.into(),
    }
}
