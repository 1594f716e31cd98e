//! What can go wrong in a store.

/// A store could not answer. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or written to for now: disk full, file read-only, connection lost.
    #[error("the store is not available: {0}")]
    Unavailable(
        String,
        #[source] Option<Box<dyn std::error::Error + Send + Sync>>,
    ),
    /// Another writer was in the way, and nothing was done: the same may work when it is tried again.
    #[error("another writer was in the way: {0}")]
    Again(String),
    /// What it holds is not what it should hold.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Another process owns it.
    #[error("{0}")]
    Owned(String),
    /// A fault of the store's own.
    #[error("the store failed: {0}")]
    Internal(
        String,
        #[source] Option<Box<dyn std::error::Error + Send + Sync>>,
    ),
}

/// A commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A constraint refused the changes of one command; the index is that of the command in the batch,
    /// where it is known. Nothing was committed.
    #[error("refused by a constraint: {reason}")]
    Refused {
        /// Which command.
        command: Option<usize>,
        /// Which constraint.
        reason: String,
        /// Whether a sum would have exceeded what a sum can hold.
        overflow: bool,
    },
    /// Nothing was committed.
    #[error(transparent)]
    NotDone(#[from] StoreError),
    /// Whether it was committed is not known yet. Whoever locks one of its trees or claims one of its
    /// keys waits until it is, and then sees what became of it.
    #[error("whether it was committed is not known: {0}")]
    InDoubt(#[source] StoreError),
}

/// A query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It took longer than a query may.
    #[error("the query takes too long")]
    TooSlow,
    /// Its answer is larger than an answer may be.
    #[error("the answer is too large")]
    TooLarge,
    /// What it asks for is refused by the database itself.
    #[error("the database refused the query: {0}")]
    Refused(String),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
