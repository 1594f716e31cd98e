//! Pages about the service itself: health, readiness, and the API's description.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::App;
use crate::error::ApiError;
use crate::router::Entry;

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

/// The pages.
pub fn entries() -> Vec<Entry> {
    vec![
        page("/health", get(health)),
        page("/ready", get(ready)),
        page("/openapi.json", get(description)),
        page("/api/", get(description)),
        page("/docs", get(docs)),
    ]
}

/// A page with the methods that it has and no others.
pub fn page(path: &'static str, methods: MethodRouter<App>) -> Entry {
    let options = || async { [(axum::http::header::ALLOW, ALLOWED)] };
    let methods = methods
        .options(options)
        .fallback(|| async { ApiError::method_not_allowed("PGRST117", ALLOWED) });
    Entry::new(path, ALLOWED, methods)
}

fn json(body: impl Into<axum::body::Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn health() -> Response {
    json(r#"{"status":"up"}"#)
}

async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    app.engine().health().await?;
    Ok(json(r#"{"status":"ready"}"#))
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
