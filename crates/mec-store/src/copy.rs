//! Moving everything that one store holds into another that is empty: what there is to move, as
//! neutral rows, and the order of the steps. How rows are read and written is each store's own.
//!
//! A copy that was stopped goes on where it stopped. The source does not change while it is copied
//! and gives the rows of a table in one order, and the target writes how many of them it has in the
//! transaction that puts them: so the number says exactly which rows are there.

mod tables;

use crate::StoreError;
use crate::verify::{ChainHead, VerifyReport};

pub use tables::{ENTITLEMENTS, ENTITLEMENTS_AUDIT, Kind, TABLES, Table};

/// What stops a copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It is not to be done, for a reason that a person can do something about.
    #[error("{0}")]
    Refused(String),
    /// A store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A number of rows that become durable together.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Whose they are.
    pub table: &'static Table,
    /// How many.
    pub count: u64,
    /// A JSON array of objects: quantities are decimal text, times RFC 3339, ids and bytes as
    /// PostgreSQL writes them.
    pub json: String,
    /// Rows of another table without which the target's guards refuse these; they come again with
    /// their own table, and are not counted here.
    pub also: Option<(&'static Table, String)>,
}

/// What tells one state of a source from another, without reading all of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// The rows of each table, in the order of [`TABLES`].
    pub totals: Vec<u64>,
    /// A sum of the versions of all that has one: it rises with every commit.
    pub version: i64,
    /// See [`crate::Batch::fencing_epoch`].
    pub fencing_epoch: i64,
}

/// What both sides must agree on about a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Summary {
    /// Its rows.
    pub rows: u64,
    /// The sums of the columns that can be summed, in their order: times as microseconds, all exact.
    pub sums: Vec<(&'static str, String)>,
}

/// A store that is copied. It does not change meanwhile.
pub trait Source {
    /// What it holds.
    ///
    /// # Errors
    /// Where it cannot be read, as with all methods.
    fn facts(&self) -> Result<Facts, CopyError>;

    /// Hands on the rows of a table behind the first `skip`, always in the same order.
    ///
    /// # Errors
    /// Those of `take`, too.
    fn read(
        &self,
        table: &'static Table,
        skip: u64,
        take: &mut dyn FnMut(Rows) -> Result<(), CopyError>,
    ) -> Result<(), CopyError>;

    /// Counts and sums a table.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn summary(&self, table: &'static Table) -> Result<Summary, CopyError>;

    /// Proves the source against itself.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn verify(&self) -> Result<VerifyReport, CopyError>;
}

/// A store that is filled. It refuses to be served from [`Target::begin`] to [`Target::finish`].
pub trait Target {
    /// Makes it ready for a source, or goes on with the one that it was begun with; returns how many
    /// rows of each table it has.
    ///
    /// # Errors
    /// Where it holds other data, was begun with another source, or is in use.
    fn begin(&mut self, facts: &Facts) -> Result<Vec<u64>, CopyError>;

    /// Makes rows durable, and that there are so many more of them.
    ///
    /// # Errors
    /// Where they are refused.
    fn put(&mut self, rows: &Rows) -> Result<(), CopyError>;

    /// Counts and sums a table.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn summary(&mut self, table: &'static Table) -> Result<Summary, CopyError>;

    /// Proves the target against itself and the chain heads of the source.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn verify(&mut self, earlier: &[ChainHead]) -> Result<VerifyReport, CopyError>;

    /// Lets it be served.
    ///
    /// # Errors
    /// Where it cannot be written to.
    fn finish(&mut self, facts: &Facts) -> Result<(), CopyError>;
}

/// What a copy tells while it runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The source is proven.
    VerifySource,
    /// So many of all rows are in the target, of a table at last.
    Copy {
        /// The table's name.
        table: &'static str,
        /// Rows of all tables that are there.
        done: u64,
        /// Rows of all tables.
        total: u64,
    },
    /// Both sides are counted and summed, and the target is proven.
    VerifyTarget,
}

/// How a copy ended.
#[derive(Clone, Debug)]
pub struct CopyReport {
    /// The rows of each table, in the order of [`TABLES`].
    pub tables: Vec<(&'static str, u64)>,
    /// Rows that this run did not put, since an earlier one had.
    pub resumed: u64,
    /// What differs; the target is not served then.
    pub problem: Option<String>,
    /// The proof of the target; of the source, where that differs already and nothing was copied.
    pub verified: VerifyReport,
}

/// Copies everything, proves it, and lets the target be served.
///
/// # Errors
/// See [`CopyError`]. What differs is no error: it is the report's `problem`.
pub fn copy(
    source: &dyn Source,
    target: &mut dyn Target,
    watch: &mut dyn FnMut(Step),
) -> Result<CopyReport, CopyError> {
    watch(Step::VerifySource);
    let origin = source.verify()?;
    if let Some(problem) = &origin.problem {
        return Ok(CopyReport {
            tables: Vec::new(),
            resumed: 0,
            problem: Some(format!("nothing was copied: in the source, {problem}")),
            verified: origin,
        });
    }
    let facts = source.facts()?;
    let copied = target.begin(&facts)?;
    let (resumed, total) = (copied.iter().sum(), facts.totals.iter().sum());
    let mut done = resumed;
    for (table, skip) in TABLES.iter().copied().zip(copied) {
        source.read(table, skip, &mut |rows| {
            target.put(&rows)?;
            done += rows.count;
            let table = table.name;
            watch(Step::Copy { table, done, total });
            Ok(())
        })?;
    }
    watch(Step::VerifyTarget);
    let verified = target.verify(&origin.heads)?;
    let problem = difference(source, target, &origin, &verified)?;
    if problem.is_none() {
        target.finish(&facts)?;
    }
    let names = TABLES.iter().map(|table| table.name);
    Ok(CopyReport {
        tables: names.zip(facts.totals).collect(),
        resumed,
        problem,
        verified,
    })
}

/// The first difference between the two sides.
fn difference(
    source: &dyn Source,
    target: &mut dyn Target,
    origin: &VerifyReport,
    verified: &VerifyReport,
) -> Result<Option<String>, CopyError> {
    if let Some(problem) = &verified.problem {
        return Ok(Some(problem.clone()));
    }
    if sorted(origin) != sorted(verified) {
        return Ok(Some(
            "the chain heads of the two sides are not the same".to_owned(),
        ));
    }
    for table in TABLES {
        let (from, to) = (source.summary(table)?, target.summary(table)?);
        let name = table.name;
        if from.rows != to.rows {
            return Ok(Some(format!(
                "{name}: the source has {} rows, the target {}",
                from.rows, to.rows
            )));
        }
        for ((column, from), (_, to)) in from.sums.iter().zip(&to.sums) {
            if from != to {
                return Ok(Some(format!(
                    "{name}: the sum of {column} is {from} in the source and {to} in the target"
                )));
            }
        }
    }
    Ok(None)
}

/// The heads of a report, in an order that does not depend on how texts are compared by the store.
fn sorted(report: &VerifyReport) -> Vec<(&str, uuid::Uuid, u64, &str)> {
    let mut heads: Vec<_> = report
        .heads
        .iter()
        .map(|head| {
            let namespace: &str = &head.namespace_id;
            (namespace, head.chain_id, head.chain_seq, &*head.chain_hash)
        })
        .collect();
    heads.sort_unstable();
    heads
}
