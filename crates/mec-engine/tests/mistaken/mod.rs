//! A store that takes one account for another when it is told to err.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mec_core::book::TreeHead;
use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::need::{Loaded, Need};
use mec_core::{Catalogue, Namespace, Timestamp};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use mec_store::memory::{MemoryBatch, MemoryStore};
use mec_store::{
    ApiKey, Batch, CatalogueAge, CatalogueDraft, CatalogueRows, CommitError, CommitSet, Expired,
    KeyRef, KeyState, Locator, Place, QueryError, Reader, Retention, SeriesQuery, SeriesRow, Store,
    StoreError, TreeRef, UsageQuery,
};
use uuid::Uuid;

#[derive(Clone)]
pub struct Mistaken {
    store: MemoryStore,
    asked: Uuid,
    given: Uuid,
    pub errs: Arc<AtomicBool>,
}

impl Mistaken {
    /// Gives another account's part for the asked one's.
    pub fn new(store: MemoryStore, asked: Uuid, given: Uuid) -> Self {
        Self {
            store,
            asked,
            given,
            errs: Arc::default(),
        }
    }
}

pub struct MistakenBatch {
    batch: MemoryBatch,
    store: Mistaken,
}

impl Store for Mistaken {
    type Batch = MistakenBatch;

    fn lanes(&self) -> usize {
        self.store.lanes()
    }

    async fn begin(
        &self,
        lane: usize,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> Result<MistakenBatch, StoreError> {
        Ok(MistakenBatch {
            batch: self.store.begin(lane, trees, keys).await?,
            store: self.clone(),
        })
    }

    async fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> Result<Option<Catalogue>, StoreError> {
        self.store.catalogue(namespace, newer_than).await
    }

    async fn query(&self, reader: &Reader, plan: Arc<Plan>) -> Result<Rows, QueryError> {
        self.store.query(reader, plan).await
    }

    async fn lookups(&self) -> Result<Arc<Lookups>, StoreError> {
        self.store.lookups().await
    }

    async fn used_lookups(&self, rows: Vec<LookupRef>) -> Result<Vec<LookupRef>, StoreError> {
        self.store.used_lookups(rows).await
    }

    async fn put_lookups(&self, lookups: &Lookups) -> Result<Arc<Lookups>, CommitError> {
        self.store.put_lookups(lookups).await
    }

    async fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        now: Timestamp,
    ) -> Result<Catalogue, CommitError> {
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
        self.store.used(namespace, rows).await
    }

    async fn usage(&self, query: UsageQuery) -> Result<i128, StoreError> {
        self.store.usage(query).await
    }

    async fn series(&self, query: SeriesQuery) -> Result<Vec<SeriesRow>, StoreError> {
        self.store.series(query).await
    }

    async fn locate(
        &self,
        references: &[(Namespace, Locator)],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        self.store.locate(references).await
    }

    async fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.store.ancestors(namespace, account).await
    }

    async fn api_key(&self, key: Uuid) -> Result<Option<ApiKey>, StoreError> {
        self.store.api_key(key).await
    }

    async fn api_keys(&self, namespace: Option<&Namespace>) -> Result<Vec<ApiKey>, StoreError> {
        self.store.api_keys(namespace).await
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), CommitError> {
        self.store.put_api_key(key).await
    }

    async fn revoke_api_key(
        &self,
        namespace: Option<&Namespace>,
        key: Uuid,
        now: Timestamp,
    ) -> Result<bool, CommitError> {
        self.store.revoke_api_key(namespace, key, now).await
    }

    async fn use_api_key(&self, key: Uuid, now: Timestamp) -> Result<(), CommitError> {
        self.store.use_api_key(key, now).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.store.health().await
    }
}

impl Batch for MistakenBatch {
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
        self.batch.locate(namespace, locators).await
    }

    async fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Option<TreeHead>, StoreError> {
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
        let errs = self.store.errs.load(Ordering::SeqCst);
        let (asked, given) = (self.store.asked, self.store.given);
        let mistaken = needs.iter().map(|need| match need {
            Need::Part(id) if errs && *id == asked => Need::Part(given),
            need => need.clone(),
        });
        let needs: Vec<Need> = mistaken.collect();
        self.batch.load(namespace, tree, &needs).await
    }

    async fn commit(self, changes: CommitSet) -> Result<(), CommitError> {
        self.batch.commit(changes).await
    }
}
