//! All paths. A new one is named here and nowhere else.

use axum::Router;
use axum::http::Uri;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::App;
use crate::error::ApiError;
use crate::layers::{compression, surround, weaken};
use crate::{admin, metrics, pages, resources, rpc};

/// The router of an application.
pub fn router(app: App) -> Router {
    let mut router = Router::new().merge(pages::routes()).merge(
        Router::new()
            .merge(metrics::routes())
            .merge(resources::routes())
            .merge(admin::routes())
            .layer(compression())
            .layer(map_response(weaken)),
    );
    for entry in rpc::RPCS {
        let methods = (entry.methods)();
        let methods = match entry.is_large {
            true => methods.layer(compression()),
            false => methods,
        };
        router = router.route(&format!("/api/rpc/{}", entry.route.name), methods);
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
