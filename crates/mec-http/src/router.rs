//! All paths. A new one is named here and nowhere else.

use axum::Router;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::App;
use crate::error::ApiError;
use crate::layers::surround;
use crate::{admin, metrics, pages, resources, rpc};

/// The router of an application.
pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .merge(pages::routes())
        .merge(metrics::routes())
        .merge(resources::routes())
        .merge(admin::routes());
    for entry in rpc::RPCS {
        router = router.route(&format!("/api/rpc/{}", entry.route.name), (entry.methods)());
    }
    let router = router
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
