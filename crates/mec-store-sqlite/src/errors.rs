//! SQLite's errors as the store's.

use mec_store::{CommitError, StoreError};
use rusqlite::ErrorCode;

/// An error of a statement. Full disks, read-only files and the like pass; the rest is a fault.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    let sentence = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk is full; free some space, the store then goes on by itself"
        }
        Some(ErrorCode::ReadOnly) => "the database file is read-only; make it writable again",
        Some(ErrorCode::CannotOpen) => "the database file cannot be opened",
        Some(ErrorCode::SystemIoFailure) => "the disk does not take or give data",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the database file"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            return StoreError::Damaged(error.to_string());
        }
        _ => return StoreError::Internal(error.to_string(), Some(Box::new(error))),
    };
    StoreError::Unavailable(sentence.to_owned(), Some(Box::new(error)))
}

/// An error while the changes of a command were written.
pub(crate) fn commit_error(error: rusqlite::Error, command: Option<usize>) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            let reason = error.to_string();
            // STRICT tables refuse the REAL that an overflowing sum would become.
            let overflow = reason.contains("sum_in_range") || reason.contains("cannot store REAL");
            CommitError::Refused {
                command,
                reason,
                overflow,
            }
        }
        _ => CommitError::NotDone(store_error(error)),
    }
}
