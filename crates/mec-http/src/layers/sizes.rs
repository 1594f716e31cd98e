//! The sizes of a request's head.

use axum::extract::Request;

use crate::Limits;
use crate::error::ApiError;

/// Refuses an address or header fields that are too large.
pub fn check(limits: &Limits, request: &Request) -> Result<(), ApiError> {
    let most = limits.uri_bytes;
    let address = request.uri().path_and_query();
    if address.map_or(0, |address| address.as_str().len()) > most {
        let message = format!("path and query have at most {most} bytes");
        return Err(ApiError::new("uri_too_long", message));
    }
    let headers = request.headers();
    if headers.len() > limits.header_count {
        let message = format!(
            "a request has at most {} header fields",
            limits.header_count
        );
        return Err(ApiError::new("headers_too_large", message));
    }
    let bytes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    if bytes.sum::<usize>() > limits.header_bytes {
        let most = limits.header_bytes;
        let message = format!("the header fields of a request have at most {most} bytes");
        return Err(ApiError::new("headers_too_large", message));
    }
    Ok(())
}
