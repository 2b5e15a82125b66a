//! The command line: one file a command.
//!
//! - `out`, `table`, `failure`, `confirm`, `password`: what commands print, and how they ask and fail.
//! - `database`: opening the services beside a server that may be running. `fetch`: requests to our own server.
//!
//! Commands act as the operator, whoever has a shell on the machine, and go through the services like everything
//! else. To add one: a file with its arguments and a `run`, and a line in `Act`.

mod audit;
mod confirm;
mod database;
mod demo;
mod doctor;
mod failure;
mod fetch;
mod keys;
mod load;
mod mail;
mod migrate;
mod org;
mod out;
mod password;
mod role;
mod serve;
mod sessions;
mod settings;
mod table;
mod team;
mod user;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

use self::failure::Failure;
use crate::settings::{ServeArgs, UsageError};

/// Who is here, since when, doing what, how sure we are, and why
#[derive(Debug, Parser)]
#[command(name = "rollcall", bin_name = "rollcall", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Serve(Box<ServeArgs>),
    Demo(demo::DemoArgs),
    Migrate(migrate::MigrateArgs),
    User(user::UserArgs),
    /// Delete a person with all that the audit log says of them: `user erase` by another name
    EraseUser(user::DeleteArgs),
    Org(org::OrgArgs),
    Team(team::TeamArgs),
    Role(role::RoleArgs),
    Sessions(sessions::SessionsArgs),
    Mail(mail::MailArgs),
    Audit(audit::AuditArgs),
    Keys(keys::KeysArgs),
    Settings(settings::SettingsArgs),
    Doctor(doctor::DoctorArgs),
    Load(load::LoadArgs),
}

/// Runs the program as called with `args`, the first being its own name.
pub fn run(args: Vec<OsString>) -> ExitCode {
    let outcome = match Cli::try_parse_from(&args) {
        Ok(cli) => dispatch(cli, args),
        // Help and the version are answers, not errors.
        Err(e) if !e.use_stderr() => out::text(e.to_string().trim_end()),
        Err(e) => Err(wrong_usage(e, &args)),
    };
    match outcome {
        Ok(()) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(sentence) = failure.sentence() {
                eprintln!("rollcall: {sentence}");
            }
            failure.code()
        }
    }
}

fn dispatch(cli: Cli, args: Vec<OsString>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::failed(format!("the program could not start its threads: {e}")))?;
    runtime.block_on(async {
        match cli.act {
            // Read anew with the file, which only the settings know.
            Act::Serve(_) => serve::run(args.into_iter().skip(2).collect()).await,
            Act::Demo(args) => demo::run(args).await,
            Act::Migrate(args) => migrate::run(args).await,
            Act::User(args) => user::run(args).await,
            Act::EraseUser(args) => user::erase(args).await,
            Act::Org(args) => org::run(args).await,
            Act::Team(args) => team::run(args).await,
            Act::Role(args) => role::run(args).await,
            Act::Sessions(args) => sessions::run(args).await,
            Act::Mail(args) => mail::run(args).await,
            Act::Audit(args) => audit::run(args).await,
            Act::Keys(args) => keys::run(args).await,
            Act::Settings(args) => settings::run(args).await,
            Act::Doctor(args) => doctor::run(args).await,
            Act::Load(args) => load::run(args).await,
        }
    })
}

fn wrong_usage(error: clap::Error, args: &[OsString]) -> Failure {
    let cli = Cli::command();
    let (mut command, mut help) = (&cli, "rollcall".to_owned());
    for word in args.iter().skip(1) {
        let Some(named) = command.find_subcommand(word) else { break };
        command = named;
        help = format!("{help} {}", named.get_name());
    }
    let said = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "this says too little".to_owned(),
        _ => UsageError::from(error).to_string(),
    };
    Failure::usage(format!("{}; see `{help} --help`", said.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }
}
