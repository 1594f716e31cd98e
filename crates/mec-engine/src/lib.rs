//! MEC's engine: Books in memory, the Journal that writes, and the queries that read.
//!
//! A check is answered from memory. A write goes through the Journal: one thread a lane takes all
//! commands that wait, lets the core decide each in order, commits once, publishes, and answers.
//!
//! See `examples/in_process.rs` for MEC without HTTP.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod api_keys;
mod batch;
mod beats;
mod books;
mod catalogues;
mod check;
mod deciding;
mod decisions;
mod error;
mod expiry;
mod freshness;
mod ids;
mod journal;
mod names;
mod peers;
mod place;
mod reads;
mod replacing;
mod request;
mod retention;
mod stats;
mod summary;
mod taken;
mod together;
mod working;

use std::sync::Arc;
use std::time::Duration;

use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupFault;
use mec_core::{Catalogue, Namespace, Timestamp};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use mec_store::{
    CatalogueAge, CatalogueDraft, Clock, PoolUse, QueryError, Reader, SeriesQuery, SeriesRow,
    Store, StoreError, StoreSize, UsageQuery,
};
use uuid::Uuid;

use crate::api_keys::KeyChanges;
use crate::beats::Beats;
use crate::books::Books;
use crate::catalogues::Catalogues;
use crate::decisions::DecisionLog;
use crate::freshness::Freshness;
use crate::journal::Journal;
use crate::peers::Watch;
use crate::reads::Reads;

pub use error::EngineError;
pub use freshness::WhenLost;
pub use ids::RisingIds;
pub use request::{Consistency, Outcome, Request, Target};
pub use retention::{RetentionPolicy, RetentionRun};
pub use stats::{Buckets, Decisions, Histogram, Stats, TIMES_MICROS};
pub use summary::MAX_SUMMARIES;
pub use together::{End, TogetherError};

/// How an engine behaves.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// So many accounts are kept in memory at the most; the least recently used make room. Default 100,000.
    pub max_accounts: usize,
    /// So many commands may wait for the Journal before more are turned away. Default 20,000.
    pub max_waiting: usize,
    /// So many commands are committed together at the most. Default 4,096.
    pub max_batch: usize,
    /// So many scopes of one resource type a tree may use at the most. Default 1,000.
    pub max_scopes: usize,
    /// So many plain allows of checks are logged a second at the most. Default 1,000.
    pub allows_logged_per_second: u32,
    /// So many other answers are logged a second at the most. Default 5,000.
    pub others_logged_per_second: u32,
    /// So far behind what other processes committed a check may be at the most. Default 1 second.
    pub staleness_bound: Duration,
    /// So long checks are answered from memory when the store cannot be asked. Default 5 minutes.
    pub degraded_for: Duration,
    /// What becomes of checks after that. Default closed.
    pub when_lost: WhenLost,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            max_accounts: 100_000,
            max_waiting: 20_000,
            max_batch: 4_096,
            max_scopes: 1_000,
            allows_logged_per_second: 1_000,
            others_logged_per_second: 5_000,
            staleness_bound: Duration::from_secs(1),
            degraded_for: Duration::from_secs(300),
            when_lost: WhenLost::Closed,
        }
    }
}

/// What all parts of an engine share.
pub(crate) struct Shared {
    pub config: EngineConfig,
    pub clock: Arc<dyn Clock>,
    pub books: Books,
    pub catalogues: Catalogues,
    pub decisions: DecisionLog,
    pub freshness: Freshness,
    pub key_changes: KeyChanges,
    pub stats: Stats,
    pub beats: Beats,
}

/// The engine. Cheap to share behind an [`Arc`].
pub struct Engine {
    shared: Arc<Shared>,
    journal: Journal,
    watch: Watch,
    reads: Box<dyn Reads>,
}

impl Engine {
    /// Starts an engine over a store. `ids` gives new ids; `clock` is the store's own clock.
    pub fn start<S: Store>(
        store: Arc<S>,
        clock: Arc<dyn Clock>,
        ids: impl mec_core::IdSource + Send + 'static,
        config: EngineConfig,
    ) -> Result<Self, EngineError> {
        let shared = Arc::new(Shared {
            books: Books::new(config.max_accounts),
            catalogues: Catalogues::default(),
            decisions: DecisionLog::new(&config),
            freshness: Freshness::new(
                store.has_peers().then_some(config.staleness_bound),
                config.degraded_for,
                config.when_lost,
            ),
            key_changes: KeyChanges::default(),
            stats: Stats::default(),
            beats: Beats::new(store.lanes()),
            clock,
            config,
        });
        let watch = Watch::start(store.clone(), shared.clone())?;
        let journal = Journal::start(store.clone(), shared.clone(), Box::new(ids))?;
        Ok(Self {
            shared,
            journal,
            watch,
            reads: Box::new(reads::StoreReads::new(store)),
        })
    }

    /// Answers a request. Its effects are durable when this returns.
    pub async fn call(&self, request: Request) -> Result<Outcome, EngineError> {
        if let Some(outcome) = self.check_in_memory(&request)? {
            return Ok(outcome);
        }
        let mut outcomes = self.journal.submit(vec![request]).await?;
        outcomes.pop().unwrap_or(Err(EngineError::Closed))
    }

    /// Answers many requests, in their order. Each stands for itself.
    pub async fn call_all(
        &self,
        requests: Vec<Request>,
    ) -> Result<Vec<Result<Outcome, EngineError>>, EngineError> {
        let mut answers: Vec<Option<Result<Outcome, EngineError>>> =
            Vec::with_capacity(requests.len());
        let mut waiting = Vec::new();
        for request in requests {
            match self.check_in_memory(&request) {
                Ok(None) => {
                    waiting.push(request);
                    answers.push(None);
                }
                Ok(Some(outcome)) => answers.push(Some(Ok(outcome))),
                Err(error) => answers.push(Some(Err(error))),
            }
        }
        let mut rest = if waiting.is_empty() {
            Vec::new()
        } else {
            self.journal.submit(waiting).await?
        }
        .into_iter();
        Ok(answers
            .into_iter()
            .map(|answer| {
                answer
                    .or_else(|| rest.next())
                    .unwrap_or(Err(EngineError::Closed))
            })
            .collect())
    }

    /// Answers at most 1,000 requests together: each sees what those before it changed, and the first
    /// that is refused undoes all. A denied request is answered, not refused. With [`End::Rollback`]
    /// it is told what would be answered, and nothing changes.
    pub async fn call_together(
        &self,
        requests: Vec<Request>,
        end: End,
    ) -> Result<Vec<Outcome>, TogetherError> {
        together::refuse(&requests)?;
        self.journal.submit_together(requests, end).await
    }

    /// The catalogue of a namespace as it is now.
    pub async fn catalogue(&self, namespace: &Namespace) -> Result<Arc<Catalogue>, EngineError> {
        if let Some(held) = self.shared.catalogues.get(namespace) {
            return Ok(held);
        }
        let loaded = self.reads.catalogue(namespace.clone()).await?;
        Ok(self.shared.catalogues.put_if_newer(loaded))
    }

    /// Replaces the catalogue of a namespace in one step. Commands that come after this returns see it.
    pub async fn put_catalogue(
        &self,
        namespace: Namespace,
        draft: CatalogueDraft,
    ) -> Result<Arc<Catalogue>, EngineError> {
        self.journal.put_catalogue(namespace, draft, None).await
    }

    /// Replaces a catalogue, and the lookups it was checked by, where they still have their versions,
    /// and where nothing that accounts use would go or become another kind of thing.
    pub async fn replace_catalogue(
        &self,
        before: &Catalogue,
        draft: CatalogueDraft,
    ) -> Result<Arc<Catalogue>, EngineError> {
        let over = CatalogueAge::of(before);
        let namespace = before.namespace.clone();
        self.journal
            .put_catalogue(namespace, draft, Some(over))
            .await
    }

    /// Whether [`Engine::replace_catalogue`] would refuse a draft for what accounts use.
    pub async fn check_replacement(
        &self,
        before: &Catalogue,
        draft: &CatalogueDraft,
    ) -> Result<(), EngineError> {
        let touched = replacing::touched(before, draft);
        let used = self.reads.used(before.namespace.clone(), touched).await?;
        Ok(replacing::refuse_loss(before, draft, &used)?)
    }

    /// The rows that all namespaces share, as they are now.
    pub async fn lookups(&self) -> Result<Arc<Lookups>, EngineError> {
        Ok(self.reads.lookups().await?)
    }

    /// What [`Engine::replace_lookups`] would refuse: what contradicts itself, and what would be taken
    /// from under those who use it.
    pub async fn check_lookups(
        &self,
        before: &Lookups,
        after: &Lookups,
    ) -> Result<Vec<LookupFault>, EngineError> {
        let used = self.reads.used_lookups(before.touched(after)).await?;
        let mut faults = after.faults();
        faults.extend(before.losses(&used, after));
        Ok(faults)
    }

    /// Replaces the rows that all namespaces share where they still have the version of `before`, and
    /// where nothing in use would go or change its meaning. All that comes after this returns sees it.
    pub async fn replace_lookups(
        &self,
        before: &Lookups,
        after: Lookups,
    ) -> Result<Arc<Lookups>, EngineError> {
        self.journal.put_lookups(after, before.version).await
    }

    /// Drops what has been kept for its time, in steps of at most 2,000 rows of each kind between which
    /// other commands are served.
    pub async fn apply_retention(
        &self,
        policy: RetentionPolicy,
        most_steps: usize,
    ) -> Result<RetentionRun, EngineError> {
        retention::apply(&self.shared, &self.journal, policy, most_steps).await
    }

    /// The usage of an account in explicit bounds, in the base unit.
    pub async fn usage(&self, query: UsageQuery) -> Result<i128, EngineError> {
        Ok(self.reads.usage(query).await?)
    }

    /// Usage by time bucket.
    pub async fn series(&self, query: SeriesQuery) -> Result<Vec<SeriesRow>, EngineError> {
        Ok(self.reads.series(query).await?)
    }

    /// The rows of a plan, as a caller may see them. Sees all that was acknowledged before.
    pub async fn query(&self, reader: Reader, plan: Arc<Plan>) -> Result<Rows, QueryError> {
        self.reads.query(reader, plan).await
    }

    /// The account that a target names, if it exists and lies within the guard's subtree.
    pub async fn find(
        &self,
        namespace: &Namespace,
        target: &Target,
        guard: Option<Uuid>,
    ) -> Result<Option<Uuid>, EngineError> {
        let Some(locator) = target.locator() else {
            return Ok(None);
        };
        let found = self.reads.find(namespace.clone(), locator).await?;
        let found = found.map(|place| place.account);
        let Some(root) = guard else {
            return Ok(found);
        };
        // Of what is not there the guard's own account is asked about, so that the time of the answer does not
        // tell what exists outside of its subtree.
        let account = found.unwrap_or(root);
        let above = self.reads.ancestors(namespace.clone(), account).await?;
        Ok(found.filter(|_| above.contains(&root)))
    }

    /// The present moment by the store's clock.
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Whether the store can be reached and written to.
    pub async fn health(&self) -> Result<(), StoreError> {
        self.reads.health().await
    }

    /// Whether the Journal takes commands: it is not closed, and none of its writers has died.
    pub fn takes_commands(&self) -> bool {
        self.journal.is_open()
    }

    /// How long ago memory was known to hold all that other processes committed; none where nobody
    /// else writes to the store.
    pub fn staleness(&self) -> Option<Duration> {
        self.shared.freshness.age()
    }

    /// How far behind other processes a check from memory may be; none where it never is.
    pub fn staleness_bound(&self) -> Option<Duration> {
        self.shared.freshness.bound()
    }

    /// Counts of what the engine did.
    pub fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    /// How many accounts are in memory.
    pub fn accounts_in_memory(&self) -> usize {
        self.shared.books.len()
    }

    /// How many leases the Books in memory hold that have not been trimmed.
    pub fn leases_in_memory(&self) -> usize {
        self.shared.books.leases()
    }

    /// How many accounts in memory have holds that ended and are still to be trimmed, and for how long the
    /// first of them is due. What has ended does not count, trimmed or not.
    pub fn expiry_backlog(&self) -> (usize, Duration) {
        self.shared.books.expiry_backlog()
    }

    /// How many calls wait for the Journal.
    pub fn waiting(&self) -> usize {
        self.journal.waiting()
    }

    /// How long the turn takes that each writer of the Journal is in. One that only waits for work begins a
    /// new turn several times a second.
    pub fn turns(&self) -> Vec<Duration> {
        self.shared.beats.ages()
    }

    /// How the store's connections are used.
    pub fn pools(&self) -> Vec<PoolUse> {
        self.reads.pools()
    }

    /// How much room the store takes, and how much is left.
    pub async fn store_size(&self) -> Result<StoreSize, StoreError> {
        self.reads.size().await
    }

    /// Takes no more requests, finishes those that wait, writes the decision log and stops.
    pub async fn close(&self) {
        self.journal.close().await;
        self.watch.close().await;
    }
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        self.freshness.by_store(self.clock.now())
    }
}
