//! `/admin/lookups`: units, window types and account types, which all namespaces share, read and
//! replaced in one step.

mod read;
mod rows;
mod wire;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::document::node::Node;
use super::document::replace::{
    CatalogueChanges, another_version, faulty, if_match, is_dry_run, shown, told,
};
use super::document::rows::changes;
use crate::App;
use crate::auth::AdminOfAll;
use crate::error::ApiError;
use crate::reply::JsonBody;
use read::read;
use rows::{rows, to_toml};

pub use wire::{AccountTypeRow, LookupsDocument, UnitRow, WindowTypeRow};

pub const PATH: &str = "/admin/lookups";
/// What they are called in sentences.
const NAME: &str = "the set of lookups";

/// Answers the lookups: as JSON, or as a TOML file where that is accepted.
pub async fn show(
    State(app): State<App>,
    AdminOfAll: AdminOfAll,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let lookups = app.engine().lookups().await?;
    let document = LookupsDocument::from(&*lookups);
    shown(&headers, lookups.version, &document, || to_toml(&lookups))
}

/// Makes the lookups what the body says, if they still have the version that the body or `If-Match`
/// names. Says what changed; with `Prefer: tx=rollback` what would.
pub async fn replace(
    State(app): State<App>,
    AdminOfAll: AdminOfAll,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let engine = app.engine();
    let before = engine.lookups().await?;
    let document = read(&Node::read(&body)?, &before).map_err(|faults| faulty(NAME, &faults))?;
    let expected = if_match(&headers)?.or(document.version);
    let changes = changes(&rows(&before), &rows(&document.lookups));
    let dry_run = is_dry_run(&headers);
    let mut version = before.version;
    let wanted = !changes.is_empty();
    if wanted {
        if let Some(held) = expected.filter(|expected| *expected != version) {
            return Err(another_version(NAME, version, held));
        }
        let faults = engine.check_lookups(&before, &document.lookups).await?;
        if !faults.is_empty() {
            return Err(faulty(NAME, &document.located(faults)));
        }
        if !dry_run {
            let replaced = engine.replace_lookups(&before, document.lookups).await?;
            version = replaced.version;
        }
    }
    let changes = CatalogueChanges {
        version,
        applied: wanted && !dry_run,
        changes,
    };
    told(&changes, dry_run)
}
