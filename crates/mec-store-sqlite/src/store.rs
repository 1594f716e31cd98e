//! The embedded store behind the seam.

use std::sync::Arc;
use std::time::Duration;

use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::{Catalogue, Namespace, Timestamp};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use mec_store::{
    ApiKey, CatalogueDraft, CatalogueRows, Clock, CommitError, Expired, KeyRef, Locator, Place,
    PoolUse, QueryError, Reader, Retention, SeriesQuery, SeriesRow, Store, StoreError, StoreSize,
    TreeRef, UsageQuery,
};
use rusqlite::Connection;
use uuid::Uuid;

use crate::batch::SqliteBatch;
use crate::error::{Fault, store_error};
use crate::folder::FolderLock;
use crate::readers::Readers;
use crate::values::run;
use crate::writer::Slot;
use crate::{api_keys, catalogue, load, locate, lookups, query, resources, retention, sql};

/// The embedded store.
pub struct SqliteStore {
    clock: Arc<dyn Clock>,
    // Before the writer: the last connection to be closed moves the write-ahead log into the
    // database, which one that only reads cannot.
    readers: Readers,
    slot: Arc<Slot>,
    fencing_epoch: u64,
    query_timeout: Duration,
    // Last, so that the connections are closed before the folder is free for another process.
    lock: Arc<FolderLock>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("fencing_epoch", &self.fencing_epoch)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        slot: Arc<Slot>,
        readers: Readers,
        fencing_epoch: u64,
        query_timeout: Duration,
        lock: FolderLock,
    ) -> Self {
        Self {
            clock,
            slot,
            readers,
            fencing_epoch,
            query_timeout,
            lock: Arc::new(lock),
        }
    }

    /// Runs a statement of its own on the connection that writes.
    fn alone<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CommitError> {
        let mut taken = self.slot.take()?;
        let connection = &taken.writer()?.conn;
        work(connection).map_err(|error| Fault::from(error).of(None))
    }

    #[cfg(test)]
    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }
}

impl Store for SqliteStore {
    type Batch = SqliteBatch;

    fn lanes(&self) -> usize {
        1
    }

    async fn begin(
        &self,
        _lane: usize,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> Result<SqliteBatch, StoreError> {
        SqliteBatch::begin(&self.slot, &*self.clock, self.fencing_epoch, trees, keys)
    }

    async fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> Result<Option<Catalogue>, StoreError> {
        let namespace = namespace.clone();
        let read = self.readers.read(move |connection| {
            let version = catalogue::version(connection, &namespace)?;
            if newer_than.is_some_and(|known| version <= known) {
                return Ok(None);
            }
            catalogue::read(connection, &namespace).map(Some)
        });
        read.await
    }

    async fn lookups(&self) -> Result<Arc<Lookups>, StoreError> {
        self.readers
            .read(|connection| lookups::read(connection).map(Arc::new))
            .await
    }

    async fn used_lookups(&self, rows: Vec<LookupRef>) -> Result<Vec<LookupRef>, StoreError> {
        self.readers
            .read(|connection| lookups::used(connection, rows))
            .await
    }

    async fn put_lookups(&self, lookups: &Lookups) -> Result<Arc<Lookups>, CommitError> {
        let mut taken = self.slot.take()?;
        let put = lookups::replace(&mut taken.writer()?.conn, lookups);
        put.map(Arc::new)
            .map_err(|error| Fault::from(error).of(None))
    }

    async fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        now: Timestamp,
    ) -> Result<Catalogue, CommitError> {
        let mut taken = self.slot.take()?;
        let connection = &mut taken.writer()?.conn;
        let mut put = || -> rusqlite::Result<Catalogue> {
            let transaction = connection.transaction()?;
            catalogue::write::replace(&transaction, namespace, draft, now)?;
            let written = catalogue::read(&transaction, namespace)?;
            transaction.commit()?;
            Ok(written)
        };
        put().map_err(|error| Fault::from(error).of(None))
    }

    async fn apply_retention(&self, retention: &Retention) -> Result<Expired, CommitError> {
        let mut taken = self.slot.take()?;
        retention::apply(&mut taken.writer()?.conn, retention)
            .map_err(|error| Fault::from(error).of(None))
    }

    async fn used(
        &self,
        namespace: &Namespace,
        rows: CatalogueRows,
    ) -> Result<CatalogueRows, StoreError> {
        let namespace = namespace.clone();
        self.readers
            .read(move |connection| catalogue::used(connection, &namespace, &rows))
            .await
    }

    async fn usage(&self, query: UsageQuery) -> Result<i128, StoreError> {
        self.readers
            .read(move |connection| query::usage(connection, &query))
            .await
    }

    async fn series(&self, query: SeriesQuery) -> Result<Vec<SeriesRow>, StoreError> {
        self.readers
            .read(move |connection| query::series(connection, &query))
            .await
    }

    async fn query(&self, _: &Reader, plan: Arc<Plan>) -> Result<Rows, QueryError> {
        self.readers
            .read_within(Some(self.query_timeout), move |connection| {
                resources::query(connection, &plan)
            })
            .await
    }

    async fn locate(
        &self,
        references: &[(Namespace, Locator)],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let references = references.to_vec();
        let read = self.readers.read(move |connection| {
            let located = references
                .iter()
                .map(|(namespace, locator)| locate::locate(connection, namespace, locator));
            located.collect()
        });
        read.await
    }

    async fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        let namespace = namespace.clone();
        self.readers
            .read(move |connection| load::ancestors(connection, &namespace, account))
            .await
    }

    async fn api_key(&self, key: Uuid) -> Result<Option<ApiKey>, StoreError> {
        self.readers
            .read(move |connection| api_keys::find(connection, key))
            .await
    }

    async fn api_keys(&self, namespace: Option<&Namespace>) -> Result<Vec<ApiKey>, StoreError> {
        let namespace = namespace.cloned();
        self.readers
            .read(move |connection| api_keys::list(connection, namespace.as_ref()))
            .await
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), CommitError> {
        self.alone(|connection| api_keys::put(connection, key))
    }

    async fn revoke_api_key(
        &self,
        namespace: Option<&Namespace>,
        key: Uuid,
        now: Timestamp,
    ) -> Result<bool, CommitError> {
        self.alone(|connection| api_keys::revoke(connection, namespace, key, now))
    }

    async fn use_api_key(&self, key: Uuid, now: Timestamp) -> Result<(), CommitError> {
        self.alone(|connection| api_keys::note_use(connection, key, now))
    }

    async fn health(&self) -> Result<(), StoreError> {
        let slot = self.slot.clone();
        // Waits for the batch in progress, so not on a thread that others need. What tells whether
        // the store can be written to is a write; a read would find everything in a cache.
        let probe = tokio::task::spawn_blocking(move || {
            let taken = slot.take()?;
            run(taken.connection()?, sql::META_PROBE_BY_NAME, [])
                .map(drop)
                .map_err(store_error)
        });
        probe.await.map_err(|error| {
            StoreError::Internal("the probe stopped".to_owned(), Some(Box::new(error)))
        })?
    }

    fn pools(&self) -> Vec<PoolUse> {
        vec![self.readers.used()]
    }

    async fn size(&self) -> Result<StoreSize, StoreError> {
        let lock = self.lock.clone();
        // A file system may be slow, or away.
        let size = tokio::task::spawn_blocking(move || lock.size());
        size.await.map_err(|error| {
            StoreError::Internal(
                "the look at the disk stopped".to_owned(),
                Some(Box::new(error)),
            )
        })
    }
}
