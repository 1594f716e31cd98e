//! Compression of answers that may be large. The routes of small answers go without it, since a check
//! would pay for it and gain nothing.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_RANGE, ETAG};
use axum::middleware::map_response;
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

/// What is shorter is sent as it is, in bytes.
const LEAST_BYTES: u64 = 1_024;

/// The routes, with answers above 1 KiB compressed by what the client takes: br, zstd or gzip.
pub fn compressed<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(map_response(set_aside))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(LEAST_BYTES)))
        .layer(map_response(restore))
}

/// The `Content-Range` of an answer on its way through the compression.
#[derive(Clone)]
struct RowRange(HeaderValue);

/// A range of rows is none of bytes, which alone are not to be compressed.
async fn set_aside(mut response: Response) -> Response {
    if let Some(range) = response.headers_mut().remove(CONTENT_RANGE) {
        response.extensions_mut().insert(RowRange(range));
    }
    response
}

/// Puts the range back. The tag of an answer that was compressed names its content and not its bytes any
/// more.
async fn restore(mut response: Response) -> Response {
    if let Some(RowRange(range)) = response.extensions_mut().remove() {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_ENCODING)
        && let Some(tag) = headers.get(ETAG)
        && tag.as_bytes().starts_with(b"\"")
        && let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat())
    {
        headers.insert(ETAG, weak);
    }
    response
}
