//! Errors as clients see them: `{code, message, details, hint}`, by one table.

pub mod codes;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mec_engine::EngineError;

/// An error on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    code: &'static str,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

impl ApiError {
    /// An error by its code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            hint: None,
        }
    }

    /// With the field it is about.
    pub fn field(mut self, field: &str) -> Self {
        self.details = Some(field.to_owned());
        self
    }

    /// The status of its code.
    pub fn status(&self) -> StatusCode {
        let row = codes::CODES.iter().find(|row| row.code == self.code);
        row.and_then(|row| StatusCode::from_u16(row.status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its body.
    pub fn body(&self) -> serde_json::Value {
        serde_json::json!({
            "code": self.code, "message": self.message, "details": self.details, "hint": self.hint,
        })
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => {
                let hint = refusal.hint().map(str::to_owned);
                let details = refusal.field().map(str::to_owned);
                Self {
                    code: refusal.code(),
                    message: refusal.to_string(),
                    details,
                    hint,
                }
            }
            EngineError::Store(cause) => {
                tracing::error!(%cause, "the store is not available");
                Self::new(
                    "store_unavailable",
                    "the store is not available; try again soon",
                )
            }
            EngineError::Busy => Self::new("busy", "too many requests wait; try again soon"),
            EngineError::Closed => Self::new("shutting_down", "the service is shutting down"),
            EngineError::Internal(cause) => {
                tracing::error!(%cause, "the engine failed");
                Self::new("internal_error", "the service failed; its log says why")
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = crate::json(status, self.body().to_string());
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
