//! A store in memory: everything in plain lists and maps, every question answered by looking at all
//! of them. It proves the trait, and it is what other stores are compared with.

mod api_keys;
mod catalogue;
mod load;
mod lookups;
mod query;
mod state;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mec_core::book::TreeHead;
use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::need::{Loaded, Need};
use mec_core::{Catalogue, IdSource, Namespace, Timestamp, seed};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use uuid::Uuid;

use crate::{
    ApiKey, Batch, CatalogueAge, CatalogueDraft, CatalogueRows, Clock, CommitError, CommitSet,
    Expired, KeyRef, KeyState, Locator, Place, QueryError, Reader, Retention, SeriesQuery,
    SeriesRow, Store, StoreError, TreeRef, UsageQuery,
};
use state::{Space, State};

/// A store that forgets everything when it is dropped.
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// A new store with the rows that every installation begins with.
    pub fn new(clock: Arc<dyn Clock>, ids: &mut dyn IdSource) -> Self {
        let now = clock.now();
        let draft = CatalogueDraft {
            over: None,
            resource_types: seed::resource_types(),
            plans: seed::plans(ids),
            rules: seed::rules(ids, now),
        };
        let mut state = State {
            lookups: Arc::new(seed::lookups()),
            ..State::default()
        };
        state
            .space_mut(&Namespace::default_namespace())
            .replace_catalogue(&draft);
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
        }
    }

    /// The decisions that were logged in a namespace.
    pub fn decisions(&self, namespace: &Namespace) -> Vec<crate::DecisionRow> {
        lock(&self.state).space(namespace).decisions
    }

    fn read_catalogue(&self, namespace: &Namespace) -> Catalogue {
        let state = lock(&self.state);
        state
            .space(namespace)
            .catalogue(namespace, state.lookups.clone())
    }

    fn read<T>(&self, namespace: &Namespace, read: impl FnOnce(&Space) -> T) -> T {
        read(&lock(&self.state).space(namespace))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // The state is replaced as a whole, so a panic elsewhere leaves it as it was.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for MemoryStore {
    type Batch = MemoryBatch;

    fn lanes(&self) -> usize {
        1
    }

    async fn begin(
        &self,
        _lane: usize,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> Result<MemoryBatch, StoreError> {
        let state = lock(&self.state).clone();
        let heads = trees
            .iter()
            .map(|of| state.space(&of.namespace).heads.get(&of.tree).cloned())
            .collect();
        let keys = keys
            .iter()
            .map(|key| state.space(&key.namespace).key(key.hash))
            .collect();
        Ok(MemoryBatch {
            store: self.clone(),
            now: self.clock.now(),
            heads,
            keys,
            state,
        })
    }

    async fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> Result<Option<Catalogue>, StoreError> {
        let catalogue = self.read_catalogue(namespace);
        Ok(Some(catalogue)
            .filter(|catalogue| newer_than.is_none_or(|held| catalogue.version > held)))
    }

    async fn lookups(&self) -> Result<Arc<Lookups>, StoreError> {
        Ok(lock(&self.state).lookups.clone())
    }

    async fn used_lookups(&self, rows: Vec<LookupRef>) -> Result<Vec<LookupRef>, StoreError> {
        Ok(lock(&self.state).used_lookups(rows))
    }

    async fn put_lookups(&self, lookups: &Lookups) -> Result<Arc<Lookups>, CommitError> {
        lock(&self.state).put_lookups(lookups)
    }

    async fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        _now: Timestamp,
    ) -> Result<Catalogue, CommitError> {
        lock(&self.state)
            .space_mut(namespace)
            .replace_catalogue(draft);
        Ok(self.read_catalogue(namespace))
    }

    async fn apply_retention(&self, retention: &Retention) -> Result<Expired, CommitError> {
        Ok(lock(&self.state).apply_retention(retention))
    }

    async fn used(
        &self,
        namespace: &Namespace,
        rows: CatalogueRows,
    ) -> Result<CatalogueRows, StoreError> {
        Ok(self.read(namespace, |space| space.used_of(rows)))
    }

    async fn usage(&self, query: UsageQuery) -> Result<i128, StoreError> {
        Ok(self.read(&query.namespace, |space| space.used(&query)))
    }

    async fn series(&self, query: SeriesQuery) -> Result<Vec<SeriesRow>, StoreError> {
        Ok(self.read(&query.namespace, |space| space.series(&query)))
    }

    /// It holds no tables that could be asked.
    async fn query(&self, _: &Reader, _: Arc<Plan>) -> Result<Rows, QueryError> {
        Err(QueryError::Refused(
            "the store in memory answers no queries".to_owned(),
        ))
    }

    async fn locate(
        &self,
        references: &[(Namespace, Locator)],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let located = references
            .iter()
            .map(|(namespace, locator)| self.read(namespace, |space| space.locate(locator)));
        Ok(located.collect())
    }

    async fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> Result<Vec<Uuid>, StoreError> {
        Ok(self.read(namespace, |space| space.ancestors(account)))
    }

    async fn api_key(&self, key: Uuid) -> Result<Option<ApiKey>, StoreError> {
        Ok(lock(&self.state).api_key(key))
    }

    async fn api_keys(&self, namespace: Option<&Namespace>) -> Result<Vec<ApiKey>, StoreError> {
        Ok(lock(&self.state).api_keys_of(namespace))
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), CommitError> {
        lock(&self.state).put_api_key(key)
    }

    async fn revoke_api_key(
        &self,
        namespace: Option<&Namespace>,
        key: Uuid,
        now: Timestamp,
    ) -> Result<bool, CommitError> {
        Ok(lock(&self.state).revoke_api_key(namespace, key, now))
    }

    async fn use_api_key(&self, key: Uuid, now: Timestamp) -> Result<(), CommitError> {
        lock(&self.state).use_api_key(key, now);
        Ok(())
    }

    async fn health(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A batch on a copy of the state, which takes the state's place on commit.
pub struct MemoryBatch {
    store: MemoryStore,
    now: Timestamp,
    heads: Vec<Option<TreeHead>>,
    keys: Vec<KeyState>,
    state: State,
}

impl Batch for MemoryBatch {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn heads(&self) -> &[Option<TreeHead>] {
        &self.heads
    }

    fn keys(&self) -> &[KeyState] {
        &self.keys
    }

    async fn catalogue_age(&mut self, namespace: &Namespace) -> Result<CatalogueAge, StoreError> {
        let lookups = self.state.lookups.clone();
        let space = self.state.space(namespace);
        Ok(CatalogueAge::of(&space.catalogue(namespace, lookups)))
    }

    async fn locate(
        &mut self,
        namespace: &Namespace,
        locators: &[Locator],
    ) -> Result<Vec<Option<Place>>, StoreError> {
        let space = self.state.space(namespace);
        Ok(locators
            .iter()
            .map(|locator| space.locate(locator))
            .collect())
    }

    async fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Option<TreeHead>, StoreError> {
        Ok(self.state.space(namespace).heads.get(&tree).cloned())
    }

    fn fencing_epoch(&self) -> u64 {
        0
    }

    async fn load(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
        needs: &[Need],
    ) -> Result<Vec<Loaded>, StoreError> {
        let space = self.state.space(namespace);
        Ok(needs
            .iter()
            .map(|need| space.load(tree, need, self.now, &self.state.lookups))
            .collect())
    }

    async fn commit(mut self, changes: CommitSet) -> Result<(), CommitError> {
        write::write(&mut self.state, &changes)?;
        *lock(&self.store.state) = self.state;
        Ok(())
    }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::conformance::{TestClock, TestIds, given};

    /// Runs a case; nothing in memory waits, so one poll is all it takes.
    fn with(case: impl AsyncFnOnce(&MemoryStore, &TestClock)) {
        let clock = Arc::new(TestClock::at(given::NOW));
        let store = MemoryStore::new(clock.clone(), &mut TestIds::default());
        let mut case = pin!(case(&store, &clock));
        assert_eq!(
            case.as_mut().poll(&mut Context::from_waker(Waker::noop())),
            Poll::Ready(())
        );
    }

    crate::conformance_tests!(with);
}
