//! `rollcall load`: test people, and the clients that act for them against a running server.
//!
//! - `prepare`: people with live sessions, and the file of their cookies, which `cookies` reads. `sessions`: years of
//!   sessions, live and over. `events`: a season of what people did, and writing more of it.
//! - `http`, `sockets`, `files`: the clients. `target`: the server they go to. `process`: what it costs.
//! - `micro`: single acts of the services, without a network. `refusals`: refused sign-ins among them.
//! - `bare`: a server to compare with, which does nothing. `summary`: many durations in a few numbers.
//!
//! Floors and goals are not here but in the bench, which runs these. To add a load: a file with its arguments, its
//! report and a `run`, and a line in `Act`.

mod bare;
mod cookies;
mod events;
mod files;
mod http;
mod micro;
mod prepare;
mod process;
mod refusals;
mod sessions;
mod sockets;
mod summary;
mod target;

use clap::{Args, Subcommand};
use tokio::{runtime, task::LocalSet};

use super::failure::Failure;

/// Prepare load tests, and run them against a server
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Prepare(prepare::PrepareArgs),
    Sessions(sessions::SessionsArgs),
    Events(events::EventsArgs),
    Ingest(events::IngestArgs),
    Http(http::HttpArgs),
    Files(files::FilesArgs),
    Sockets(sockets::SocketsArgs),
    Micro(micro::MicroArgs),
    Bare(bare::BareArgs),
}

pub(super) async fn run(args: LoadArgs) -> Result<(), Failure> {
    match args.act {
        Act::Prepare(args) => prepare::run(args).await,
        Act::Sessions(args) => sessions::run(args).await,
        Act::Events(args) => events::run(args).await,
        Act::Ingest(args) => events::ingest(args).await,
        Act::Http(args) => http::run(args).await,
        Act::Files(args) => files::run(args).await,
        Act::Sockets(args) => sockets::run(args).await,
        Act::Micro(args) => micro::run(args).await,
        Act::Bare(args) => bare::run(args).await,
    }
}

/// Runs a load on a thread of its own, which takes at most one processor from the server that it measures.
async fn on_one_thread<T, F>(load: impl FnOnce() -> F + Send + 'static) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let work = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, load())
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(Failure::failed(format!("the load broke off: {e}"))))
}
