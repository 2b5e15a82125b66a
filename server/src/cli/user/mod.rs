//! `rollcall user`: accounts, for whoever has a shell on the machine.
//!
//! `add`, `import`: making accounts. `list`, `filter`, `show`: finding people. `edit`, `moving`: changing them. `link`:
//! invitations and forgotten passwords. `delete`: deleting and erasing.

mod add;
mod delete;
mod edit;
mod filter;
mod import;
mod link;
mod list;
mod moving;
mod show;

use clap::{Args, Subcommand};
use domain::Actor;

pub(super) use self::delete::{DeleteArgs, erase};
use super::{database::DatabaseArgs, failure::Failure, out};

/// Add, import, invite, list, edit, move, disable, enable and delete accounts, and make links to reset a password
#[derive(Debug, Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Add(Box<add::AddArgs>),
    Import(import::ImportArgs),
    List(Box<list::ListArgs>),
    Show(show::ShowArgs),
    Edit(Box<edit::EditArgs>),
    Move(Box<moving::MoveArgs>),
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
    ResetLink(link::ResetArgs),
    /// Turn off the second factor of somebody who lost it
    SecondFactorOff(OneArgs),
}

#[derive(Debug, Args)]
struct OneArgs {
    #[command(flatten)]
    who: Who,
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

const OP: &Actor = &Actor::Operator;

pub(super) async fn run(args: UserArgs) -> Result<(), Failure> {
    match args.act {
        Act::Add(args) => add::run(*args).await,
        Act::Import(args) => import::run(args).await,
        Act::List(args) => list::run(*args).await,
        Act::Show(args) => show::run(args).await,
        Act::Edit(args) => edit::run(*args).await,
        Act::Move(args) => moving::run(*args).await,
        Act::Invite(args) => link::invite(args).await,
        Act::Disable(args) => {
            let (services, who) = (args.database.open().await?, args.who.username());
            services.accounts.disable(OP, who.as_str()).await.map_err(|e| of(&who, e))?;
            out::text(format!("{who} is disabled and signed out everywhere"))
        }
        Act::Enable(args) => {
            let (services, who) = (args.database.open().await?, args.who.username());
            services.accounts.enable(OP, who.as_str()).await.map_err(|e| of(&who, e))?;
            out::text(format!("{who} may sign in again"))
        }
        Act::Delete(args) => delete::run(args).await,
        Act::Erase(args) => erase(args).await,
        Act::ResetLink(args) => link::reset(args).await,
        Act::SecondFactorOff(args) => {
            let (services, who) = (args.database.open().await?, args.who.username());
            services.second_factor.reset_of(OP, &who).await.map_err(|e| of(&who, e))?;
            out::text(format!("{who} signs in by password alone again"))
        }
    }
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
