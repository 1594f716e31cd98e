//! Reading a request's body within its bound.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;

use crate::MAX_BODY_BYTES;
use crate::error::ApiError;

/// So much of a body that is too large is read and thrown away, in bytes, so that its sender gets
/// to read the answer instead of a broken connection.
const MAX_DRAINED_BYTES: usize = 16 * MAX_BODY_BYTES;
/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body, if it is within [`MAX_BODY_BYTES`].
pub(crate) async fn read(body: Body) -> Result<Bytes, ApiError> {
    let too_slow = |_| ApiError::new("invalid_json", "the body did not arrive within 30 seconds");
    tokio::time::timeout(TIMEOUT, read_all(body))
        .await
        .map_err(too_slow)?
}

async fn read_all(mut body: Body) -> Result<Bytes, ApiError> {
    let mut read = Vec::new();
    let mut seen: usize = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::new("invalid_json", "the body ended early"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen > MAX_DRAINED_BYTES {
            break;
        }
        if seen <= MAX_BODY_BYTES {
            read.extend_from_slice(&data);
        }
    }
    if seen > MAX_BODY_BYTES {
        return Err(ApiError::new(
            "payload_too_large",
            "the body is larger than 1 MiB",
        ));
    }
    Ok(read.into())
}
