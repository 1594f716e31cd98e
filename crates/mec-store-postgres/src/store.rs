//! The store on PostgreSQL behind the seam.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Object;
use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::{Catalogue, IdSource, Namespace, Timestamp};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use mec_store::{
    ApiKey, CatalogueDraft, CatalogueRows, Clock, CommitError, Cursor, Expired, KeyRef, Locator,
    Moved, Place, PoolUse, QueryError, Reader, Retention, SeriesQuery, SeriesRow, Store,
    StoreError, StoreSize, TreeRef, UsageQuery,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::batch::PostgresBatch;
use crate::config::PostgresConfig;
use crate::connection::{Connection, ReaderPool, Readers, Value};
use crate::error::Fault;
use crate::lane::Lane;
use crate::load::read;
use crate::looks::Looks;
use crate::upkeep::Upkeep;
use crate::values::Columns;
use crate::{
    api_keys, catalogue, copy, locate, lookups, migrate, query, resources, retention, sql,
};

/// The store on PostgreSQL. Any number of processes may have one on the same database.
pub struct PostgresStore {
    // At least one. What is no batch runs on the first.
    lanes: Vec<Arc<Lane>>,
    readers: ReaderPool,
    clock: Option<Arc<dyn Clock>>,
    fencing_epoch: u64,
    query_timeout: Duration,
    upkeep: Upkeep,
    looks: Looks,
    // Keeps the connections that read going; none once it is being dropped.
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("fencing_epoch", &self.fencing_epoch)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the store on a database that was migrated, and seeds it where it is new.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the database cannot be reached, [`StoreError::Damaged`] where
    /// its schema is none of this version.
    pub async fn open(config: &PostgresConfig, ids: &mut dyn IdSource) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mec-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Internal(error.to_string(), None))?;
        let readers = ReaderPool::new(config, runtime.handle().clone())?;
        let mut store = Self {
            lanes: lanes(config),
            clock: config.clock.clone(),
            fencing_epoch: 0,
            query_timeout: config.query_timeout,
            upkeep: Upkeep::default(),
            looks: Looks::new(config.log_kept),
            readers,
            runtime: Some(runtime),
        };
        let connection = store.readers.get().await?;
        migrate::check(&connection).await?;
        copy::refuse_unfinished(&connection).await?;
        let now = config.clock.as_ref().map(|clock| clock.now());
        migrate::seed(&connection, ids, now).await?;
        let now = match now {
            Some(now) => now,
            None => migrate::now(&connection).await?,
        };
        store.upkeep.at(now, &connection).await;
        let epoch = migrate::meta(&connection, "fencing_epoch").await?;
        drop(connection);
        store.fencing_epoch = u64::try_from(epoch).unwrap_or(0);
        Ok(store)
    }

    pub(crate) async fn reader(&self) -> Result<Object<Readers>, StoreError> {
        self.readers.get().await
    }

    fn lane(&self, number: usize) -> Result<&Arc<Lane>, StoreError> {
        let missing = || StoreError::Internal(format!("there is no lane {number}"), None);
        self.lanes.get(number).ok_or_else(missing)
    }

    /// Reads on the runtime that keeps the connections going, which is woken by each part of a long answer.
    /// What nobody waits for any longer is given up.
    async fn beside<T: Send + 'static>(
        &self,
        reading: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ended = |_| StoreError::Unavailable("the store was closed".to_owned(), None);
        let runtime = self.runtime.as_ref().map(Runtime::handle);
        let mut readings = JoinSet::new();
        match runtime {
            Some(runtime) => readings.spawn_on(reading, runtime),
            None => return Ok(reading.await),
        };
        match readings.join_next().await {
            Some(read) => read.map_err(ended),
            None => Err(StoreError::Unavailable("nothing was read".to_owned(), None)),
        }
    }

    /// Runs what changes something in a transaction of the lane's connection, which bears the lane's mark,
    /// so that a commit whose answer was lost is settled as that of a batch is.
    async fn alone<T>(
        &self,
        work: impl AsyncFnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, CommitError> {
        let lane = self.lane(0)?;
        let connection = lane.take().await?;
        let id = Uuid::new_v4();
        let done = in_transaction_until(&connection, async |connection| {
            lane.mark(connection, id).await?;
            work(connection).await
        });
        let done = done.await;
        lane.give(connection);
        match done? {
            (done, Ok(())) => Ok(done),
            (done, Err(fault)) if fault.is_lost() => match lane.settle(id).await {
                Some(true) => Ok(done),
                Some(false) => Err(fault.into()),
                None => Err(CommitError::InDoubt(fault.into())),
            },
            (_, Err(fault)) => Err(fault.into()),
        }
    }
}

fn lanes(config: &PostgresConfig) -> Vec<Arc<Lane>> {
    let lane = |_| Arc::new(Lane::new(config.clone()));
    (0..config.writers.max(1)).map(lane).collect()
}

/// A transaction that is under way; it is undone when this is dropped, as by a caller that goes away.
pub(crate) struct UnderWay<'a> {
    connection: &'a Connection,
    pub(crate) is_over: bool,
}

impl<'a> UnderWay<'a> {
    /// What is about to begin on a connection.
    pub(crate) fn on(connection: &'a Connection) -> Self {
        Self {
            connection,
            is_over: false,
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.connection.undo();
        }
    }
}

/// Runs work in a transaction, which is rolled back where it fails or is given up.
pub(crate) async fn in_transaction<T>(
    connection: &Connection,
    work: impl AsyncFnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let (done, committed) = in_transaction_until(connection, work).await?;
    committed.map(|()| done)
}

/// The same, telling apart what failed before the commit was asked for and what came of that.
async fn in_transaction_until<T>(
    connection: &Connection,
    work: impl AsyncFnOnce(&Connection) -> Result<T, Fault>,
) -> Result<(T, Result<(), Fault>), Fault> {
    let mut under_way = UnderWay::on(connection);
    connection.client.batch_execute("BEGIN").await?;
    let done = work(connection).await?;
    let committed = connection.client.batch_execute("COMMIT").await;
    under_way.is_over = true;
    Ok((done, committed.map_err(Fault::from)))
}

/// Reads of one moment.
pub(crate) async fn at_once<T>(
    connection: &Connection,
    work: impl AsyncFnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    in_transaction(connection, async |connection| {
        let one_moment = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
        connection.client.batch_execute(one_moment).await?;
        work(connection).await
    })
    .await
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store for PostgresStore {
    type Batch = PostgresBatch;

    fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn has_peers(&self) -> bool {
        true
    }

    async fn begin(
        &self,
        lane: usize,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> Result<PostgresBatch, StoreError> {
        PostgresBatch::begin(self.lane(lane)?, trees, keys, self.fencing_epoch).await
    }

    async fn moved(&self, since: Option<Cursor>) -> Result<Moved, StoreError> {
        let connection = self.reader().await?;
        let own = self.lanes.iter().map(|lane| lane.writer).collect();
        let mut moved = self.looks.look(&connection, own, since).await?;
        let own = self.clock.as_ref();
        if let Some(now) = own.map(|clock| clock.now()).or(moved.now) {
            self.upkeep.at(now, &connection).await;
        }
        if own.is_some() {
            // The process decides by a clock of its own, which needs no measuring.
            moved.now = None;
        }
        Ok(moved)
    }

    async fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> Result<Option<Catalogue>, StoreError> {
        let connection = self.reader().await?;
        if let Some(known) = newer_than {
            let age = catalogue::age(&connection, namespace).await?;
            if age.version <= known {
                return Ok(None);
            }
        }
        let read = at_once(&connection, async |connection| {
            catalogue::load(connection, namespace).await
        });
        Ok(Some(read.await?))
    }

    async fn lookups(&self) -> Result<Arc<Lookups>, StoreError> {
        let connection = self.reader().await?;
        Ok(Arc::new(lookups::read(&connection).await?))
    }

    async fn used_lookups(&self, rows: Vec<LookupRef>) -> Result<Vec<LookupRef>, StoreError> {
        let connection = self.reader().await?;
        Ok(lookups::used(&connection, rows).await?)
    }

    async fn put_lookups(&self, after: &Lookups) -> Result<Arc<Lookups>, CommitError> {
        let put = self.alone(async |connection| {
            lookups::replace(connection, after).await?;
            let put = lookups::read(connection).await?;
            if after.version > 0 && put.version != after.version.saturating_add(1) {
                let why = "the lookups were replaced meanwhile".to_owned();
                return Err(StoreError::Again(why).into());
            }
            Ok(put)
        });
        Ok(Arc::new(put.await?))
    }

    async fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        now: Timestamp,
    ) -> Result<Catalogue, CommitError> {
        let put = self.alone(async |connection| {
            catalogue::replace(connection, namespace, draft, now).await?;
            catalogue::load(connection, namespace).await
        });
        put.await
    }

    async fn apply_retention(&self, retention: &Retention) -> Result<Expired, CommitError> {
        self.alone(async |connection| retention::apply(connection, retention).await)
            .await
    }

    async fn used(
        &self,
        namespace: &Namespace,
        rows: CatalogueRows,
    ) -> Result<CatalogueRows, StoreError> {
        let connection = self.reader().await?;
        Ok(catalogue::used(&connection, namespace, &rows).await?)
    }

    async fn usage(&self, asked: UsageQuery) -> Result<i128, StoreError> {
        let connection = self.reader().await?;
        let read = at_once(&connection, async |connection| {
            query::usage(connection, &asked).await
        });
        Ok(read.await?)
    }

    async fn series(&self, asked: SeriesQuery) -> Result<Vec<SeriesRow>, StoreError> {
        let connection = self.reader().await?;
        let read = at_once(&connection, async |connection| {
            query::series(connection, &asked).await
        });
        Ok(read.await?)
    }

    async fn query(&self, caller: &Reader, plan: Arc<Plan>) -> Result<Rows, QueryError> {
        let connection = self.reader().await?;
        let asked = resources::Asked::new(caller, &plan, self.query_timeout);
        let (total, found) = self.beside(asked.read(connection)).await??;
        resources::told(&plan, total, &found)
    }

    async fn locate(
        &self,
        references: &[(Namespace, Locator)],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let connection = self.reader().await?;
        Ok(locate::locate(&connection, references).await?)
    }

    async fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        let connection = self.reader().await?;
        let of: [Value<'_>; 2] = [&namespace.as_str(), &account];
        let rows = connection
            .all(sql::ACCOUNT_SELECT_ANCESTORS_BY_ID, &of)
            .await?;
        Ok(read(&rows, |row| row.read(0))?)
    }

    async fn api_key(&self, key: Uuid) -> Result<Option<ApiKey>, StoreError> {
        let connection = self.reader().await?;
        Ok(api_keys::find(&connection, key).await?)
    }

    async fn api_keys(&self, namespace: Option<&Namespace>) -> Result<Vec<ApiKey>, StoreError> {
        let connection = self.reader().await?;
        Ok(api_keys::list(&connection, namespace).await?)
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), CommitError> {
        self.alone(async |connection| api_keys::put(connection, key).await)
            .await
    }

    async fn revoke_api_key(
        &self,
        namespace: Option<&Namespace>,
        key: Uuid,
        now: Timestamp,
    ) -> Result<bool, CommitError> {
        self.alone(async |connection| api_keys::revoke(connection, namespace, key, now).await)
            .await
    }

    async fn use_api_key(&self, key: Uuid, now: Timestamp) -> Result<(), CommitError> {
        self.alone(async |connection| api_keys::note_use(connection, key, now).await)
            .await
    }

    async fn health(&self) -> Result<(), StoreError> {
        let connection = self.reader().await?;
        connection.run(sql::META_PROBE_BY_NAME, &[]).await?;
        Ok(())
    }

    fn pools(&self) -> Vec<PoolUse> {
        vec![self.readers.used()]
    }

    async fn size(&self) -> Result<StoreSize, StoreError> {
        let connection = self.reader().await?;
        let row = connection.first(sql::DATABASE_SELECT_SIZE, &[]).await?;
        let bytes: Option<i64> = row.map(|row| row.read(0)).transpose()?;
        Ok(StoreSize {
            bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()),
            // The disk is another machine's.
            free_bytes: None,
        })
    }
}
