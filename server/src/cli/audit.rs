//! `rollcall audit`: verifying and exporting the audit log.

use clap::{Args, Subcommand};
use domain::Actor;
use services::{AuditFilter, Verified};

use super::{database::DatabaseArgs, failure::Failure, out};
use crate::audit_file::Format;

/// Verify and export the audit log
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Verify(VerifyArgs),
    Export(ExportArgs),
}

/// Walk along the whole chain and name the first entry that is not as it was written
#[derive(Debug, Args)]
struct VerifyArgs {
    /// A last hash that was kept elsewhere: without it, entries cut off the end cannot be missed
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Print all entries, oldest first
#[derive(Debug, Args)]
struct ExportArgs {
    /// Print JSON, an entry a line [default]
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: AuditArgs) -> Result<(), Failure> {
    match args.act {
        Act::Verify(args) => verify(args).await,
        Act::Export(args) => export(args).await,
    }
}

async fn verify(args: VerifyArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let verified = services.audit.verify(&Actor::Operator, args.head.as_deref()).await?;
    if args.json {
        out::json(&verified)?;
        return if verified.fault.is_none() { Ok(()) } else { Err(Failure::Told) };
    }
    match &verified.fault {
        Some(fault) => Err(Failure::failed(&fault.says)),
        None => out::text(sentence(&verified)),
    }
}

fn sentence(v: &Verified) -> String {
    let entries = if v.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", v.entries) };
    let since = v.since.map(|at| format!(", unbroken since {} UTC", at.exact())).unwrap_or_default();
    format!("{entries}{since}; last hash {}", v.head)
}

async fn export(args: ExportArgs) -> Result<(), Failure> {
    let format = if args.csv { Format::Csv } else { Format::Json };
    let services = args.database.open().await?;
    let (all, mut seq) = (AuditFilter::default(), 0);
    services.audit.begin_export(&Actor::Operator, &all, format.as_str()).await?;
    out::part(&format.head())?;
    loop {
        let rows = services.audit.export_after(&Actor::Operator, &all, seq).await?;
        let Some(last) = rows.last() else { break };
        out::part(&format.rows(&rows, seq == 0))?;
        seq = last.seq;
    }
    out::part(format.tail())
}
