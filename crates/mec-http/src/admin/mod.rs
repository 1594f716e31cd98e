//! What administrators do: the paths below `/admin`.

mod api_keys;
pub mod catalogue;
mod describe;
mod document;
mod erase_account;
mod lookups;
mod retention;

use axum::Router;
use axum::http::header::ALLOW;
use axum::routing::{MethodRouter, delete, get, post};
use serde::Serialize;

use crate::App;
use crate::error::ApiError;

pub use describe::describe;

/// The methods of a document that is read and replaced whole.
const DOCUMENT: &str = "OPTIONS,GET,HEAD,PUT";
/// The methods of a set of which more are made.
const SET: &str = "OPTIONS,GET,HEAD,POST";
/// The methods of one that is taken out.
const ONE: &str = "OPTIONS,DELETE";
/// The methods of an act.
const ACT: &str = "OPTIONS,POST";

/// The routes.
pub fn routes() -> Router<App> {
    let catalogue = get(catalogue::show).put(catalogue::replace);
    let lookups = get(lookups::show).put(lookups::replace);
    let retention = post(retention::apply);
    let erase_account = post(erase_account::erase_account);
    let keys = get(api_keys::list).post(api_keys::create);
    let key = delete(api_keys::revoke);
    Router::new()
        .route(api_keys::PATH, only(SET, keys))
        .route(api_keys::PATH_OF_ONE, only(ONE, key))
        .route(catalogue::PATH, only(DOCUMENT, catalogue))
        .route(erase_account::PATH, only(ACT, erase_account))
        .route(lookups::PATH, only(DOCUMENT, lookups))
        .route(retention::PATH, only(ACT, retention))
}

fn json(value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        ApiError::internal()
    })
}

/// Tells the methods of a path, and refuses all others.
fn only(allowed: &'static str, methods: MethodRouter<App>) -> MethodRouter<App> {
    methods
        .options(move || async move { [(ALLOW, allowed)] })
        .fallback(move || async move { ApiError::method_not_allowed("PGRST117", allowed) })
}
