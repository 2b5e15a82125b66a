//! Running: the listeners, the accept loop, and a stop that loses nothing.

use std::{io, net::SocketAddr, time::Duration};

use app::request::{CookieMaker, Links};
use axum::{Router, extract::ConnectInfo};
use futures_util::FutureExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use services::{Clock, Services};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{info, warn};

use crate::{
    assets,
    http::database::Database,
    ops,
    router::{AppState, Parts, Site, router},
    settings::ServeSettings,
};

/// A head must arrive within this time, on a new connection and between two requests of an old one.
const HEAD_MAX: Duration = Duration::from_secs(20);
/// Requests and sockets may take this long to finish after a stop; the promise is an exit within 10 s.
const STOP_MAX: Duration = Duration::from_secs(8);

/// In a herd, connections wait this long for company,
const STEP: Duration = Duration::from_millis(5);
/// which is where more than a browser opens come within a step,
const HERD: u32 = 8;
/// but fewer than could overflow the system's queue.
const CROWD: u32 = 128;

/// Bound listeners; tests bind port 0.
pub struct Listeners {
    pub main: TcpListener,
    pub ops: Option<TcpListener>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Open(#[from] services::OpenError),
    #[error("the listener failed: {0}")]
    Listener(#[from] io::Error),
}

/// Opens the services and serves until `stop`; `ready` is called once with them, before the first request is taken.
pub async fn serve(
    settings: ServeSettings,
    listeners: Listeners,
    clock: Clock,
    stop: CancellationToken,
    ready: impl AsyncFnOnce(&Services, SocketAddr),
) -> Result<(), ServeError> {
    let tasks = TaskTracker::new();
    let sockets = TaskTracker::new();
    let address = listeners.main.local_addr()?;
    // The services stop after the requests that use them.
    let services_stop = CancellationToken::new();
    let base = settings.base_url.as_ref().map_or_else(|| origin(address), |base| base.origin.clone());
    let config = settings.config(base, true);
    let services = Services::open(config, clock, services_stop.clone(), &tasks).await?;
    let state = AppState::new(Parts {
        site: site(&settings, address, sockets.clone()),
        services: services.clone(),
        leptos: assets::leptos_options(),
    });
    let app = router(&state);
    services.restore().await.map_err(services::OpenError::from)?;
    tasks.spawn(state.site.database.clone().watch(services.store.clone(), services_stop.clone()));
    let metrics = ops::install_metrics();
    if let Some(listener) = listeners.ops {
        tasks.spawn(ops::serve(listener, services.clone(), metrics, services_stop.clone()));
    }
    ready(&services, address).await;
    let requests = TaskTracker::new();
    accept(listeners.main, app, &requests, &stop).await;

    info!("stopping");
    requests.close();
    // First the hub, which closes every socket with 1012; then what is still being answered; then the last flush.
    services.presence.stop().await;
    sockets.close();
    let drained = async {
        requests.wait().await;
        sockets.wait().await;
    };
    if tokio::time::timeout(STOP_MAX, drained).await.is_err() {
        warn!(requests = requests.len(), sockets = sockets.len(), "some did not finish in time");
    }
    services.flush().await;
    services_stop.cancel();
    tasks.close();
    let _ = tokio::time::timeout(Duration::from_secs(1), tasks.wait()).await;
    info!("stopped");
    Ok(())
}

/// How a browser on this machine reaches the listener.
pub fn origin(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

/// Takes connections: at once, and in a herd those of a step together. What follows, from the first read to the look at
/// the session, is then done for several with one wake-up, and their first bytes are there already.
struct Door {
    listener: TcpListener,
    /// When the step began, and how many were taken in it.
    began: Instant,
    taken: u32,
    /// Whether the step before was one of a herd.
    herd: bool,
}

impl Door {
    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let waits = self.listener.accept().now_or_never();
        let accepted = if let Some(accepted) = waits {
            accepted
        } else {
            self.rest().await;
            self.listener.accept().await
        };
        if self.began.elapsed() >= STEP {
            self.herd = (HERD..CROWD).contains(&self.taken) && self.began.elapsed() < 2 * STEP;
            (self.began, self.taken) = (Instant::now(), 0);
        }
        self.taken += 1;
        accepted
    }

    /// Nobody waits just now: in a herd, the next are waited for.
    async fn rest(&self) {
        if self.herd || (HERD..CROWD).contains(&self.taken) {
            sleep_until(self.began + STEP).await;
        }
    }
}

async fn accept(listener: TcpListener, app: Router, requests: &TaskTracker, stop: &CancellationToken) {
    let mut door = Door { listener, began: Instant::now(), taken: 0, herd: false };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = door.next() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of files, most likely; some will be closed soon.
                warn!(%error, "cannot take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (app, stop) = (app.clone(), stop.clone());
        requests.spawn(async move {
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                app.clone().oneshot(request)
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX).max_buf_size(64 * 1024);
            let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
            let mut connection = std::pin::pin!(connection);
            // Errors here are the peer's: a broken head, a reset, a time-out.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
}

fn site(settings: &ServeSettings, address: SocketAddr, sockets: TaskTracker) -> Site {
    let https = settings.base_url.as_ref().is_some_and(|b| b.https);
    let origins = if let Some(base) = &settings.base_url {
        vec![base.origin.clone()]
    } else {
        let port = address.port();
        vec![format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"), format!("http://[::1]:{port}")]
    };
    Site {
        cookies: CookieMaker::new(https),
        links: Links::new(&origins),
        https,
        socket_sources: socket_sources(&origins),
        origins,
        trusted_proxies: settings.trusted_proxies.clone(),
        sockets,
        database: Database::default(),
    }
}

/// Older browsers do not take `'self'` for sockets. An IPv6 literal is no valid source; there `'self'` has to do.
fn socket_sources(origins: &[String]) -> String {
    let named = origins.iter().filter(|o| !o.contains('['));
    named.map(|o| o.replacen("http", "ws", 1)).collect::<Vec<_>>().join(" ")
}
