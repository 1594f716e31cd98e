//! Opening connections: what is set on each of them, and why.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mec_core::IdSource;
use mec_store::{Clock, StoreError};
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::commit::counters::CounterIds;
use crate::config::{self, SqliteConfig};
use crate::error::{io_error, store_error};
use crate::folder::{self, FolderLock};
use crate::readers::{Readers, Reading};
use crate::store::SqliteStore;
use crate::values::first;
use crate::writer::{Slot, Writer};
use crate::{migrate, resources, sql};

impl SqliteStore {
    /// Opens the store in a folder, as its one owner. A new one is made and seeded, an older schema
    /// is brought up to date. Reads no history.
    ///
    /// # Errors
    /// [`StoreError::Owned`] where another process has the folder, [`StoreError::Unavailable`] where
    /// it cannot be made or written to, [`StoreError::Damaged`] where it holds something else or a
    /// newer schema.
    pub fn open(
        config: &SqliteConfig,
        clock: Arc<dyn Clock>,
        ids: &mut dyn IdSource,
    ) -> Result<Self, StoreError> {
        folder::make(&config.data_dir)?;
        let lock = FolderLock::take(&config.data_dir)?;
        let path = config.data_dir.join(config::DATABASE_FILE);
        let mut connection = writer(&path)?;
        limit_size(&connection, config.max_size_bytes).map_err(store_error)?;
        migrate::migrate(&mut connection, clock.now())?;
        migrate::seed(&mut connection, ids, clock.now())?;
        let epoch: Option<i64> = first(
            &connection,
            sql::META_SELECT_BY_NAME,
            ["fencing_epoch"],
            |row| row.get(0),
        )
        .map_err(store_error)?;
        let fencing_epoch = epoch
            .and_then(|epoch| u64::try_from(epoch).ok())
            .ok_or_else(|| StoreError::Damaged("the fencing epoch is missing".to_owned()))?;
        let readers = Readers::open(&path)?;
        let slot = Arc::new(Slot::new(Writer {
            conn: connection,
            counters: CounterIds::default(),
        }));
        let timeout = config.query_timeout;
        Ok(Self::new(
            clock,
            slot,
            readers,
            fencing_epoch,
            timeout,
            lock,
        ))
    }
}

/// Opens the connection that writes. Every commit is synced before it returns.
fn writer(path: &Path) -> Result<Connection, StoreError> {
    // SQLite would make the file readable for all; its companions get the mode of the file.
    folder::make_private(path)
        .map_err(|error| io_error(&format!("{} cannot be opened", path.display()), error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(store_error)?;
    let prepare = || -> rusqlite::Result<()> {
        connection.busy_timeout(config::BUSY_TIMEOUT)?;
        keep_plans(&connection)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // What is overwritten is gone from its page, so that who was erased is not read from the file.
        connection.pragma_update_and_check(None, "secure_delete", "fast", |_| Ok(()))?;
        connection.pragma_update(None, "cache_size", -config::WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", config::CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "temp_store", "memory")
    };
    prepare().map_err(store_error)?;
    if let Err(error) = folder::lay_out_log(path) {
        // The log grows as it is written, then, and commits are slower until it has its size.
        tracing::warn!(%error, "the write-ahead log could not be laid out");
    }
    Ok(connection)
}

/// Statements are planned once. Without the planner's stability guarantee SQLite plans one anew
/// whenever other values are bound to it, which costs more than most of them take to run.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(config::STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Bounds the size of the database; a bound below its present size only stops its growth.
fn limit_size(connection: &Connection, max_size_bytes: Option<u64>) -> rusqlite::Result<()> {
    let Some(bytes) = max_size_bytes else {
        return Ok(());
    };
    let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(bytes)
        .unwrap_or(i64::MAX)
        .checked_div(page_size)
        .unwrap_or(0)
        .max(1);
    // The pragma answers the bound it set, which a plain update would take for an error.
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

/// Opens a connection that only reads, beside the writer.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(store_error)?;
    let prepare = || -> rusqlite::Result<()> {
        connection.busy_timeout(config::BUSY_TIMEOUT)?;
        keep_plans(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cache_size", -config::READER_CACHE_KIB)
    };
    prepare().map_err(store_error)?;
    Ok(connection)
}

/// Opens a connection that answers callers' queries: it has the functions that they need, and stops
/// those that are late.
pub(crate) fn answering(path: &Path) -> Result<Reading, StoreError> {
    let mut connection = reader(path)?;
    let until = Arc::new(Mutex::new(None::<Instant>));
    let held = until.clone();
    let is_late = move || held.lock().is_some_and(|until| Instant::now() > until);
    connection
        .progress_handler(config::STEPS_BETWEEN_LOOKS, Some(is_late))
        .map_err(store_error)?;
    resources::install(&connection).map_err(store_error)?;
    Ok(Reading { connection, until })
}
