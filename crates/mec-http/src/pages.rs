//! Pages about the service itself: health, readiness, and the API's description.

use std::sync::LazyLock;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::App;
use crate::error::ApiError;
use crate::ready::ready;

/// The methods of a page.
const ALLOWED: &str = "OPTIONS,GET,HEAD";

/// The page's script and style are its own and nothing is loaded from elsewhere.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'",
);

/// The description as JSON, made once.
static DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
    // The description serialises without fail; a test reads it back.
    crate::openapi().to_pretty_json().unwrap_or_default()
});

/// The routes of the pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/health", page(get(health)))
        .route("/ready", page(get(ready)))
        .route("/openapi.json", page(get(description)))
        .route("/api/", page(get(description)))
        .route("/docs", page(get(docs)))
}

/// A page with the methods that it has and no others.
pub fn page(methods: MethodRouter<App>) -> MethodRouter<App> {
    let options = || async { [(axum::http::header::ALLOW, ALLOWED)] };
    methods
        .options(options)
        .fallback(|| async { ApiError::method_not_allowed("PGRST117", ALLOWED) })
}

pub fn json(body: impl Into<axum::body::Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn health() -> Response {
    json(r#"{"status":"up"}"#)
}

async fn description() -> Response {
    json(DESCRIPTION.as_str())
}

async fn docs() -> Response {
    (
        [(CONTENT_SECURITY_POLICY, DOCS_POLICY)],
        Html(include_str!("docs.html")),
    )
        .into_response()
}
