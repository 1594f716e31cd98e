//! The embedded store: one SQLite file, owned by one process, written by one thread.
//!
//! Every commit is one transaction with `synchronous=FULL`: when it returns, its changes survive a
//! crash of the machine. Reads outside a batch go through connections of their own.
#![forbid(unsafe_code)]

mod batch;
mod catalogue;
mod commit;
mod convert;
mod errors;
mod load;
mod open;
mod query;
mod schema;
mod sql;
mod verify;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use mec_core::catalogue::Lookups;
use mec_core::{Catalogue, Namespace, Timestamp};
use mec_store::{
    CatalogueDraft, Clock, CommitError, KeyRef, Locator, Place, SeriesQuery, SeriesRow, Store,
    StoreError, UsageQuery,
};
use parking_lot::Mutex;
use rusqlite::Connection;
use uuid::Uuid;

use crate::errors::{commit_error, store_error};

pub use batch::SqliteBatch;
pub use verify::{ChainHead, VerifyReport, verify};

/// Where the embedded store keeps its data, and how much of it.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The folder of the database file `mec.db`; made (mode 0700) where it is missing.
    pub data_dir: PathBuf,
    /// The database may grow to so many bytes; none for no bound but the disk's.
    pub max_size_bytes: Option<u64>,
}

/// The embedded store.
pub struct SqliteStore {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    writer: Arc<Mutex<Option<Writer>>>,
    readers: Arc<Mutex<Vec<Connection>>>,
    fencing_epoch: u64,
    // Held for the life of the store: the lock on the folder goes with the file.
    _owner: File,
}

/// The one connection that writes, with what it remembers of committed rows.
pub(crate) struct Writer {
    pub connection: Connection,
    pub counters: commit::CounterIds,
}

impl SqliteStore {
    fn take_writer(&self) -> Result<Writer, StoreError> {
        let taken = self.writer.lock().take();
        taken.ok_or_else(|| {
            StoreError::Internal("the writer is in use by another batch".to_owned(), None)
        })
    }

    /// Runs a read on a connection of its own, off the asynchronous threads.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (path, readers) = (self.path.clone(), self.readers.clone());
        let task = tokio::task::spawn_blocking(move || {
            let held = readers.lock().pop();
            let connection = match held {
                Some(connection) => connection,
                None => open::reader(&path).map_err(store_error)?,
            };
            let answer = read(&connection).map_err(store_error);
            readers.lock().push(connection);
            answer
        });
        task.await
            .unwrap_or_else(|error| Err(StoreError::Internal(error.to_string(), None)))
    }
}

impl Store for SqliteStore {
    type Batch = SqliteBatch;

    fn lanes(&self) -> usize {
        1
    }

    async fn begin(&self, _lane: usize, keys: &[KeyRef]) -> Result<SqliteBatch, StoreError> {
        SqliteBatch::begin(
            self.take_writer()?,
            self.writer.clone(),
            self.clock.now(),
            self.fencing_epoch,
            keys,
        )
    }

    async fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> Result<Option<Catalogue>, StoreError> {
        let namespace = namespace.clone();
        self.read(move |connection| {
            if newer_than.is_some_and(|known| {
                catalogue::version(connection, &namespace).is_ok_and(|held| held <= known)
            }) {
                return Ok(None);
            }
            catalogue::read(connection, &namespace).map(Some)
        })
        .await
    }

    async fn lookups(&self) -> Result<Arc<Lookups>, StoreError> {
        self.read(|connection| catalogue::lookups(connection).map(Arc::new))
            .await
    }

    async fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        now: Timestamp,
    ) -> Result<Catalogue, CommitError> {
        let mut writer = self.take_writer()?;
        let put = (|| {
            let transaction = writer.connection.transaction()?;
            catalogue::write(&transaction, namespace, draft, now)?;
            let written = catalogue::read(&transaction, namespace)?;
            transaction.commit()?;
            Ok(written)
        })();
        *self.writer.lock() = Some(writer);
        put.map_err(|error| commit_error(error, None))
    }

    async fn usage(&self, query: UsageQuery) -> Result<i128, StoreError> {
        self.read(move |connection| query::usage(connection, &query))
            .await
    }

    async fn series(&self, query: SeriesQuery) -> Result<Vec<SeriesRow>, StoreError> {
        self.read(move |connection| query::series(connection, &query))
            .await
    }

    async fn find(
        &self,
        namespace: &Namespace,
        locator: Locator,
    ) -> Result<Option<Place>, StoreError> {
        let namespace = namespace.clone();
        self.read(move |connection| load::locate(connection, &namespace, &locator))
            .await
    }

    async fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        let namespace = namespace.clone();
        self.read(move |connection| load::ancestors(connection, &namespace, account))
            .await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            connection.query_row(sql::META_SELECT_BY_NAME, ["seeded"], |_| Ok(()))
        })
        .await
    }
}
