//! The embedded store as the source of a copy: its rows in a fixed order, as neutral rows.

mod cells;
mod origins;

use std::path::{Path, PathBuf};

use mec_store::StoreError;
use mec_store::copy::{
    CopyError, ENTITLEMENTS_AUDIT, Facts, Kind, Rows, Source, Summary, TABLES, Table,
};
use mec_store::verify::VerifyReport;
use rusqlite::{Connection, Params};

use crate::error::store_error;
use crate::folder::FolderLock;
use crate::{config, migrate, open, sql, verify};
use origins::Origin;

/// So many rows, or a little more than so many bytes, are handed on at once.
const BATCH_ROWS: u64 = 2_000;
const BATCH_BYTES: usize = 4 << 20;

/// A data folder that is copied. It belongs to the copy until this is dropped: no server changes it.
#[derive(Debug)]
pub struct SqliteSource {
    data_dir: PathBuf,
    connection: Connection,
    _lock: FolderLock,
}

impl SqliteSource {
    /// Opens the database of a data folder as its one owner, for reading.
    ///
    /// # Errors
    /// Where there is no database of this version's schema, or a server owns the folder.
    pub fn open(data_dir: &Path) -> Result<Self, CopyError> {
        let database = data_dir.join(config::DATABASE_FILE);
        if !database.is_file() {
            return Err(CopyError::Refused(format!(
                "{} holds no database; name the data folder of an installation",
                data_dir.display()
            )));
        }
        let lock = FolderLock::take(data_dir)?;
        let connection = open::reader(&database)?;
        migrate::check(&connection)?;
        Ok(Self {
            data_dir: data_dir.to_owned(),
            connection,
            _lock: lock,
        })
    }

    fn number(&self, sql: &str, of: impl Params) -> Result<i64, CopyError> {
        let number = self.connection.query_row(sql, of, |row| row.get(0));
        Ok(number.map_err(store_error)?)
    }
}

impl Source for SqliteSource {
    fn facts(&self) -> Result<Facts, CopyError> {
        let count = |table: &&'static Table| {
            let count = self.number(&origins::count(table)?, [])?;
            Ok(u64::try_from(count).unwrap_or(0))
        };
        Ok(Facts {
            totals: TABLES.iter().map(count).collect::<Result<_, CopyError>>()?,
            version: self.number(sql::COPY_VERSION_SELECT, [])?,
            fencing_epoch: self.number(sql::META_SELECT_BY_NAME, ["fencing_epoch"])?,
        })
    }

    fn read(
        &self,
        table: &'static Table,
        skip: u64,
        take: &mut dyn FnMut(Rows) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        let origin = Origin::of(table)?;
        let mut statement = self
            .connection
            .prepare(&origins::select(table, &origin))
            .map_err(store_error)?;
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        let mut rows = statement.query([skip]).map_err(store_error)?;
        let mut batch = Batch::new(table, origin.audit);
        while let Some(row) = rows.next().map_err(store_error)? {
            let next = cells::write(row, 0, table.columns, &mut batch.rows.json)?;
            if let Some((audit, json)) = &mut batch.rows.also {
                cells::write(row, next, audit.columns, json)?;
            }
            batch.rows.count += 1;
            if batch.is_full() {
                take(batch.end())?;
                batch = Batch::new(table, origin.audit);
            }
        }
        if batch.rows.count > 0 {
            take(batch.end())?;
        }
        Ok(())
    }

    fn summary(&self, table: &'static Table) -> Result<Summary, CopyError> {
        let columns: Vec<_> = table
            .columns
            .iter()
            .copied()
            .filter(|(_, kind)| {
                matches!(
                    kind,
                    Kind::Number | Kind::Quantity | Kind::Amount | Kind::At
                )
            })
            .collect();
        let mut statement = self
            .connection
            .prepare(&origins::select_of(&columns, &Origin::of(table)?))
            .map_err(store_error)?;
        let mut rows = statement.query([]).map_err(store_error)?;
        let mut sums = vec![0_i128; columns.len()];
        let mut count = 0;
        while let Some(row) = rows.next().map_err(store_error)? {
            count += 1;
            let mut at = 0;
            for (sum, (_, kind)) in sums.iter_mut().zip(&columns) {
                *sum += cells::number(row, &mut at, *kind).map_err(store_error)?;
            }
        }
        let told = columns.iter().zip(sums);
        Ok(Summary {
            rows: count,
            sums: told
                .map(|((name, kind), sum)| (*name, cells::sum_text(*kind, sum)))
                .collect(),
        })
    }

    fn verify(&self) -> Result<VerifyReport, CopyError> {
        Ok(verify::verify(&self.data_dir, &mut |_| {})?)
    }
}

/// Rows that are being gathered.
struct Batch {
    rows: Rows,
}

impl Batch {
    fn new(table: &'static Table, with_audit: bool) -> Self {
        let also = with_audit.then(|| (ENTITLEMENTS_AUDIT, "[".to_owned()));
        Self {
            rows: Rows {
                table,
                count: 0,
                json: "[".to_owned(),
                also,
            },
        }
    }

    fn is_full(&self) -> bool {
        let also = self.rows.also.as_ref().map_or(0, |(_, json)| json.len());
        self.rows.count >= BATCH_ROWS || self.rows.json.len() + also >= BATCH_BYTES
    }

    fn end(mut self) -> Rows {
        self.rows.json.push(']');
        if let Some((_, json)) = &mut self.rows.also {
            json.push(']');
        }
        self.rows
    }
}

/// A column that a table of the source does not have.
fn unknown(name: &str) -> CopyError {
    StoreError::Internal(format!("the copy does not know where to find {name}"), None).into()
}
