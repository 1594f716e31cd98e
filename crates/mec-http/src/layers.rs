//! What surrounds every request: its id, the length of its address, and a net under panics.
//!
//! [`surround`] is public so that a measurement can put the same around a route that does nothing.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::Limits;
use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The id of a request, for answers and logs.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Makes request ids: a part of the process's own and a count, which need no system call each.
#[derive(Clone)]
pub struct RequestIds {
    process: Arc<str>,
    count: Arc<AtomicU64>,
}

impl Default for RequestIds {
    fn default() -> Self {
        let (high, _) = Uuid::new_v4().as_u64_pair();
        Self {
            process: format!("{high:016x}").into(),
            count: Arc::default(),
        }
    }
}

impl RequestIds {
    fn next(&self) -> String {
        format!(
            "{}{:016x}",
            self.process,
            self.count.fetch_add(1, Ordering::Relaxed)
        )
    }
}

/// The routes with what surrounds every request.
pub fn surround<S: Clone + Send + Sync + 'static>(routes: Router<S>, limits: Limits) -> Router<S> {
    let state = (limits, RequestIds::default());
    routes
        .layer(CatchPanicLayer::custom(caught))
        .layer(middleware::from_fn_with_state(state, identify))
}

/// Gives the request an id, or takes over the client's, and writes it on the answer.
pub async fn identify(
    State((limits, ids)): State<(Limits, RequestIds)>,
    mut request: Request,
    next: Next,
) -> Response {
    let sent = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let id: Arc<str> = match sent.filter(|id| is_sane(id)) {
        Some(id) => id.into(),
        None => ids.next().into(),
    };
    let address = request
        .uri()
        .path_and_query()
        .map_or(0, |address| address.as_str().len());
    let mut response = if address > limits.uri_bytes {
        let message = format!("path and query have at most {} bytes", limits.uri_bytes);
        ApiError::new("uri_too_long", message).into_response()
    } else {
        request.extensions_mut().insert(RequestId(id.clone()));
        next.run(request).await
    };
    if response.status().is_server_error() {
        tracing::error!(request_id = %id, status = response.status().as_u16(), "a request failed");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Whether a client's id may stand in logs and headers as it is.
fn is_sane(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_REQUEST_ID_BYTES && id.bytes().all(|b| b.is_ascii_graphic())
}

/// The answer to a request whose handler panicked.
pub fn caught(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let cause = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(cause, "a handler panicked");
    ApiError::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, Response};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::{RequestIds, is_sane, surround};
    use crate::Limits;

    #[tokio::test]
    async fn a_panic_is_answered_and_tells_nothing() {
        async fn fails() -> Response<Body> {
            panic!("a secret")
        }
        let router: Router = Router::new().route("/", get(fails));
        let router = surround(router, Limits::default());
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status().as_u16(), 500);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            text.contains("internal_error") && !text.contains("secret"),
            "{text}"
        );
    }

    #[test]
    fn only_short_visible_ids_are_taken_over() {
        assert!(is_sane("abc-123") && is_sane(&"x".repeat(128)));
        for bad in ["", "a b", "a\nb", "ä", &"x".repeat(129)] {
            assert!(!is_sane(bad), "{bad:?}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::default();
        assert_ne!(ids.next(), ids.next());
        assert_ne!(RequestIds::default().next(), ids.next());
    }
}
