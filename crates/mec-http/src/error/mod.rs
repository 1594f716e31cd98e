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

/// A call was not served. Nothing was changed by it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    code: &'static str,
    message: Cow<'static, str>,
    details: Option<Cow<'static, str>>,
    hint: Option<Cow<'static, str>>,
    #[serde(skip)]
    allow: Option<Cow<'static, str>>,
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// An error of the table with its message for people.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            hint: None,
            allow: None,
            retry_after_seconds: None,
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
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// A method that a path does not take, with those that it takes.
    pub fn method_not_allowed(code: &'static str, allow: impl Into<Cow<'static, str>>) -> Self {
        let allow = allow.into();
        let error = Self::new(code, format!("the path takes the methods {allow}"));
        Self {
            allow: Some(allow),
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
        if let Some(allow) = self
            .allow
            .and_then(|allow| HeaderValue::try_from(&*allow).ok())
        {
            headers.insert(header::ALLOW, allow);
        }
        response.extensions_mut().insert(ToldError(self.code));
        let headers = response.headers_mut();
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
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
