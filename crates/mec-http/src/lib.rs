//! MEC's HTTP interface: the RPCs, one-row creation of accounts and entitlements, bearer tokens.
#![forbid(unsafe_code)]

mod args;
mod auth;
mod body;
pub mod error;
mod resources;
mod rpc;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mec_engine::Engine;
use secrecy::SecretString;

pub use auth::{Claims, Role, issue_token};

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What all handlers share.
#[derive(Clone)]
pub struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) secret: Arc<SecretString>,
}

impl App {
    /// An application over an engine; tokens are signed with the secret by HS256.
    pub fn new(engine: Arc<Engine>, secret: SecretString) -> Self {
        Self {
            engine,
            secret: Arc::new(secret),
        }
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/api/accounts", post(resources::create_account))
        .route("/api/entitlements", post(resources::create_entitlement))
        .route("/api/rpc/{name}", post(rpc::call))
        .fallback(|| async { error::ApiError::new("not_found", "there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            error::ApiError::new(
                "method_not_allowed",
                "the path does not take this method; RPCs take POST",
            )
        })
        .with_state(app)
}

/// Serves until `shutdown` ends, then finishes what is in flight. The engine is closed by the caller.
pub async fn serve(
    listener: tokio::net::TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(app))
        .with_graceful_shutdown(shutdown)
        .await
}

async fn health() -> Response {
    json(StatusCode::OK, r#"{"status":"up"}"#.to_owned())
}

async fn ready(State(app): State<App>) -> Result<Response, error::ApiError> {
    app.engine
        .health()
        .await
        .map_err(mec_engine::EngineError::from)?;
    Ok(json(StatusCode::OK, r#"{"status":"ready"}"#.to_owned()))
}

pub(crate) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
