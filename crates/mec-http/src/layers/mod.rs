//! The front door: what every request passes on its way in, and every answer on its way out.
//!
//! [`pass`] is that way, in order; each station stands in a file of its name. [`surround`] is public so
//! that a measurement can put the same around a route that does nothing.

mod answered;
pub mod audit;
mod budgets;
mod compression;
mod cors;
mod counts;
mod digits;
mod headers;
mod identify;
pub mod log;
mod meter;
mod panics;
mod passage;
mod peer;
mod rate;
mod rates;
mod refusals;
mod seats;
mod sizes;
mod trace;
mod within;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use mec_engine::Engine;
use parking_lot::RwLock;
use secrecy::SecretString;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::{Identity, IssuerConfig, Verifier, bearer, named_namespace};
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::{FrontConfig, Limits};

pub(crate) use answered::OfKey;
use answered::Started;
pub use answered::{Answered, Decided, ToldError};
use audit::SecurityLog;
use budgets::Budgets;
pub use budgets::BudgetsConfig;
pub(crate) use budgets::Work;
pub use counts::FrontCounts;
pub use digits::Digits;
use headers::Care;
use identify::RequestIds;
use log::Log;
use trace::Traces;

pub use compression::compressed;
pub use cors::{Cors, CorsOrigin};
pub use headers::Encrypted;
pub use passage::Passage;
use passage::Place;
pub use peer::{NoNetwork, Peer, TrustedProxies};
pub use rate::{NoRate, Rate};
use rates::{Counted, Rates};
pub use rates::{RatesConfig, Ticks};
pub use trace::Trace;
pub use within::current_request;

/// The front door of a listener. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    inner: Arc<Inner>,
}

struct Inner {
    verifier: Verifier,
    bounds: RwLock<Arc<Bounds>>,
    cors: Cors,
    ids: RequestIds,
    is_stopping: AtomicBool,
    traces: Traces,
    log: Log,
    metrics: Metrics,
    counts: Arc<FrontCounts>,
}

/// What clients may send, and how much of it at once.
pub(crate) struct Bounds {
    pub limits: Limits,
    rates: Rates,
    pub budgets: Arc<Budgets>,
}

impl Front {
    /// A front door with these settings.
    pub fn new(config: FrontConfig) -> Self {
        Self::by_clock(config, Arc::new(Instant::now()))
    }

    /// The same with a clock of rate limits that the caller turns.
    pub fn by_clock(config: FrontConfig, clock: Arc<dyn Ticks>) -> Self {
        let FrontConfig {
            secrets,
            issuer,
            limits,
            rates,
            budgets,
            cors,
            logs,
            metrics,
        } = config;
        let counts = Arc::new(FrontCounts::default());
        let bounds = Bounds {
            limits,
            rates: Rates::new(rates, clock),
            budgets: Arc::new(Budgets::new(budgets, counts.clone())),
        };
        Self {
            inner: Arc::new(Inner {
                verifier: Verifier::new(&secrets, issuer),
                bounds: RwLock::new(Arc::new(bounds)),
                cors,
                ids: RequestIds::default(),
                is_stopping: AtomicBool::new(false),
                traces: Traces::default(),
                log: Log::new(logs),
                metrics: Metrics::new(metrics),
                counts,
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

    /// Goes by other bounds from the next request on. A rate that stays the same goes on where it is, and a
    /// budget that changes begins anew: what is in flight does not count in it.
    pub fn reload_bounds(&self, limits: Limits, rates: RatesConfig, budgets: BudgetsConfig) {
        let held = self.bounds();
        let bounds = Bounds {
            limits,
            rates: held.rates.with(rates),
            budgets: match held.budgets.config() == budgets {
                true => held.budgets.clone(),
                false => Arc::new(Budgets::new(budgets, self.inner.counts.clone())),
            },
        };
        *self.inner.bounds.write() = Arc::new(bounds);
    }

    pub(crate) fn bounds(&self) -> Arc<Bounds> {
        self.inner.bounds.read().clone()
    }
}

impl From<SecretString> for Front {
    /// A front door within a process: it takes tokens of one secret and limits no rates, since whoever calls
    /// has the secret; with the defaults for all else.
    fn from(secret: SecretString) -> Self {
        Self::new(FrontConfig {
            secrets: vec![secret],
            rates: RatesConfig::off(),
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

/// One request's way: it gets its id and its trace, its token is read, it is counted, and, if nothing refuses
/// it, it is answered; then it is told what became of it.
async fn pass(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let started = Started::of(&request);
    let under_way = meter::begin(&front);
    let bounds = front.bounds();
    let proxies = bounds.rates.trusted_proxies();
    let address = proxies.client(peer(&request), request.headers());
    let path = request.uri().path();
    let (who, early) = shown(&front, &bounds, request.headers(), path, address).await;
    let passage = Arc::new(known(&front, &request, address, who));
    let care = Care::of(&request);
    let cors = &front.inner.cors;
    let origin = cors.origin(request.headers());
    let count = || bounds.rates.count(path, passage.identity(), address);
    let counted = early
        .filter(|_| passage.identity().is_none())
        .or_else(count);
    let mut response = match admit(&bounds, counted.as_ref(), &request) {
        Ok(()) => match cors.preflight(&request, origin.as_ref()) {
            Some(told) => Ok(told),
            None => {
                request.extensions_mut().insert(passage.clone());
                answered(&bounds, &passage, request, next).await
            }
        },
        Err(error) => Err(error),
    }
    .unwrap_or_else(IntoResponse::into_response);
    passage.place.leave();
    let headers = response.headers_mut();
    if let Some(counted) = counted {
        counted.tell(headers);
    }
    identify::tell(&passage.id, headers);
    trace::tell(&passage.trace, headers);
    cors.tell(origin, headers);
    care.tell(headers);
    let answered = started.answered(&response);
    drop(under_way);
    meter::end(&front, &answered);
    front.inner.log.answered(&answered, &passage);
    response
}

/// Who a token says it is, or why it proves nothing; none where none is shown.
type Who = Option<Result<Arc<Identity>, ApiError>>;

/// Who a request's token says it is. What the store has to be asked about counts at the address first, so that
/// guessing asks it no more often than the address may.
async fn shown(
    front: &Front,
    bounds: &Bounds,
    headers: &HeaderMap,
    path: &str,
    address: Option<IpAddr>,
) -> (Who, Option<Counted>) {
    let verifier = &front.inner.verifier;
    let token = match bearer(headers) {
        Ok(Some(token)) => token,
        Ok(None) => return (None, None),
        Err(error) => return (Some(Err(error)), None),
    };
    let mut early = None;
    if verifier.must_ask(token) {
        early = bounds.rates.count(path, None, address);
        if let Err(error) = early.as_ref().map_or(Ok(()), Counted::admit) {
            return (Some(Err(error)), early);
        }
    }
    (Some(verifier.verify(token).await), early)
}

/// What a request tells of itself.
fn known(front: &Front, request: &Request, address: Option<IpAddr>, who: Who) -> Passage {
    let inner = &front.inner;
    let headers = request.headers();
    Passage {
        id: inner.ids.of(headers),
        trace: inner.traces.of(headers),
        address,
        acts_in: named_namespace(headers, who.as_ref()),
        who,
        place: Place::of(Work::of(request.method(), request.uri().path())),
    }
}

/// Whether a request may go in.
fn admit(bounds: &Bounds, counted: Option<&Counted>, request: &Request) -> Result<(), ApiError> {
    counted.map_or(Ok(()), Counted::admit)?;
    sizes::check(&bounds.limits, request)
}

/// The answer of the routes, when it is the request's turn. The turn of a request with a body comes when the
/// body is there: a slow client keeps no place.
async fn answered(
    bounds: &Bounds,
    passage: &Arc<Passage>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let takes_no_body = [Method::GET, Method::HEAD].contains(request.method());
    if takes_no_body || request.body().is_end_stream() {
        passage.place.take(&bounds.budgets).await?;
    }
    let seconds = bounds.limits.request_seconds;
    let within = within::within(passage.clone(), next.run(request));
    let answered = tokio::time::timeout(Duration::from_secs(seconds), within).await;
    answered.map_err(|_| {
        let message = format!("the answer was not there within {seconds} seconds");
        let hint = "a change may have been made: repeat it with the same idempotency key";
        ApiError::new("timed_out", message).with_hint(Some(hint))
    })
}

/// The other end of the connection, if the listener tells it.
fn peer(request: &Request) -> Option<Peer> {
    let extensions = request.extensions();
    let told = extensions.get::<ConnectInfo<SocketAddr>>();
    let told = told.map(|info| Peer(Some(info.0)));
    extensions.get::<Peer>().copied().or(told)
}
