//! A net under handlers that panic.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// The answer to a request whose handler panicked.
pub fn caught(panic: Box<dyn Any + Send + 'static>) -> Response {
    // A text that was put together may hold what a client sent, such as the string that was cut wrongly.
    let cause = panic.downcast_ref::<&'static str>().copied();
    tracing::error!(cause, "a handler panicked");
    ApiError::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, Response};
    use axum::routing::get;
    use secrecy::SecretString;
    use tower::ServiceExt;

    use crate::layers::{Front, surround};

    #[tokio::test]
    async fn a_panic_is_answered_and_tells_nothing() {
        async fn fails() -> Response<Body> {
            panic!("a secret")
        }
        let router: Router = Router::new().route("/", get(fails));
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");
        let router = surround(router, Front::from(secret));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status().as_u16(), 500);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            text.contains("internal_error") && !text.contains("secret"),
            "{text}"
        );
    }
}
