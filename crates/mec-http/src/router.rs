//! All paths. A new one is named here and nowhere else.

use axum::Router;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::App;
use crate::error::ApiError;
use crate::layers::{compressed, surround};
use crate::{admin, metrics, pages, resources, rpc};

/// The router of an application.
pub fn router(app: App) -> Router {
    let mut small = Router::new();
    let mut large = Router::new()
        .merge(metrics::routes(&app))
        .merge(resources::routes())
        .merge(admin::routes());
    for entry in rpc::RPCS {
        let routes = if entry.is_large {
            &mut large
        } else {
            &mut small
        };
        let path = format!("/api/rpc/{}", entry.route.name);
        *routes = std::mem::take(routes).route(&path, (entry.methods)());
    }
    let router = Router::new()
        .merge(pages::routes())
        .merge(compressed(large))
        .merge(small)
        .route("/api/rpc/{name}", any(rpc::unknown))
        .fallback(not_found);
    surround(router, app.front().clone()).with_state(app)
}

async fn not_found(uri: Uri) -> Response {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::new("not_found", "there is nothing at this path")
        .with_details(shown)
        .into_response()
}
