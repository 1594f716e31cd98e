//! `/metrics`: what MEC counts, in the text format of Prometheus.

mod engine;
mod families;
mod front;
mod process;
mod requests;
mod sizes;
mod verification;

use std::time::{Instant, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, TextEncoder};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::App;
use crate::auth::{bearer, missing_token};
use crate::error::ApiError;
use crate::pages::page;
use crate::router::Entry;

use families::Family;
use requests::Requests;
use sizes::Sizes;
pub use verification::Verification;

/// Who may read the metrics, and where.
#[derive(Clone, Debug, Default)]
pub struct MetricsConfig {
    /// The bearer token that the page wants; none where everybody who reaches it may read it.
    pub token: Option<SecretString>,
    /// Whether the page stands on a listener of its own, and not beside the API.
    pub has_own_listener: bool,
}

/// What a front door counts, and what is told of it.
pub struct Metrics {
    config: MetricsConfig,
    begun: (Instant, SystemTime),
    sizes: Sizes,
    pub(crate) requests: Requests,
    /// What the server's own verifications of the ledger found.
    pub verification: Verification,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new(config: MetricsConfig) -> Self {
        Self {
            config,
            begun: (Instant::now(), SystemTime::now()),
            sizes: Sizes::default(),
            requests: Requests::default(),
            verification: Verification::default(),
        }
    }

    /// Whether they stand on a listener of their own.
    pub fn have_own_listener(&self) -> bool {
        self.config.has_own_listener
    }
}

/// Where the metrics are.
pub const PATH: &str = "/metrics";

/// The page of the metrics.
pub fn entries() -> [Entry; 1] {
    [page(PATH, get(metrics)).large()]
}

/// The metrics alone, for a listener of their own.
pub fn metrics_router(app: App) -> Router {
    Router::new().route(PATH, get(metrics)).with_state(app)
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    admit(&app.front().metrics().config, &headers)?;
    let text = read(&app).await.map_err(|error| {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(cause, "the metrics could not be written");
        ApiError::internal()
    })?;
    Ok(([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}

fn admit(config: &MetricsConfig, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(wanted) = &config.token else {
        return Ok(());
    };
    let shown = bearer(headers)?.ok_or_else(missing_token)?;
    let is_it = wanted.expose_secret().as_bytes().ct_eq(shown.as_bytes());
    if bool::from(is_it) {
        Ok(())
    } else {
        let message = "the metrics are read with the token of MEC_METRICS_TOKEN";
        Err(ApiError::new("invalid_token", message))
    }
}

async fn read(app: &App) -> prometheus::Result<Vec<u8>> {
    let (engine, front) = (app.engine(), app.front());
    let metrics = front.metrics();
    let size = metrics.sizes.look(engine).await;
    let (since, started) = metrics.begun;
    let mut families = Vec::new();
    metrics.requests.tell(&mut families);
    front::tell(front, &mut families);
    engine::tell(engine, size, &mut families);
    metrics.verification.tell(&mut families);
    process::tell(started, &mut families);
    let mut build = Family::gauges("mec_build_info", "Which version of MEC runs");
    build.value(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    families.push(build);
    families.push(Family::gauge(
        "mec_uptime_seconds",
        "How long ago MEC was started",
        since.elapsed().as_secs_f64(),
    ));
    let families: Vec<_> = families.into_iter().filter_map(Family::finish).collect();
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}
