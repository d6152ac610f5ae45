//! The operators' port of every service: `/live`, `/ready`, `/metrics`, and `PUT /log` to change the log filter.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::IntoResponse,
    routing::{get, put},
};

use crate::telemetry::{FilterHandle, Metrics};

/// Whether a process takes work: true once its consumers are registered, false from the first signal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Takes work from now on, or no longer.
    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Whether it takes work.
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Clone)]
struct Operators {
    readiness: Readiness,
    metrics: Metrics,
    filter: FilterHandle,
}

/// The routes.
pub(crate) fn router(readiness: Readiness, metrics: Metrics, filter: FilterHandle) -> Router {
    Router::new()
        .route("/live", get(async || "live\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics_text))
        .route("/log", put(set_filter))
        .with_state(Operators { readiness, metrics, filter })
}

async fn ready(State(operators): State<Operators>) -> impl IntoResponse {
    if operators.readiness.get() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// OpenMetrics for those who accept it, as Prometheus does; Prometheus text for everybody else.
async fn metrics_text(State(operators): State<Operators>, headers: HeaderMap) -> impl IntoResponse {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (text, content_type) = if accepts.contains("application/openmetrics-text") {
        (operators.metrics.render(), "application/openmetrics-text; version=1.0.0; charset=utf-8")
    } else {
        (operators.metrics.render_plain(), "text/plain; version=0.0.4; charset=utf-8")
    };
    match text {
        Ok(text) => ([(CONTENT_TYPE, content_type)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn set_filter(State(operators): State<Operators>, directives: String) -> impl IntoResponse {
    match operators.filter.set(directives.trim()) {
        Ok(()) => (StatusCode::OK, format!("log filter is now `{}`\n", directives.trim())),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}
