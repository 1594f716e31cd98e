//! A store that notes what is asked of it, and lets queries wait at a gate.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::need::{Loaded, Need};
use mec_core::{Catalogue, Namespace, Timestamp};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use mec_store::{
    ApiKey, Batch, CatalogueAge, CatalogueDraft, CatalogueRows, CommitError, CommitSet, Expired,
    KeyRef, KeyState, Locator, Place, QueryError, Reader, Retention, SeriesQuery, SeriesRow, Store,
    StoreError, TreeRef, UsageQuery,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What was asked of a store, and the gate at which its queries wait.
pub struct Notes {
    asked: Mutex<Vec<String>>,
    gate: Semaphore,
    /// A permit for each query that has come to the gate.
    pub came: Semaphore,
}

impl Notes {
    /// With an open gate.
    pub fn open() -> Arc<Self> {
        Self::with_gate(Semaphore::MAX_PERMITS)
    }

    /// With a gate that is shut.
    pub fn shut() -> Arc<Self> {
        Self::with_gate(0)
    }

    fn with_gate(free: usize) -> Arc<Self> {
        Arc::new(Self {
            asked: Mutex::default(),
            gate: Semaphore::new(free),
            came: Semaphore::new(0),
        })
    }

    pub fn open_gate(&self) {
        self.gate.add_permits(1_000);
    }

    /// What was asked since the last look.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock())
    }

    fn note(&self, what: impl Into<String>) {
        self.asked.lock().push(what.into());
    }
}

/// The store, seen.
pub struct Witness<S> {
    pub store: S,
    pub notes: Arc<Notes>,
}

pub struct Seen<B> {
    batch: B,
    notes: Arc<Notes>,
}

impl<S: Store> Store for Witness<S> {
    type Batch = Seen<S::Batch>;

    fn lanes(&self) -> usize {
        self.store.lanes()
    }

    async fn begin(
        &self,
        lane: usize,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> Result<Self::Batch, StoreError> {
        let batch = self.store.begin(lane, trees, keys).await?;
        self.notes
            .note(format!("begin {} {}", trees.len(), keys.len()));
        let notes = self.notes.clone();
        Ok(Seen { batch, notes })
    }

    async fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> Result<Option<Catalogue>, StoreError> {
        self.notes.note("catalogue");
        self.store.catalogue(namespace, newer_than).await
    }

    async fn lookups(&self) -> Result<Arc<Lookups>, StoreError> {
        self.notes.note("lookups");
        self.store.lookups().await
    }

    async fn used_lookups(&self, rows: Vec<LookupRef>) -> Result<Vec<LookupRef>, StoreError> {
        self.notes.note("used_lookups");
        self.store.used_lookups(rows).await
    }

    async fn put_lookups(&self, lookups: &Lookups) -> Result<Arc<Lookups>, CommitError> {
        self.notes.note("put_lookups");
        self.store.put_lookups(lookups).await
    }

    async fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        now: Timestamp,
    ) -> Result<Catalogue, CommitError> {
        self.notes.note("put_catalogue");
        self.store.put_catalogue(namespace, draft, now).await
    }

    async fn apply_retention(&self, retention: &Retention) -> Result<Expired, CommitError> {
        self.store.apply_retention(retention).await
    }

    async fn used(
        &self,
        namespace: &Namespace,
        rows: CatalogueRows,
    ) -> Result<CatalogueRows, StoreError> {
        self.notes.note("used");
        self.store.used(namespace, rows).await
    }

    async fn usage(&self, query: UsageQuery) -> Result<i128, StoreError> {
        self.notes.note("usage");
        self.store.usage(query).await
    }

    async fn series(&self, query: SeriesQuery) -> Result<Vec<SeriesRow>, StoreError> {
        self.notes.note("series");
        self.store.series(query).await
    }

    async fn query(&self, reader: &Reader, plan: Arc<Plan>) -> Result<Rows, QueryError> {
        self.notes.note("query");
        self.notes.came.add_permits(1);
        self.notes.gate.acquire().await.unwrap().forget();
        self.store.query(reader, plan).await
    }

    async fn locate(
        &self,
        references: &[(Namespace, Locator)],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        self.notes.note(format!("locate {}", references.len()));
        self.store.locate(references).await
    }

    async fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.notes.note("ancestors");
        self.store.ancestors(namespace, account).await
    }

    async fn api_key(&self, key: Uuid) -> Result<Option<ApiKey>, StoreError> {
        self.notes.note("api_key");
        self.store.api_key(key).await
    }

    async fn api_keys(&self, namespace: Option<&Namespace>) -> Result<Vec<ApiKey>, StoreError> {
        self.notes.note("api_keys");
        self.store.api_keys(namespace).await
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), CommitError> {
        self.notes.note("put_api_key");
        self.store.put_api_key(key).await
    }

    async fn revoke_api_key(
        &self,
        namespace: Option<&Namespace>,
        key: Uuid,
        now: Timestamp,
    ) -> Result<bool, CommitError> {
        self.notes.note("revoke_api_key");
        self.store.revoke_api_key(namespace, key, now).await
    }

    async fn use_api_key(&self, key: Uuid, now: Timestamp) -> Result<(), CommitError> {
        self.store.use_api_key(key, now).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.store.health().await
    }
}

impl<B: Batch> Batch for Seen<B> {
    fn now(&self) -> Timestamp {
        self.batch.now()
    }

    fn heads(&self) -> &[Option<TreeHead>] {
        self.batch.heads()
    }

    fn keys(&self) -> &[KeyState] {
        self.batch.keys()
    }

    async fn catalogue_age(&mut self, namespace: &Namespace) -> Result<CatalogueAge, StoreError> {
        self.batch.catalogue_age(namespace).await
    }

    async fn locate(
        &mut self,
        namespace: &Namespace,
        locators: &[Locator],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        self.notes.note(format!("locate {}", locators.len()));
        self.batch.locate(namespace, locators).await
    }

    async fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Option<TreeHead>, StoreError> {
        self.notes.note("head");
        self.batch.head(namespace, tree).await
    }

    fn fencing_epoch(&self) -> u64 {
        self.batch.fencing_epoch()
    }

    async fn load(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
        needs: &[Need],
    ) -> Result<Vec<Loaded>, StoreError> {
        self.notes.note(format!("load {}", needs.len()));
        self.batch.load(namespace, tree, needs).await
    }

    async fn commit(self, changes: CommitSet) -> Result<(), CommitError> {
        self.notes.note("commit");
        self.batch.commit(changes).await
    }
}
