//! Why a query string is refused.

/// A query string that the grammar does not allow, in the words of PostgREST's PGRST100.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What could not be read, and where it went wrong:
    /// `"failed to parse filter (foo)" (line 1, column 1)`.
    pub message: String,
    /// What stands there and what may stand there.
    pub details: Option<String>,
    /// What to write instead.
    pub hint: Option<String>,
}

impl ParseError {
    /// What is asked is more than one query may ask.
    pub(super) fn too_much(message: String) -> Self {
        Self {
            message,
            details: None,
            hint: None,
        }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
