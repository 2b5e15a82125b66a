//! `rollcall load prepare`: people for load tests.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use app::request::CookieMaker;
use clap::Args;
use domain::Actor;
use tempfile::NamedTempFile;

use crate::cli::{
    database::{self, DatabaseArgs},
    failure::Failure,
    out,
};

/// Put test people with live sessions into the database, and write their cookies to a file
///
/// The people are load-00001 and so on; each line of the file is the username, a tab, and the value of
/// the Cookie header, so that any load tool can be used.
#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// Where to write the cookies; readable by its owner alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What they are; those who may watch everybody can watch each other
    #[arg(long, default_value = "member", value_name = "ROLE")]
    role: String,
    /// Also into a database that holds other people
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: PrepareArgs) -> Result<(), Failure> {
    let settings = args.database.settings()?;
    let services = database::open(&settings).await?;
    // Written beside the file and moved over it: nobody but its owner can ever read it, and a refusal leaves nothing.
    let refused = |e: io::Error| Failure::failed(format!("{} cannot be written: {e}", args.out.display()));
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = BufWriter::new(NamedTempFile::new_in(folder).map_err(refused)?);
    let cookie = CookieMaker::new(settings.https());
    let made = services.sessions.bulk_load(&Actor::Operator, args.people, &args.role, args.yes).await?;
    for (username, token) in made {
        writeln!(file, "{username}\t{}={}", cookie.name(), token.expose()).map_err(refused)?;
    }
    let file = file.into_inner().map_err(|e| refused(e.into_error()))?;
    file.persist(&args.out).map_err(|e| refused(e.error))?;
    out::text(format!("{} people with live sessions are in {}", args.people, args.out.display()))
}
