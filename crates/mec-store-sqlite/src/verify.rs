//! Proving the database against itself: the hash chains, their heads, every sum recomputed from the
//! ledger, and the triggers that guard what is only ever appended to.

mod chains;
mod earlier;
mod expected;
mod guards;
mod sums;

use std::path::Path;

use mec_store::StoreError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::store_error;
use crate::store::SqliteStore;
use crate::{config, migrate, open};
use earlier::Earlier;
use expected::Expected;

/// What a verification found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Events that were read.
    pub events: u64,
    /// Chains that were followed.
    pub chains: u64,
    /// Counters that were compared.
    pub counters: u64,
    /// Buckets of these counters that were compared.
    pub buckets: u64,
    /// The first row that differs, as a sentence; none when all is as it should be.
    pub problem: Option<String>,
    /// The last link of every chain, for a comparison with an earlier list.
    pub heads: Vec<ChainHead>,
}

/// The last link of a chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Whose.
    pub namespace_id: String,
    /// The chain.
    pub chain_id: Uuid,
    /// How many events it has.
    pub chain_seq: u64,
    /// The hash of the last, in hexadecimal.
    pub chain_hash: String,
}

/// What stops a verification.
enum Stop {
    /// A row differs; the sentence says which.
    Problem(String),
    /// The database cannot be read.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
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
    let mut report = VerifyReport::default();
    let compared = Expected::new(&transaction)
        .map_err(Stop::Sql)
        .and_then(|mut expected| {
            let mut earlier = Earlier::new(earlier);
            chains::walk(
                &transaction,
                &mut report,
                &mut expected,
                &mut earlier,
                progress,
            )?;
            earlier.all_found()?;
            chains::compare_heads(&transaction, &report)?;
            expected.add_draws(&transaction)?;
            (report.counters, report.buckets) =
                sums::compare_counters(&transaction, &mut expected)?;
            sums::compare_own_totals(&transaction, &mut expected)?;
            guards::compare(&transaction)
        });
    match compared {
        Ok(()) => Ok(report),
        Err(Stop::Problem(sentence)) => Ok(VerifyReport {
            problem: Some(sentence),
            ..report
        }),
        Err(Stop::Sql(error)) => Err(store_error(error)),
    }
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
