//! Pages about the service itself: health, readiness, and the API's description.

use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::App;
use crate::error::ApiError;
use crate::ready::ready;
use crate::reply::tag::{tag, tagged};
use crate::router::Entry;

/// The methods of a page.
const ALLOWED: &str = "OPTIONS,GET,HEAD";

/// The page's script and style are its own and nothing is loaded from elsewhere.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
     frame-ancestors 'none'",
);

/// The description as JSON, made once.
static DESCRIPTION: LazyLock<Page> = LazyLock::new(|| {
    // The description serialises without fail; a test reads it back.
    let text = crate::openapi().to_pretty_json().unwrap_or_default();
    Page::new(text.leak())
});

static DOCS: LazyLock<Page> = LazyLock::new(|| Page::new(include_str!("docs.html")));

/// Kept by whoever has it, and asked for again whether it still is the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A text that is the same as long as the process runs.
struct Page {
    text: &'static str,
    tag: String,
}

impl Page {
    fn new(text: &'static str) -> Self {
        let tag = tag(text);
        Self { text, tag }
    }
}

/// The pages.
pub fn entries() -> Vec<Entry> {
    vec![
        page("/health", get(health)),
        page("/ready", get(ready)),
        page("/openapi.json", get(description)).large(),
        page("/api/", get(description)).large(),
        page("/docs", get(docs)).large(),
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

pub fn json(body: impl Into<axum::body::Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn health() -> Response {
    json(r#"{"status":"up"}"#)
}

async fn description(headers: HeaderMap) -> Response {
    let told = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, ASK_AGAIN),
    ];
    tagged(&headers, &DESCRIPTION.tag, told, DESCRIPTION.text)
}

async fn docs(headers: HeaderMap) -> Response {
    let told = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CACHE_CONTROL, ASK_AGAIN),
        (CONTENT_SECURITY_POLICY, DOCS_POLICY),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    tagged(&headers, &DOCS.tag, told, DOCS.text)
}
