//! `/admin/catalogue`: the whole catalogue of a namespace, read and replaced in one step.

mod packages;
mod read;
mod rows;
mod wire;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use mec_core::Catalogue;
use mec_store::CatalogueDraft;

use super::document::node::Node;
use super::document::replace::{
    CatalogueChanges, another_version, faulty, if_match, is_dry_run, shown, told,
};
use super::document::rows::changes;
use super::json;
use crate::App;
use crate::auth::Admin;
use crate::error::ApiError;
use crate::reply::JsonBody;
use read::{Given, Read, read};
use rows::{rows, to_toml};

pub use rows::draft_of;

pub use wire::CatalogueDocument;

pub const PATH: &str = "/admin/catalogue";

/// Answers the catalogue: as JSON, or as a TOML file where that is accepted.
pub async fn show(
    State(app): State<App>,
    Admin(caller): Admin,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let catalogue = app.engine().catalogue(&caller.namespace).await?;
    let document = CatalogueDocument::from(&*catalogue);
    shown(&headers, catalogue.version, &document, || {
        to_toml(&catalogue)
    })
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
    let changes = changes(&rows(&draft_of(&before)), &rows(&document.draft));
    let dry_run = is_dry_run(&headers);
    let mut version = before.version;
    let wanted = !changes.is_empty();
    if wanted {
        if let Some(held) = expected.filter(|expected| *expected != before.version) {
            return Err(another_version("the catalogue", before.version, held));
        }
        if dry_run {
            let engine = app.engine();
            engine.check_replacement(&before, &document.draft).await?;
        } else {
            let engine = app.engine();
            let replaced = engine.replace_catalogue(&before, document.draft).await?;
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

fn parse(app: &App, before: &Catalogue, body: &[u8]) -> Result<Read, ApiError> {
    let root = Node::read(body)?;
    let given = Given {
        lookups: &before.lookups,
        present: &CatalogueDocument::from(before),
        next_id: &|| app.next_id(),
        now: app.engine().now(),
    };
    read(&root, &given).map_err(|faults| faulty("the catalogue", &faults))
}

/// Refuses a draft that contradicts itself, by the rules of the document that says the same.
pub fn check(app: &App, before: &Catalogue, draft: &CatalogueDraft) -> Result<(), ApiError> {
    let mut after = before.clone();
    let kinds = draft.resource_types.iter().cloned();
    after.resource_types = kinds
        .map(|row| (row.resource_type_code.clone(), row))
        .collect();
    let plans = draft.plans.iter().cloned();
    after.plans = plans.map(|row| (row.plan_id.clone(), row)).collect();
    after.rules.clear();
    for rule in &draft.rules {
        let of = after
            .rules
            .entry(rule.resource_type_code.clone())
            .or_default();
        of.push(rule.clone());
    }
    let document = json(&CatalogueDocument::from(&after))?;
    parse(app, before, document.as_bytes()).map(|_| ())
}
