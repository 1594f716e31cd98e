//! All paths. A new one is named here and nowhere else.

use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

use crate::App;
use crate::error::ApiError;
use crate::layers::{RequestIds, caught, identify};
use crate::{admin, pages, resources, rpc};

/// The router of an application.
pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .merge(pages::routes())
        .merge(resources::routes())
        .merge(admin::routes());
    for entry in rpc::RPCS {
        router = router.route(&format!("/api/rpc/{}", entry.route.name), (entry.methods)());
    }
    router
        .route("/api/rpc/{name}", any(rpc::unknown))
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(caught))
        .layer(middleware::from_fn_with_state(
            (app.clone(), RequestIds::default()),
            identify,
        ))
        .with_state(app)
}

async fn not_found(uri: Uri) -> Response {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::new("not_found", "there is nothing at this path")
        .with_details(shown)
        .into_response()
}
