//! The front door: what every request passes on its way in, and every answer on its way out.
//!
//! [`pass`] is that way, in order; each station stands in a file of its name. [`surround`] is public so
//! that a measurement can put the same around a route that does nothing.

mod answered;
pub mod audit;
mod compression;
mod cors;
mod counts;
mod headers;
mod identify;
pub mod log;
mod meter;
mod panics;
mod passage;
mod peer;
mod refusals;
mod trace;
mod within;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use mec_engine::Engine;
use secrecy::SecretString;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::{IssuerConfig, Verifier, bearer, named_namespace};
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::{FrontConfig, Limits};

use answered::Started;
pub use answered::{Answered, Decided, ToldError};
use audit::SecurityLog;
pub use counts::FrontCounts;
use headers::Care;
use identify::RequestIds;
use log::Log;
use trace::Traces;

pub use compression::compressed;
pub use cors::{Cors, CorsOrigin};
pub use headers::Encrypted;
pub use passage::Passage;
pub use peer::Peer;
pub use trace::Trace;
pub use within::current_request;

/// The front door of a listener. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    inner: Arc<Inner>,
}

struct Inner {
    verifier: Verifier,
    limits: Limits,
    cors: Cors,
    ids: RequestIds,
    is_stopping: AtomicBool,
    traces: Traces,
    log: Log,
    metrics: Metrics,
    counts: FrontCounts,
}

impl Front {
    /// A front door with these settings.
    pub fn new(config: FrontConfig) -> Self {
        let FrontConfig {
            secrets,
            issuer,
            limits,
            cors,
            logs,
            metrics,
        } = config;
        Self {
            inner: Arc::new(Inner {
                verifier: Verifier::new(&secrets, issuer),
                limits,
                cors,
                ids: RequestIds::default(),
                is_stopping: AtomicBool::new(false),
                traces: Traces::default(),
                log: Log::new(logs),
                metrics: Metrics::new(metrics),
                counts: FrontCounts::default(),
            }),
        }
    }

    /// Says from now on that this node is on its way out, so that it is sent no more requests. Those that
    /// come are answered.
    pub fn stop(&self) {
        self.inner.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.inner.is_stopping.load(Ordering::Relaxed)
    }

    /// Where what matters for security is told.
    pub fn security(&self) -> &SecurityLog {
        &self.inner.log.security
    }

    /// What its log counts: name, what it counts, how many.
    pub(crate) fn log_counts(&self) -> [(&'static str, &'static str, u64); 4] {
        self.inner.log.counts()
    }

    /// What is counted for metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn counts(&self) -> &FrontCounts {
        &self.inner.counts
    }

    /// Takes the API keys of an engine, too.
    pub(crate) fn attach(&self, engine: &Arc<Engine>) {
        self.inner.verifier.attach(engine);
    }

    /// Takes tokens of other secrets and of another issuer from now on, and none that only the former
    /// ones prove.
    pub fn reload_keys(&self, secrets: &[SecretString], issuer: Option<IssuerConfig>) {
        self.inner.verifier.replace(secrets, issuer);
    }

    /// Fetches the issuer's keys at once and from time to time. Does not end; who serves spawns it.
    pub async fn keep_keys_fresh(&self) {
        self.inner.verifier.keep_fresh().await;
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

impl From<SecretString> for Front {
    /// A front door that takes tokens of one secret, with the defaults for all else.
    fn from(secret: SecretString) -> Self {
        Self::new(FrontConfig {
            secrets: vec![secret],
            ..FrontConfig::default()
        })
    }
}

/// The routes behind a front door.
pub fn surround<S: Clone + Send + Sync + 'static>(routes: Router<S>, front: Front) -> Router<S> {
    routes
        .layer(CatchPanicLayer::custom(panics::caught))
        .layer(middleware::from_fn_with_state(front, pass))
}

/// One request's way: it gets its id and its trace, its token is read, and, if nothing refuses it, it is
/// answered; then it is told what became of it.
async fn pass(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let started = Started::of(&request);
    let under_way = meter::begin(&front);
    let inner = &front.inner;
    let who = match bearer(request.headers()) {
        Ok(Some(token)) => Some(inner.verifier.verify(token).await),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    };
    let passage = Arc::new(Passage {
        id: inner.ids.of(request.headers()),
        trace: inner.traces.of(request.headers()),
        address: log::address(&request),
        acts_in: named_namespace(request.headers(), who.as_ref()),
        who,
    });
    let care = Care::of(&request);
    let origin = inner.cors.origin(request.headers());
    let mut response = if let Some(told) = inner.cors.preflight(&request, origin.as_ref()) {
        told
    } else {
        match admit(&front, &request) {
            Ok(()) => {
                request.extensions_mut().insert(passage.clone());
                within::within(passage.clone(), next.run(request)).await
            }
            Err(error) => error.into_response(),
        }
    };
    let headers = response.headers_mut();
    identify::tell(&passage.id, headers);
    trace::tell(&passage.trace, headers);
    inner.cors.tell(origin, headers);
    care.tell(headers);
    let answered = started.answered(&response);
    drop(under_way);
    meter::end(&front, &answered);
    inner.log.answered(&answered, &passage);
    response
}

/// Whether a request may go in.
fn admit(front: &Front, request: &Request) -> Result<(), ApiError> {
    let most = front.inner.limits.uri_bytes;
    let address = request.uri().path_and_query();
    if address.map_or(0, |address| address.as_str().len()) > most {
        let message = format!("path and query have at most {most} bytes");
        return Err(ApiError::new("uri_too_long", message));
    }
    Ok(())
}
