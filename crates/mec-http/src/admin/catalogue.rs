//! `/admin/catalogue`: the whole catalogue of a namespace, read and replaced in one step.

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use mec_core::Catalogue;
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use super::node::Node;
use super::read::{Given, Read, read};
use super::rows::{Change, changes, draft_of, to_toml};
use super::table::Fault;
use super::wire::CatalogueDocument;
use crate::App;
use crate::auth::Admin;
use crate::error::ApiError;
use crate::reply::JsonBody;

pub const PATH: &str = "/admin/catalogue";
/// So many faults are told at the most.
const MAX_FAULTS: usize = 100;
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const DRY_RUN: &str = "tx=rollback";

/// What a replacement did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct CatalogueChanges {
    /// The version of the catalogue now.
    version: u64,
    /// Whether anything was changed.
    applied: bool,
    /// What becomes of the rows; empty where the document says what is already so.
    changes: Vec<Change>,
}

/// Answers the catalogue: as JSON, or as a TOML file where that is accepted.
pub async fn show(
    State(app): State<App>,
    Admin(caller): Admin,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let catalogue = app.engine().catalogue(&caller.namespace).await?;
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let (kind, body) = if accepted.is_some_and(|accepted| accepted.contains("application/toml")) {
        ("application/toml; charset=utf-8", to_toml(&catalogue))
    } else {
        let document = CatalogueDocument::from(&*catalogue);
        ("application/json", json(&document)?)
    };
    let mut response = body.into_response();
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    tag(&mut response, catalogue.version);
    Ok(response)
}

/// Makes the catalogue what the body says, if it still has the version that the body or `If-Match`
/// names. Says what changed; with `Prefer: tx=rollback` what would.
pub async fn replace(
    State(app): State<App>,
    Admin(caller): Admin,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let before = app.engine().catalogue(&caller.namespace).await?;
    let document = parse(&app, &before, &body)?;
    let expected = if_match(&headers)?.or(document.version);
    let changes = changes(&draft_of(&before), &document.draft);
    let dry_run = headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim() == DRY_RUN);
    let mut version = before.version;
    let wanted = !changes.is_empty();
    if wanted {
        if let Some(held) = expected.filter(|expected| *expected != before.version) {
            return Err(another_version(&before, held));
        }
        if dry_run {
            let engine = app.engine();
            engine.check_replacement(&before, &document.draft).await?;
        } else {
            let namespace = caller.namespace.clone();
            let replaced = app
                .engine()
                .replace_catalogue(namespace, document.draft, before.version)
                .await?;
            version = replaced.version;
        }
    }
    let told = CatalogueChanges {
        version,
        applied: wanted && !dry_run,
        changes,
    };
    let kind = HeaderValue::from_static("application/json");
    let mut response = ([(CONTENT_TYPE, kind)], json(&told)?).into_response();
    if dry_run {
        let applied = HeaderValue::from_static(DRY_RUN);
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    tag(&mut response, version);
    Ok(response)
}

fn parse(app: &App, before: &Catalogue, body: &[u8]) -> Result<Read, ApiError> {
    let root = Node::read(body)?;
    let given = Given {
        lookups: &before.lookups,
        present: &CatalogueDocument::from(before),
        next_id: &|| app.next_id(),
        now: app.engine().now(),
    };
    read(&root, &given).map_err(|faults| faulty(&faults))
}

fn tag(response: &mut Response, version: u64) {
    // Digits in quotes are a header's value.
    if let Ok(value) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
}

/// The version that a client says it changes; `*` and no header at all are any.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_matches('"').parse().map(Some);
    version.map_err(|_| {
        let message = "If-Match: a version of the catalogue in quotes, as ETag tells it";
        ApiError::new("invalid_value", message).with_details("If-Match")
    })
}

fn another_version(before: &Catalogue, expected: u64) -> ApiError {
    let message = format!(
        "the catalogue is at version {}, and the change was made from version {expected}",
        before.version
    );
    let hint = "read the catalogue again and bring the change into it";
    ApiError::new("catalogue_changed", message).with_hint(Some(hint))
}

/// All faults, a line each.
fn faulty(faults: &[Fault]) -> ApiError {
    let lines: Vec<String> = faults
        .iter()
        .take(MAX_FAULTS)
        .map(|fault| format!("{}: {}", fault.place, fault.sentence))
        .collect();
    let message = match faults {
        [fault] => fault.sentence.clone(),
        _ => format!("the catalogue has {} faults", faults.len()),
    };
    ApiError::new("invalid_catalogue", message).with_details(lines.join("\n"))
}
