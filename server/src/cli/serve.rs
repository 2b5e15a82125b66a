//! `rollcall serve`: from the settings to a running server, and its stop by signal.

use std::{ffi::OsString, io, net::SocketAddr};

use services::{Clock, Services};
use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{failure::Failure, out};
use crate::{
    log,
    serve::{Listeners, origin, serve},
    settings::{self, ServeSettings},
};

/// Runs the server with the flags that follow `rollcall serve`.
pub(super) async fn run(flags: Vec<OsString>) -> Result<(), Failure> {
    let settings = settings::read(flags)?.settings()?;
    settings.check_listener()?;
    log::start(&settings.log, settings.log_format);
    warn_of(&settings);
    let listeners = listen(&settings)?;
    if let Some(ops) = &listeners.ops {
        info!(address = %ops.local_addr()?, "health and metrics");
    }
    let base = settings.base_url.clone();
    let announce = async move |services: &Services, address: SocketAddr| {
        let origin = base.map_or_else(|| origin(address), |base| base.origin);
        match services.accounts.setup_token().await {
            Ok(Some(token)) => say(&format!("create the first admin at {origin}/setup?token={}", token.expose())),
            Ok(None) => {}
            Err(problem) => error!(%problem, "the link for the first admin could not be made"),
        }
        say(&format!("listening on http://{address}"));
    };
    run_until(settings, listeners, stop_by_signal()?, announce).await
}

/// Creates the data directory, and serves until `stop`.
pub(super) async fn run_until(
    settings: ServeSettings,
    listeners: Listeners,
    stop: CancellationToken,
    ready: impl AsyncFnOnce(&Services, SocketAddr),
) -> Result<(), Failure> {
    settings::prepare_data_dir(&settings.data_dir).map_err(|e| {
        Failure::failed(format!("the data directory {} cannot be created: {e}", settings.data_dir.display()))
    })?;
    let served = serve(settings, listeners, Clock::System, stop, ready).await;
    served.map_err(|e| Failure::failed(format!("{e}; `rollcall doctor` looks for the cause")))
}

/// Standard output may be closed without harm to the server.
fn say(line: &str) {
    if out::text(line).is_err() {
        info!("standard output is closed");
    }
}

fn warn_of(settings: &ServeSettings) {
    if !settings.services.login_throttle {
        warn!("passwords can be guessed without limit: --login-throttle off is for measurements only");
    }
    if settings.insecure_http && !settings.listen.ip().is_loopback() {
        warn!("passwords and cookies can be read on the way: --insecure-http is for trusted networks only");
    }
    if settings::shared_bits(&settings.data_dir).is_ok_and(|bits| bits != 0) {
        warn!(dir = %settings.data_dir.display(), "others on this machine may look into the data directory: chmod 700 it");
    }
}

/// Both listeners, bound.
pub(super) fn listen(settings: &ServeSettings) -> Result<Listeners, Failure> {
    let bound = |address, flag| bind(address).map_err(|e| refused(address, flag, &e));
    Ok(Listeners {
        main: bound(settings.listen, "--listen")?,
        ops: settings.ops_listen.map(|address| bound(address, "--ops-listen")).transpose()?,
    })
}

/// Everybody comes back at once after a restart; the system caps this at its own limit.
const BACKLOG: u32 = 4_096;

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restarted server must not wait for the connections of the one before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn refused(address: SocketAddr, flag: &str, error: &io::Error) -> Failure {
    Failure::failed(match error.kind() {
        io::ErrorKind::AddrInUse => format!("{address} is in use: stop what listens there, or choose another {flag}"),
        io::ErrorKind::PermissionDenied => format!("{address} is not ours to listen on: choose a {flag} above 1023"),
        _ => format!("{address} cannot be listened on: {error}; choose another {flag}"),
    })
}

/// Cancelled by the first SIGTERM or SIGINT.
pub(super) fn stop_by_signal() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        told.cancel();
    });
    Ok(stop)
}
