//! The front door: what every request passes on its way in, and every answer on its way out.
//!
//! [`pass`] is that way, in order; each station stands in a file of its name. [`surround`] is public so
//! that a measurement can put the same around a route that does nothing.

mod budgets;
mod identify;
mod panics;
mod passage;
mod peer;
mod rate;
mod rates;
mod seats;
mod sizes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use parking_lot::RwLock;
use secrecy::SecretString;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::{Verifier, bearer};
use crate::error::ApiError;
use crate::{FrontConfig, Limits};

use budgets::Budgets;
pub use budgets::BudgetsConfig;
pub(crate) use budgets::Work;
use identify::RequestIds;
pub use passage::Passage;
use passage::Place;
pub use peer::{NoNetwork, Peer, TrustedProxies};
pub use rate::{NoRate, Rate};
use rates::Rates;
pub use rates::{RatesConfig, Ticks};

/// The front door of a listener. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    inner: Arc<Inner>,
}

struct Inner {
    verifier: Verifier,
    bounds: RwLock<Arc<Bounds>>,
    ids: RequestIds,
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
            limits,
            rates,
            budgets,
        } = config;
        let bounds = Bounds {
            limits,
            rates: Rates::new(rates, clock),
            budgets: Arc::new(Budgets::new(budgets)),
        };
        Self {
            inner: Arc::new(Inner {
                verifier: Verifier::new(&secrets),
                bounds: RwLock::new(Arc::new(bounds)),
                ids: RequestIds::default(),
            }),
        }
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
                false => Arc::new(Budgets::new(budgets)),
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

/// One request's way: it gets its id, its token is read, and, if nothing refuses it, it is answered.
async fn pass(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let id = front.inner.ids.of(request.headers());
    let who = match bearer(request.headers()) {
        Ok(Some(token)) => Some(front.inner.verifier.verify(token)),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    };
    let bounds = front.bounds();
    let proxies = bounds.rates.trusted_proxies();
    let passage = Arc::new(Passage {
        id,
        who,
        address: proxies.client(peer(&request), request.headers()),
        place: Place::of(Work::of(request.method(), request.uri().path())),
    });
    let path = request.uri().path();
    let counted = bounds
        .rates
        .count(path, passage.identity(), passage.address);
    let admitted = match &counted {
        Some(counted) => counted.admit(),
        None => Ok(()),
    };
    let admitted = admitted.and_then(|()| sizes::check(&bounds.limits, &request));
    request.extensions_mut().insert(passage.clone());
    let mut response = match admitted {
        Ok(()) => answered(&bounds, &passage, request, next).await,
        Err(error) => Err(error),
    }
    .unwrap_or_else(IntoResponse::into_response);
    passage.place.leave();
    if response.status().is_server_error() {
        tracing::error!(request_id = %passage.id, status = response.status().as_u16(), "a request failed");
    }
    if let Some(counted) = counted {
        counted.tell(response.headers_mut());
    }
    identify::tell(&passage.id, response.headers_mut());
    response
}

/// The answer of the routes, when it is the request's turn. The turn of a request with a body comes when the
/// body is there: a slow client keeps no place.
async fn answered(
    bounds: &Bounds,
    passage: &Passage,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let takes_no_body = [Method::GET, Method::HEAD].contains(request.method());
    if takes_no_body || request.body().is_end_stream() {
        passage.place.take(&bounds.budgets).await?;
    }
    let seconds = bounds.limits.request_seconds;
    let answered = tokio::time::timeout(Duration::from_secs(seconds), next.run(request)).await;
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
