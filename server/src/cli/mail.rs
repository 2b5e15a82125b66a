//! `rollcall mail`: the outbox.

use clap::{Args, Subcommand};
use domain::{
    Actor, ApiError, ErrorCode, Time,
    mail::{MailState, MailView},
};
use serde_json::json;
use services::Services;
use uuid::Uuid;

use super::{confirm, database::DatabaseArgs, failure::Failure, out, table::table};

/// List the mails on their way out, try them again, and drop them
#[derive(Debug, Args)]
pub(super) struct MailArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List mails, newest first; never what they say
    List(ListArgs),
    /// Try mails that are not sent as soon as can be; a running server does so within seconds
    Retry(RetryArgs),
    /// Take mails that are not sent out of the outbox, for good
    Drop(DropArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those that are waiting, given_up or sent
    #[arg(long, value_parser = state)]
    state: Option<MailState>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
struct RetryArgs {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
struct DropArgs {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// One mail, by the id that `mail list` shows
    #[arg(long)]
    id: Option<Uuid>,
    /// All that are not sent
    #[arg(long)]
    all: bool,
}

fn state(text: &str) -> Result<MailState, String> {
    MailState::parse(text).ok_or_else(|| "use waiting, given_up or sent".to_owned())
}

/// Fetched at a time; the list itself has no limit.
const PAGE: u32 = 200;
const OP: &Actor = &Actor::Operator;

pub(super) async fn run(args: MailArgs) -> Result<(), Failure> {
    match args.act {
        Act::List(args) => list(args).await,
        Act::Retry(args) => retry(args).await,
        Act::Drop(args) => drop(args).await,
    }
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let (mut mails, mut cursor) = (vec![], None::<String>);
    loop {
        let page = services.mail.list(OP, args.state, PAGE, cursor.as_deref()).await?;
        mails.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if args.json {
        return out::json(&mails);
    }
    let head = ["ID", "TO", "SUBJECT", "STATE", "WRITTEN (UTC)", "TRIES", "NEXT TRY (UTC)", "WENT WRONG"];
    out::text(table(head, mails.into_iter().map(row)))
}

fn row(m: MailView) -> [String; 8] {
    let at = |t: Option<Time>| t.map(Time::exact).unwrap_or_default();
    [
        m.id.to_string(),
        m.to,
        m.subject,
        m.state.as_str().to_owned(),
        m.created_at.exact(),
        m.tries.to_string(),
        at(m.next_try_at),
        m.last_error.unwrap_or_default(),
    ]
}

async fn retry(args: RetryArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    let mails = services.mail.retry(OP, args.which.id).await.map_err(unknown)?;
    if args.json {
        return out::json(&json!({ "retried": mails }));
    }
    out::text(format!("{} will be tried again now", out::count(mails, "mail")))
}

async fn drop(args: DropArgs) -> Result<(), Failure> {
    let services = args.database.open().await?;
    if confirm::asks(args.yes) {
        let mails = match args.which.id {
            Some(_) => 1,
            None => not_sent(&services).await?,
        };
        let what = format!("This drops {} for good: nobody will get what it says.", out::count(mails, "mail"));
        confirm::typed(&what, "drop")?;
    }
    let dropped = match args.which.id {
        Some(id) => services.mail.drop(OP, id).await.map(|_| 1).map_err(unknown)?,
        None => services.mail.drop_all(OP).await?,
    };
    if args.json {
        return out::json(&json!({ "dropped": dropped }));
    }
    out::text(format!("dropped {}", out::count(dropped, "mail")))
}

async fn not_sent(services: &Services) -> Result<u64, Failure> {
    let mut mails = 0;
    for state in [MailState::Waiting, MailState::GivenUp] {
        mails += services.mail.list(OP, Some(state), 1, None).await?.total.unwrap_or_default();
    }
    Ok(mails)
}

fn unknown(error: ApiError) -> Failure {
    match error.code {
        ErrorCode::NotFound => Failure::failed(
            "there is no such mail, or it is sent or cannot be read any more; `rollcall mail list` shows all",
        ),
        _ => error.into(),
    }
}
