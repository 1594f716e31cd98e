//! What replacing a document has in common, whatever it says.

use axum::http::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::rows::Change;
use super::table::Fault;
use crate::admin::json;
use crate::error::ApiError;

/// So many faults are told at the most.
const MAX_FAULTS: usize = 100;
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const DRY_RUN: &str = "tx=rollback";

/// Whether a change is only to be told.
pub fn is_dry_run(headers: &HeaderMap) -> bool {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim() == DRY_RUN)
}

/// What a replacement did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogueChanges {
    /// The version now.
    pub version: u64,
    /// Whether anything was changed.
    pub applied: bool,
    /// What becomes of the rows; empty where the document says what is already so.
    pub changes: Vec<Change>,
}

/// Answers a document: as JSON, or as a TOML file where that is accepted.
pub fn shown(
    headers: &HeaderMap,
    version: u64,
    document: &impl Serialize,
    toml: impl FnOnce() -> String,
) -> Result<Response, ApiError> {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let as_file = accepted.is_some_and(|accepted| accepted.contains("application/toml"));
    let (kind, body) = match as_file {
        true => ("application/toml; charset=utf-8", toml()),
        false => ("application/json", json(document)?),
    };
    let kind = HeaderValue::from_static(kind);
    let mut response = ([(CONTENT_TYPE, kind)], body).into_response();
    tag(&mut response, version);
    Ok(response)
}

/// Tells what a replacement did or, of one that is only to be told, would do.
pub fn told(told: &CatalogueChanges, is_dry_run: bool) -> Result<Response, ApiError> {
    let kind = HeaderValue::from_static("application/json");
    let mut response = ([(CONTENT_TYPE, kind)], json(told)?).into_response();
    if is_dry_run {
        let applied = HeaderValue::from_static(DRY_RUN);
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    tag(&mut response, told.version);
    Ok(response)
}

/// Tells a document's version.
fn tag(response: &mut Response, version: u64) {
    // Digits in quotes are a header's value.
    if let Ok(value) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
}

/// The version that a client says it changes; `*` and no header at all are any.
pub fn if_match(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_matches('"').parse().map(Some);
    version.map_err(|_| {
        let message = "If-Match: a version in quotes, as ETag tells it";
        ApiError::new("invalid_value", message).with_details("If-Match")
    })
}

/// The refusal of a change that was made from another version than the present one.
pub fn another_version(what: &str, present: u64, expected: u64) -> ApiError {
    let message =
        format!("{what} is at version {present}, and the change was made from version {expected}");
    let hint = format!("read {what} again and bring the change into it");
    ApiError::new("catalogue_changed", message).with_hint(Some(hint))
}

/// All faults of a document, a line each.
pub fn faulty(what: &str, faults: &[Fault]) -> ApiError {
    let lines: Vec<String> = faults
        .iter()
        .take(MAX_FAULTS)
        .map(|fault| format!("{}: {}", fault.place, fault.sentence))
        .collect();
    let message = match faults {
        [fault] => fault.sentence.clone(),
        _ => format!("{what} has {} faults", faults.len()),
    };
    ApiError::new("invalid_catalogue", message).with_details(lines.join("\n"))
}
