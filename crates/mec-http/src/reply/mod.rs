//! Answers: the engine's bytes as they are, with the headers that tell about them.

pub(crate) mod accept;
mod body;
pub(crate) mod fields;
pub(crate) mod nulls;
pub(crate) mod tag;

use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use mec_core::answer::Quota;
use mec_engine::Outcome;
use mec_query::rows::Cell;

pub use accept::Media;
pub use body::{AnyBody, JsonBody};

use crate::error::ApiError;
use crate::layers::Decided;
use fields::{RATE_LIMIT, RATE_LIMIT_POLICY};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LATE: HeaderName = HeaderName::from_static("mec-late");
/// The largest whole number of a structured header field.
const MAX_FIELD_INTEGER: i128 = 999_999_999_999_999;

/// The answer of an RPC before a media type is chosen.
#[derive(Debug, Default)]
pub struct Reply {
    /// JSON; nothing where rows are answered.
    pub body: String,
    /// Rows of an RPC whose result they are.
    pub rows: Option<Vec<Vec<Cell>>>,
    /// Whether an earlier call with the same key was answered so.
    pub replayed: bool,
    /// Whether a reservation was committed after its expiry.
    pub late: bool,
    /// What the `RateLimit` fields tell.
    pub quota: Option<Quota>,
    /// What it decides, for logs and metrics.
    pub decided: Option<Decided>,
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        let Outcome {
            body,
            replayed,
            late,
            decision,
            ..
        } = outcome;
        Self {
            body,
            rows: None,
            replayed,
            late,
            decided: decision.as_ref().map(|decision| Decided {
                verdict: decision.decision,
                code: decision.code,
            }),
            quota: decision.and_then(|decision| decision.quota),
        }
    }
}

impl Reply {
    /// An answer without anything to tell about it.
    pub fn json(body: String) -> Self {
        Self {
            body,
            ..Self::default()
        }
    }

    /// An answer of rows.
    pub fn rows(rows: Vec<Vec<Cell>>) -> Self {
        Self {
            rows: Some(rows),
            ..Self::default()
        }
    }

    /// The response in the media type that the client accepts.
    pub fn into_response(self, media: Media) -> Result<Response, ApiError> {
        let mut response = media.shape(self.body)?.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if self.late {
            headers.insert(LATE, HeaderValue::from_static("true"));
        }
        if let Some(quota) = self.quota {
            tell_quota(headers, &quota);
        }
        if let Some(decided) = self.decided {
            response.extensions_mut().insert(decided);
        }
        Ok(response)
    }
}

fn tell_quota(headers: &mut HeaderMap, quota: &Quota) {
    use std::fmt::Write as _;
    let whole = |number: i128| number.clamp(0, MAX_FIELD_INTEGER);
    let mut tell = |name, letter: char, amount, time: char, seconds: Option<i64>| {
        let mut text = String::with_capacity(48);
        // Writing into a string does not fail.
        let _ = write!(text, "\"quota\";{letter}={}", whole(amount));
        if let Some(seconds) = seconds {
            let _ = write!(text, ";{time}={}", seconds.max(0));
        }
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    tell(
        RATE_LIMIT_POLICY,
        'q',
        quota.limit,
        'w',
        quota.window_seconds,
    );
    tell(RATE_LIMIT, 'r', quota.remaining, 't', quota.reset_seconds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quota: Quota, policy: &str, left: &str) {
        let mut headers = HeaderMap::new();
        tell_quota(&mut headers, &quota);
        assert_eq!(headers[RATE_LIMIT_POLICY], policy);
        assert_eq!(headers[RATE_LIMIT], left);
    }

    #[test]
    fn quotas_are_told_as_structured_fields() {
        let quota = Quota {
            limit: 100,
            remaining: 99,
            window_seconds: Some(60),
            reset_seconds: Some(5),
        };
        check(quota, "\"quota\";q=100;w=60", "\"quota\";r=99;t=5");
        let endless = Quota {
            limit: i128::MAX,
            window_seconds: None,
            reset_seconds: None,
            ..quota
        };
        check(endless, "\"quota\";q=999999999999999", "\"quota\";r=99");
    }
}
