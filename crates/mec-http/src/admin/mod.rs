//! What administrators do: the paths below `/admin`.

mod api_keys;
pub mod catalogue;
mod describe;
mod document;
mod erase_account;
mod lookups;
mod retention;

use axum::http::header::ALLOW;
use axum::routing::{MethodRouter, delete, get, post};
use serde::Serialize;

use crate::App;
use crate::error::ApiError;
use crate::router::Entry;

pub use describe::describe;

/// The methods of a document that is read and replaced whole.
const DOCUMENT: &str = "OPTIONS,GET,HEAD,PUT";
/// The methods of a set of which more are made.
const SET: &str = "OPTIONS,GET,HEAD,POST";
/// The methods of one that is taken out.
const ONE: &str = "OPTIONS,DELETE";
/// The methods of an act.
const ACT: &str = "OPTIONS,POST";

/// The paths.
pub fn entries() -> Vec<Entry> {
    let catalogue = get(catalogue::show).put(catalogue::replace);
    let lookups = get(lookups::show).put(lookups::replace);
    let retention = post(retention::apply);
    let erase_account = post(erase_account::erase_account);
    let keys = get(api_keys::list).post(api_keys::create);
    let key = delete(api_keys::revoke);
    vec![
        only(api_keys::PATH, SET, keys),
        only(api_keys::PATH_OF_ONE, ONE, key),
        only(catalogue::PATH, DOCUMENT, catalogue),
        only(erase_account::PATH, ACT, erase_account),
        only(lookups::PATH, DOCUMENT, lookups),
        only(retention::PATH, ACT, retention),
    ]
}

fn json(value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        ApiError::internal()
    })
}

/// A path that tells its methods and refuses all others.
fn only(path: &'static str, allowed: &'static str, methods: MethodRouter<App>) -> Entry {
    let methods = methods
        .options(move || async move { [(ALLOW, allowed)] })
        .fallback(move || async move { ApiError::method_not_allowed("PGRST117", allowed) });
    Entry::new(path, allowed, methods).large()
}
