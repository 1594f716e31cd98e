//! What PostgreSQL's errors mean to the engine.

use mec_store::{CommitError, StoreError};
use tokio_postgres::error::SqlState;

use crate::said::Said;

/// The name of the constraint that bounds every sum.
const SUM_CONSTRAINT: &str = "sum_in_range";

/// The name of the constraint that keeps a key from being used twice.
const KEY_CONSTRAINT: &str = "idempotency_keys_pkey";

/// What stopped a statement.
#[derive(Debug)]
pub(crate) enum Fault {
    /// PostgreSQL did, or the way to it.
    Sql(tokio_postgres::Error),
    /// The store cannot be used now, for another reason.
    Store(StoreError),
    /// A row that the change builds on is not as the change says.
    Conflict(String),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    pub(crate) fn damaged(what: String) -> Self {
        Self::Store(StoreError::Damaged(what))
    }

    /// Whether the connection went away, so that what was sent on it may have been done or not.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Sql(error) => match error.code() {
                None => true,
                Some(code) => code.code().starts_with("57P") || code.code().starts_with("08"),
            },
            Self::Store(_) | Self::Conflict(_) => false,
        }
    }

    /// Whether it only says that a statement before it failed.
    pub(crate) fn is_echo(&self) -> bool {
        matches!(self, Self::Sql(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION))
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) => store_error(error),
            Fault::Store(error) => error,
            Fault::Conflict(what) => Self::Internal(what, None),
        }
    }
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        let refused = |reason: String, overflow| Self::Refused {
            command: None,
            reason,
            overflow,
        };
        match fault {
            Fault::Conflict(reason) => refused(reason, false),
            Fault::Sql(error) => {
                let code = error.code().map_or("", |code| code.code()).to_owned();
                let constraint = error.as_db_error().and_then(|error| error.constraint());
                if constraint == Some(KEY_CONSTRAINT) {
                    // The next attempt finds what the other batch has stored.
                    Self::NotDone(StoreError::Again(
                        "a key was used elsewhere meanwhile".to_owned(),
                    ))
                } else if code == "22003" || constraint == Some(SUM_CONSTRAINT) {
                    refused("a sum would exceed what a sum can hold".to_owned(), true)
                } else if code.starts_with("23") || code.starts_with("ME") {
                    refused(Said::from(error).to_string(), false)
                } else {
                    Self::NotDone(store_error(error))
                }
            }
            fault @ Fault::Store(_) => Self::NotDone(fault.into()),
        }
    }
}

fn store_error(error: tokio_postgres::Error) -> StoreError {
    let Some(code) = error.code().map(|code| code.code().to_owned()) else {
        return StoreError::Unavailable(
            "the connection was lost".to_owned(),
            Some(Said::from(error).into()),
        );
    };
    let unavailable = |what: &str, error: tokio_postgres::Error| {
        StoreError::Unavailable(what.to_owned(), Some(Said::from(error).into()))
    };
    match code.as_str() {
        "40001" | "40P01" | "55P03" => StoreError::Again(Said::from(error).to_string()),
        "57014" => unavailable("a statement took too long", error),
        "25006" => unavailable("the database is read-only", error),
        "53100" => unavailable("the disk of the database is full", error),
        "28000" | "28P01" => unavailable("the database does not accept the user", error),
        code if ["08", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            unavailable("the database is not there for now", error)
        }
        "25P03" => unavailable("the transaction was idle for too long", error),
        _ => StoreError::Internal(
            "a statement failed".to_owned(),
            Some(Said::from(error).into()),
        ),
    }
}
