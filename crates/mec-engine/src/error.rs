//! What can go wrong in the engine.

use mec_core::Refusal;
use mec_store::StoreError;

/// A request was not served. Nothing was changed by it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The core refused the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store cannot be reached or written to.
    #[error("the store is not available")]
    Store(#[from] StoreError),
    /// Too many commands wait.
    #[error("too many commands wait")]
    Busy,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Closed,
    /// A fault of the engine's own.
    #[error("the engine failed: {0}")]
    Internal(String),
}

impl EngineError {
    /// The same error for another command of a batch that failed as a whole.
    pub(crate) fn repeat(&self) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.clone()),
            Self::Store(error) => Self::Store(StoreError::Unavailable(error.to_string(), None)),
            Self::Busy => Self::Busy,
            Self::Closed => Self::Closed,
            Self::Internal(why) => Self::Internal(why.clone()),
        }
    }
}
