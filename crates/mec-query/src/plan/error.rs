//! Why a query has no plan.

use std::borrow::Cow;

/// A query that cannot be answered. Its code is PostgREST's or PostgreSQL's, as its clients know them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct PlanError {
    /// The code for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: Cow<'static, str>,
    /// More about it.
    pub details: Option<String>,
    /// What may be done about it.
    pub hint: Option<String>,
}

impl PlanError {
    /// An error of a code with its message.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            hint: None,
        }
    }

    pub(crate) fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    pub(crate) fn with_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }
}
