//! Proving the database against itself: its rows are handed to the proof that all stores share, and
//! the triggers that guard what is only ever appended to must stand.

mod guards;
mod rows;

use std::path::Path;

use mec_store::StoreError;
use mec_store::verify::{ChainHead, Difference, Proof, VerifyReport};
use rusqlite::Connection;

use crate::error::store_error;
use crate::store::SqliteStore;
use crate::{config, migrate, open};

/// What stops a verification.
enum Stop {
    /// A row differs.
    Difference(Difference),
    /// The database cannot be read.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Difference> for Stop {
    fn from(difference: Difference) -> Self {
        Self::Difference(difference)
    }
}

/// Reads the whole ledger of a data folder in one read transaction, also while a server runs.
/// `progress` is told the number of events read so far.
///
/// # Errors
/// Where there is no database of this schema or it cannot be read. A row that differs is no error:
/// it is the report's `problem`.
pub fn verify(data_dir: &Path, progress: &mut dyn FnMut(u64)) -> Result<VerifyReport, StoreError> {
    verify_since(data_dir, &[], progress)
}

/// As [`verify`]; and each chain head of an earlier report must still be a part of its chain.
///
/// # Errors
/// As [`verify`].
pub fn verify_since(
    data_dir: &Path,
    earlier: &[ChainHead],
    progress: &mut dyn FnMut(u64),
) -> Result<VerifyReport, StoreError> {
    let connection = open::reader(&data_dir.join(config::DATABASE_FILE))?;
    migrate::check(&connection)?;
    let transaction = connection.unchecked_transaction().map_err(store_error)?;
    let inventories = rows::inventories(&transaction).map_err(store_error)?;
    let mut proof = Proof::new(inventories, earlier);
    match compare(&transaction, &mut proof, progress) {
        Ok(()) => Ok(proof.report(None)),
        Err(Stop::Difference(difference)) => Ok(proof.report(Some(difference))),
        Err(Stop::Sql(error)) => Err(store_error(error)),
    }
}

fn compare(
    connection: &Connection,
    proof: &mut Proof<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Stop> {
    rows::events(connection, proof, progress)?;
    rows::heads(connection, proof)?;
    rows::draws(connection, proof)?;
    rows::buckets(connection, proof)?;
    rows::own_totals(connection, proof)?;
    proof.finish()?;
    guards::compare(connection)
}

impl SqliteStore {
    /// See [`verify`].
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(
        data_dir: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<VerifyReport, StoreError> {
        verify(data_dir, progress)
    }
}
