//! Opening the database file, as its one owner.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mec_core::IdSource;
use mec_store::{Clock, StoreError};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use crate::commit::CounterIds;
use crate::errors::store_error;
use crate::{SqliteConfig, SqliteStore, Writer, schema, sql};

/// The database's file in the data folder.
pub(crate) const FILE: &str = "mec.db";
const LOCK_FILE: &str = "mec.lock";

impl SqliteStore {
    /// Opens the store in a folder, making and seeding it where it is new. Reads no history.
    pub fn open(
        config: &SqliteConfig,
        clock: Arc<dyn Clock>,
        ids: &mut dyn IdSource,
    ) -> Result<Self, StoreError> {
        make_folder(&config.data_dir)?;
        let owner = own(&config.data_dir)?;
        let path = config.data_dir.join(FILE);
        let mut connection = writer(&path).map_err(store_error)?;
        restrict(&path);
        schema::migrate(&mut connection, clock.now())?;
        schema::seed(&mut connection, ids, clock.now())?;
        if let Some(bytes) = config.max_size_bytes {
            bound(&connection, bytes).map_err(store_error)?;
        }
        let epoch: i64 = connection
            .query_row(sql::META_SELECT_BY_NAME, ["fencing_epoch"], |row| {
                row.get(0)
            })
            .map_err(store_error)?;
        Ok(Self {
            path,
            clock,
            writer: Arc::new(Mutex::new(Some(Writer {
                connection,
                counters: CounterIds::default(),
            }))),
            readers: Arc::new(Mutex::new(Vec::new())),
            fencing_epoch: u64::try_from(epoch).unwrap_or(0),
            _owner: owner,
        })
    }
}

fn bound(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| {
        let sentence = format!(
            "the data folder {} cannot be made: {error}",
            folder.display()
        );
        StoreError::Unavailable(sentence, Some(Box::new(error)))
    };
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(failed)?;
    set_mode(folder, 0o700).map_err(failed)
}

/// The file holds the customers' data, so only its owner may read it. A file of another user that
/// can be written to is a choice of its operator.
fn restrict(path: &Path) {
    if let Err(error) = set_mode(path, 0o600) {
        tracing::warn!(%error, "the mode of the database file could not be set to 0600");
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

fn own(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK_FILE);
    let failed = |error: std::io::Error| {
        let sentence = format!("the lock file {} cannot be used: {error}", path.display());
        StoreError::Unavailable(sentence, Some(Box::new(error)))
    };
    let options = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .clone();
    let mut file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The number only helps the reader; without it the sentence still says what to do.
            let _ = file.read_to_string(&mut pid);
            return Err(StoreError::Owned(format!(
                "the data folder {} is in use by another mec process (pid {}); stop it first, or use its address",
                folder.display(),
                pid.trim()
            )));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    file.write_all(std::process::id().to_string().as_bytes())
        .map_err(failed)?;
    Ok(file)
}

fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(200);
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(100);
    Ok(connection)
}
