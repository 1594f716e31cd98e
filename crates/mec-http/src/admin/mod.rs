//! What administrators do: the paths below `/admin`.

mod catalogue;
mod describe;
mod node;
mod packages;
mod read;
mod rows;
mod table;
mod wire;

use axum::Router;
use axum::http::header::ALLOW;
use axum::routing::get;

use crate::App;
use crate::error::ApiError;

pub use describe::describe;

const ALLOWED: &str = "OPTIONS,GET,HEAD,PUT";

/// The routes.
pub fn routes() -> Router<App> {
    let methods = get(catalogue::show)
        .put(catalogue::replace)
        .options(|| async { [(ALLOW, ALLOWED)] })
        .fallback(|| async { ApiError::method_not_allowed("PGRST117", ALLOWED) });
    Router::new().route("/admin/catalogue", methods)
}
