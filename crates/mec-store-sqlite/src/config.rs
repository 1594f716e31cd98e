//! Settings of the embedded store.

use std::path::PathBuf;
use std::time::Duration;

/// The file that holds everything, inside the data folder.
pub const DATABASE_FILE: &str = "mec.db";
/// The file whose lock says who owns the data folder.
pub(crate) const LOCK_FILE: &str = "mec.lock";
/// So many connections read at the same time; further reads wait for one of them.
pub(crate) const READERS: usize = 8;
/// The page cache of the writing connection, in KiB.
pub(crate) const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// The page cache of each reading connection, in KiB.
pub(crate) const READER_CACHE_KIB: i64 = 8 * 1024;
/// After so many pages in the write-ahead log they are moved into the database.
pub(crate) const CHECKPOINT_PAGES: i64 = 8_000;
/// What the write-ahead log grows to between two such moves, and a little more.
pub(crate) const LOG_BYTES: u64 = 36 << 20;
/// How long a statement waits for a lock that another program, such as a backup, holds.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// After so many of its steps SQLite looks whether a query is late.
pub(crate) const STEPS_BETWEEN_LOOKS: i32 = 10_000;
/// More than there are files in `sql/`, so that no statement is prepared twice.
pub(crate) const STATEMENTS: usize = 200;

/// Where the embedded store keeps its data, and how much of it.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The folder of the database file `mec.db`; made (mode 0700) where it is missing.
    pub data_dir: PathBuf,
    /// The database may grow to so many bytes; none for no bound but the disk's. What would exceed
    /// it is refused as on a full disk, and nothing is lost.
    pub max_size_bytes: Option<u64>,
    /// How long a query of resources may take before it is given up. Default 5 seconds.
    pub query_timeout: Duration,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("mec-data"),
            max_size_bytes: None,
            query_timeout: Duration::from_secs(5),
        }
    }
}
