//! Every route and every layer, in order: a table of contents.

use std::{ops::Deref, sync::Arc, time::Duration};

use app::request::{CookieMaker, Links};
use axum::{Router, extract::FromRef, middleware, routing::get};
use domain::ApiError;
use http::StatusCode;
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use services::Services;
use tokio_util::task::TaskTracker;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
    csrf::CsrfLayer,
    timeout::TimeoutLayer,
};

use crate::{
    api, assets,
    http::{
        actor, client, database::Database, extract::HttpError, headers, limit, refusals, request_id, second_factor,
        trace,
    },
    live, pages,
};

/// From the end of a request's head to its answer, slow bodies included.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// What every handler may ask for. Every layer clones it for every request, so a clone is a single count.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// What the state holds.
pub struct Parts {
    pub services: Services,
    pub leptos: LeptosOptions,
    pub site: Site,
}

impl AppState {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// How this server is reached.
pub struct Site {
    pub cookies: CookieMaker,
    pub links: Links,
    pub https: bool,
    /// Origins that are ours, byte for byte.
    pub origins: Vec<String>,
    /// The same as sources of a socket, for the content security policy.
    pub socket_sources: String,
    pub trusted_proxies: Vec<IpNet>,
    /// Open sockets; a stop waits for them.
    pub sockets: TaskTracker,
    pub database: Database,
}

/// The whole server.
pub fn router(state: &AppState) -> Router {
    let plain = Router::new().merge(api::router()).merge(pages::router(state)).layer(compression());
    let with_session = Router::new()
        .merge(plain)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_MAX))
        // So have files, which are not compressed: a part of one is counted in its own bytes.
        .merge(api::stream_router())
        .route(
            "/rpc/upload",
            axum::routing::post(crate::pages::upload).layer(axum::extract::DefaultBodyLimit::disable()),
        )
        // The socket has time-outs of its own, and its frames are not compressed.
        .route("/socket/websocket", get(live::upgrade))
        .route("/realtime/v1/websocket", get(live::upgrade))
        .layer(middleware::from_fn_with_state(state.clone(), second_factor::layer))
        .layer(middleware::from_fn_with_state(state.clone(), refusals::layer))
        .layer(middleware::from_fn_with_state(state.clone(), actor::layer));
    Router::new()
        .merge(with_session)
        .route("/pkg/{*path}", get(assets::serve))
        .route("/favicon.ico", get(assets::icon))
        .route("/health/live", get(|| async { StatusCode::OK }))
        .route("/health/{*rest}", get(|| async { StatusCode::NOT_FOUND }))
        .route("/metrics", get(|| async { StatusCode::NOT_FOUND }))
        // Read upwards: the last one is the outermost.
        .layer(middleware::from_fn_with_state(state.clone(), limit::layer))
        .layer(csrf(&state.site))
        // Within the headers, which its answer needs like any other.
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(state.clone(), headers::layer))
        .layer(middleware::from_fn_with_state(state.clone(), client::layer))
        .layer(middleware::from_fn_with_state(state.clone(), trace::layer))
        .layer(middleware::from_fn_with_state(state.clone(), request_id::layer))
        .with_state(state.clone())
}

fn compression() -> CompressionLayer<impl Predicate + use<>> {
    CompressionLayer::new().br(true).gzip(true).compress_when(SizeAbove::new(1024).and(NotForContentType::IMAGES))
}

/// One rule for every request that changes something (ASVS 3.5.1): from our own pages, or from no browser.
fn csrf(
    site: &Site,
) -> CsrfLayer<impl Fn(tower_http::csrf::ProtectionError) -> axum::response::Response + Clone + use<>> {
    let mut layer = CsrfLayer::new();
    for origin in &site.origins {
        match layer.clone().add_trusted_origin(origin) {
            Ok(more) => layer = more,
            Err(error) => tracing::warn!(%origin, %error, "this origin cannot be trusted"),
        }
    }
    layer.with_rejection_response(|_| {
        use axum::response::IntoResponse;
        let message = "This request comes from another site and was refused.";
        HttpError(ApiError::new(domain::ErrorCode::CrossSite, message)).into_response()
    })
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    use axum::response::IntoResponse;
    HttpError(ApiError::internal()).into_response()
}
