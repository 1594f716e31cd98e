//! Errors as a client sees them: `{code, message, details, hint}` with the status of the table.

mod codes;
mod engine;
mod query;

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::layers::ToldError;

pub use codes::{CODES, ErrorCode};

/// What a header of the answer tells beside the body.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Told {
    /// The methods that the path takes.
    Allow(Cow<'static, str>),
    /// After how long to come again.
    RetryAfter { seconds: u64 },
}

/// A call was not served. Nothing was changed by it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    code: &'static str,
    message: Cow<'static, str>,
    details: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    #[serde(skip)]
    header: Option<Told>,
}

impl ApiError {
    /// An error of the table with its message for people.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            hint: None,
            header: None,
        }
    }

    /// The same under another code of the table.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// The same with details: of a value, the name of its field and nothing else.
    pub fn with_details(mut self, details: impl Into<Cow<'static, str>>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The same with what the caller may do about it.
    pub fn with_hint(mut self, hint: Option<impl Into<Cow<'static, str>>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }

    /// The same with the seconds after which the caller may come again.
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.header = Some(Told::RetryAfter { seconds });
        self
    }

    /// A method that a path does not take, with those that it takes.
    pub fn method_not_allowed(code: &'static str, allow: impl Into<Cow<'static, str>>) -> Self {
        let allow = allow.into();
        let error = Self::new(code, format!("the path takes the methods {allow}"));
        Self {
            header: Some(Told::Allow(allow)),
            ..error
        }
    }

    /// A fault of MEC's own. Nothing of the cause is told; it belongs into the log.
    pub fn internal() -> Self {
        Self::new("internal_error", "the request failed inside MEC").with_hint(Some(
            "try again; if it stays, report the X-Request-Id of this answer",
        ))
    }

    /// The code for programs.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The details, where they are a sentence of MEC's own and hold nothing that was sent.
    pub(crate) fn fixed_details(&self) -> Option<&'static str> {
        match self.details {
            Some(Cow::Borrowed(details)) => Some(details),
            _ => None,
        }
    }

    /// The HTTP status. A code that has no row is a fault of MEC's own.
    pub fn status(&self) -> StatusCode {
        ErrorCode::find(self.code).map_or(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::status_code)
    }

    /// The body.
    pub fn to_json(&self) -> String {
        // Four texts serialise without fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let json = HeaderValue::from_static("application/json");
        let mut response = (status, [(header::CONTENT_TYPE, json)], self.to_json()).into_response();
        response.extensions_mut().insert(ToldError(self.code));
        let headers = response.headers_mut();
        // PostgREST's clients read the code from here where an answer has no body, under this name alone.
        if let Ok(value) = HeaderValue::from_str(&format!("PostgREST; error={}", self.code)) {
            headers.insert("proxy-status", value);
        }
        match self.code {
            "missing_token" => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            "invalid_token" => {
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            "store_unavailable" | "issuer_unavailable" | "busy" | "shutting_down" | "timed_out" => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        match self.header {
            Some(Told::Allow(allow)) => {
                if let Ok(allow) = HeaderValue::try_from(&*allow) {
                    headers.insert(header::ALLOW, allow);
                }
            }
            Some(Told::RetryAfter { seconds }) => {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            None => {}
        }
        response
    }
}
