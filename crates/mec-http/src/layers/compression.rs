//! Compression of answers that may be large. The routes of small answers go without it, since a check
//! would pay for it and gain nothing.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, ETAG};
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

/// What is shorter is sent as it is, in bytes.
const LEAST_BYTES: u64 = 1_024;

/// Compresses answers above 1 KiB by what the client takes: br, zstd or gzip.
pub fn compression() -> CompressionLayer<SizeAbove> {
    CompressionLayer::new().compress_when(SizeAbove::new(LEAST_BYTES))
}

/// The tag of an answer that was compressed names its content and not its bytes any more.
pub async fn weaken(mut response: Response) -> Response {
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
