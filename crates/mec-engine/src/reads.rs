//! Reads outside the Journal, with the store's type forgotten.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::{Catalogue, Namespace};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use mec_store::{
    ApiKey, CatalogueRows, Locator, Place, PoolUse, QueryError, Reader, SeriesQuery, SeriesRow,
    Store, StoreError, StoreSize, UsageQuery,
};
use uuid::Uuid;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;
type Queried<'a> = Pin<Box<dyn Future<Output = Result<Rows, QueryError>> + Send + 'a>>;

pub(crate) trait Reads: Send + Sync {
    fn catalogue(&self, namespace: Namespace) -> Answer<'_, Catalogue>;
    fn used(&self, namespace: Namespace, rows: CatalogueRows) -> Answer<'_, CatalogueRows>;
    fn lookups(&self) -> Answer<'_, Arc<Lookups>>;
    fn used_lookups(&self, rows: Vec<LookupRef>) -> Answer<'_, Vec<LookupRef>>;
    fn usage(&self, query: UsageQuery) -> Answer<'_, i128>;
    fn series(&self, query: SeriesQuery) -> Answer<'_, Vec<SeriesRow>>;
    fn find(&self, namespace: Namespace, locator: Locator) -> Answer<'_, Option<Place>>;
    fn ancestors(&self, namespace: Namespace, account: Uuid) -> Answer<'_, Vec<Uuid>>;
    fn query(&self, reader: Reader, plan: Arc<Plan>) -> Queried<'_>;
    fn api_key(&self, key: Uuid) -> Answer<'_, Option<ApiKey>>;
    fn api_keys(&self, namespace: Option<Namespace>) -> Answer<'_, Vec<ApiKey>>;
    fn health(&self) -> Answer<'_, ()>;
    fn pools(&self) -> Vec<PoolUse>;
    fn size(&self) -> Answer<'_, StoreSize>;
}

pub(crate) struct StoreReads<S> {
    store: Arc<S>,
}

impl<S: Store> StoreReads<S> {
    pub(crate) fn new(store: Arc<S>) -> Self {
        Self { store }
    }
}

impl<S: Store> Reads for StoreReads<S> {
    fn catalogue(&self, namespace: Namespace) -> Answer<'_, Catalogue> {
        Box::pin(async move {
            let loaded = self.store.catalogue(&namespace, None).await?;
            loaded.ok_or_else(|| StoreError::Internal("a store gave no catalogue".to_owned(), None))
        })
    }

    fn used(&self, namespace: Namespace, rows: CatalogueRows) -> Answer<'_, CatalogueRows> {
        Box::pin(async move { self.store.used(&namespace, rows).await })
    }

    fn lookups(&self) -> Answer<'_, Arc<Lookups>> {
        Box::pin(self.store.lookups())
    }

    fn used_lookups(&self, rows: Vec<LookupRef>) -> Answer<'_, Vec<LookupRef>> {
        Box::pin(self.store.used_lookups(rows))
    }

    fn usage(&self, query: UsageQuery) -> Answer<'_, i128> {
        Box::pin(self.store.usage(query))
    }

    fn series(&self, query: SeriesQuery) -> Answer<'_, Vec<SeriesRow>> {
        Box::pin(self.store.series(query))
    }

    fn find(&self, namespace: Namespace, locator: Locator) -> Answer<'_, Option<Place>> {
        Box::pin(async move { self.store.find(&namespace, locator).await })
    }

    fn ancestors(&self, namespace: Namespace, account: Uuid) -> Answer<'_, Vec<Uuid>> {
        Box::pin(async move { self.store.ancestors(&namespace, account).await })
    }

    fn query(&self, reader: Reader, plan: Arc<Plan>) -> Queried<'_> {
        Box::pin(async move { self.store.query(&reader, plan).await })
    }

    fn api_key(&self, key: Uuid) -> Answer<'_, Option<ApiKey>> {
        Box::pin(self.store.api_key(key))
    }

    fn api_keys(&self, namespace: Option<Namespace>) -> Answer<'_, Vec<ApiKey>> {
        Box::pin(async move { self.store.api_keys(namespace.as_ref()).await })
    }

    fn health(&self) -> Answer<'_, ()> {
        Box::pin(self.store.health())
    }

    fn pools(&self) -> Vec<PoolUse> {
        self.store.pools()
    }

    fn size(&self) -> Answer<'_, StoreSize> {
        Box::pin(self.store.size())
    }
}
