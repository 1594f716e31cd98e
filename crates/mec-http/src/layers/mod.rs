//! The front door: what every request passes on its way in, and every answer on its way out.
//!
//! [`pass`] is that way, in order; each station stands in a file of its name. [`surround`] is public so
//! that a measurement can put the same around a route that does nothing.

mod identify;
mod panics;
mod passage;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use mec_engine::Engine;
use secrecy::SecretString;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::{IssuerConfig, Verifier, bearer};
use crate::error::ApiError;
use crate::{FrontConfig, Limits};

use identify::RequestIds;
pub use passage::Passage;

/// The front door of a listener. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    inner: Arc<Inner>,
}

struct Inner {
    verifier: Verifier,
    limits: Limits,
    ids: RequestIds,
}

impl Front {
    /// A front door with these settings.
    pub fn new(config: FrontConfig) -> Self {
        let FrontConfig {
            secrets,
            issuer,
            limits,
        } = config;
        Self {
            inner: Arc::new(Inner {
                verifier: Verifier::new(&secrets, issuer),
                limits,
                ids: RequestIds::default(),
            }),
        }
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

/// One request's way: it gets its id, its token is read, and, if nothing refuses it, it is answered.
async fn pass(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let id = front.inner.ids.of(request.headers());
    let who = match bearer(request.headers()) {
        Ok(Some(token)) => Some(front.inner.verifier.verify(token).await),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    };
    let passage = Arc::new(Passage { id, who });
    let mut response = match admit(&front, &request) {
        Ok(()) => {
            request.extensions_mut().insert(passage.clone());
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    if response.status().is_server_error() {
        tracing::error!(request_id = %passage.id, status = response.status().as_u16(), "a request failed");
    }
    identify::tell(&passage.id, response.headers_mut());
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
