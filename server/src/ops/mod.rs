//! Health and metrics, on a listener of their own, which is not for the public (ASVS 13.4.5).
//!
//! `metrics`: every metric with its description. Values are counted where things happen, through the `metrics`
//! macros; gauges that would cost something to keep are set by `Services::measure` when they are read. To add one: a
//! line in `metrics::describe` and the macro at the place.

mod metrics;

use std::{io, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use services::Services;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::metrics::install_metrics;

/// How long values may take that are asked for when metrics are read.
const MEASURE_MAX: Duration = Duration::from_secs(1);

/// Serves until `stop`, which comes after the last request of the main listener, so that readiness can be seen to end.
pub async fn serve(
    listener: TcpListener,
    services: Services,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, router(services, metrics)).with_graceful_shutdown(stop.cancelled_owned()).await
}

fn router(services: Services, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/health/ready", get(ready).with_state(services.clone()))
        .route("/metrics", get(render).with_state((services, metrics)))
}

/// Whether requests sent here now would be served.
async fn ready(State(services): State<Services>) -> impl IntoResponse {
    let not = |reason| (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable", "reason": reason })));
    if !services.presence.is_running() {
        return not("stopping");
    }
    if !services.store.is_ready().await {
        return not("the database does not answer");
    }
    (StatusCode::OK, Json(json!({ "status": "ok" })))
}

async fn render(State((services, metrics)): State<(Services, PrometheusHandle)>) -> impl IntoResponse {
    // A server that is stuck should still tell what it has counted.
    let _ = tokio::time::timeout(MEASURE_MAX, services.measure()).await;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}
