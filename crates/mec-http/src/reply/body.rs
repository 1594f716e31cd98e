//! Reading a JSON body, within its bounds.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderMap};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::App;
use crate::error::ApiError;
use crate::layers::Passage;

/// The bytes of a body that is sent as JSON; none where there is no body.
#[derive(Debug)]
pub struct JsonBody(pub Bytes);

impl FromRequest<App> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, bytes) = taken(request, app).await?;
        if !bytes.is_empty() {
            require_json(&parts)?;
        }
        Ok(Self(bytes))
    }
}

/// The bytes of a body of any type; none where there is no body.
#[derive(Debug)]
pub struct AnyBody(pub Bytes);

impl FromRequest<App> for AnyBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, bytes) = taken(request, app).await?;
        if !bytes.is_empty() {
            refuse_compressed(&parts)?;
        }
        Ok(Self(bytes))
    }
}

/// Takes a request's body in, within its bounds, and then waits for the request's turn.
async fn taken(request: Request, app: &App) -> Result<(HeaderMap, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let bounds = app.front().bounds();
    let limits = &bounds.limits;
    let announced = announced(&parts.headers);
    // A client that waits to be asked for its body is told at once.
    if parts.headers.contains_key(EXPECT) && announced.is_some_and(|n| n > limits.body_bytes) {
        return Err(too_large(limits.body_bytes));
    }
    let patience = Duration::from_secs(limits.body_seconds);
    let bytes = tokio::time::timeout(patience, collect(body, limits.body_bytes)).await;
    let bytes = bytes.map_err(|_| {
        let message = format!(
            "the body did not arrive within {} seconds",
            limits.body_seconds
        );
        ApiError::new("request_timeout", message)
    })??;
    if let Some(passage) = parts.extensions.get::<Arc<Passage>>() {
        passage.place.take(&bounds.budgets).await?;
    }
    Ok((parts.headers, bytes))
}

/// So many times the limit of a body that is too large are read and thrown away.
const DISCARDED_LIMITS: usize = 16;

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    // Most bodies arrive in one piece, which is not copied.
    let mut joined = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::new("invalid_json", "the body broke off"))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(piece.len());
        if length > limit.saturating_mul(DISCARDED_LIMITS) {
            break;
        }
        // A client that is still writing when the connection closes may never read the answer, so
        // that the rest of a body that is too large is taken in and thrown away.
        if length > limit {
            first.clear();
            joined.clear();
        } else if first.is_empty() {
            first = piece;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&piece);
        }
    }
    match length > limit {
        true => Err(too_large(limit)),
        false if joined.is_empty() => Ok(first),
        false => Ok(joined.freeze()),
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        "payload_too_large",
        format!("a body has at most {limit} bytes"),
    )
}

fn refuse_compressed(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        let message = "the body must not be compressed";
        return Err(ApiError::new("unsupported_media_type", message));
    }
    Ok(())
}

fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    refuse_compressed(headers)?;
    let sent = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let message = "send the body with Content-Type: application/json";
        return Err(ApiError::new("unsupported_media_type", message));
    }
    Ok(())
}
