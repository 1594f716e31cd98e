//! What SQLite's errors mean to the engine.

use mec_store::{CommitError, StoreError};
use rusqlite::ffi::ErrorCode;

/// The name of the constraint that bounds every sum.
const SUM_CONSTRAINT: &str = "sum_in_range";

/// What stopped the writing of one change.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite did.
    Sql(rusqlite::Error),
    /// A sum would have exceeded what its columns hold.
    Overflow,
    /// A row that the change builds on is not as the change says.
    Conflict(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Fault {
    /// The refusal of a command's change, or the store's own trouble.
    pub(crate) fn of(self, command: Option<usize>) -> CommitError {
        let refused = |reason: String, overflow| CommitError::Refused {
            command,
            reason,
            overflow,
        };
        match self {
            Self::Overflow => refused("a sum would exceed what a sum can hold".to_owned(), true),
            Self::Conflict(reason) => refused(reason, false),
            Self::Sql(error) => match &error {
                rusqlite::Error::SqliteFailure(failure, message)
                    if failure.code == ErrorCode::ConstraintViolation =>
                {
                    let reason = message.clone().unwrap_or_else(|| error.to_string());
                    let overflow = reason.contains(SUM_CONSTRAINT)
                        || failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_DATATYPE;
                    refused(reason, overflow)
                }
                rusqlite::Error::ToSqlConversionFailure(_) => refused(error.to_string(), true),
                _ => CommitError::NotDone(store_error(error)),
            },
        }
    }
}

/// What an error of SQLite's means, in a sentence.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    let unavailable = |sentence: &str, error: rusqlite::Error| {
        StoreError::Unavailable(sentence.to_owned(), Some(Box::new(error)))
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => unavailable(
            "the disk, or the size that is allowed for the database, is full",
            error,
        ),
        Some(ErrorCode::ReadOnly) => unavailable("the database file cannot be written to", error),
        Some(ErrorCode::PermissionDenied) => {
            unavailable("the database file may not be accessed", error)
        }
        Some(ErrorCode::SystemIoFailure) => unavailable("the disk reported an error", error),
        Some(ErrorCode::CannotOpen) => unavailable("the database file cannot be opened", error),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => unavailable("another program holds the database", error),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged(format!("the database file is damaged: {error}"))
        }
        _ => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => {
                StoreError::Damaged(format!("a row cannot be read: {error}"))
            }
            error => StoreError::Internal("SQLite failed".to_owned(), Some(Box::new(error))),
        },
    }
}

/// What an error of the file system means.
pub(crate) fn io_error(what: &str, error: std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{what}: {error}"), Some(Box::new(error)))
}
