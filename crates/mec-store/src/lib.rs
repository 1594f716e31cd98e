//! The seam between the engine and its stores. No SQL, file or lock leaks through it, and the
//! namespace is part of every reference, so that it cannot be forgotten.
//!
//! A store keeps rows and guards them; it decides nothing. The engine calls [`Store::begin`] on the
//! thread of a lane, lets the core decide against what [`Batch::load`] gives it, and hands all
//! changes of the batch to [`Batch::commit`] at once: all of them become durable, or none.
#![forbid(unsafe_code)]

mod api_keys;
pub mod copy;
mod counters;
mod draft;
mod error;
mod rows;
mod series;
pub mod verify;
mod vitals;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
pub mod memory;

use std::future::Future;
use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::catalogue::Lookups;
use mec_core::lookups::LookupRef;
use mec_core::need::{Loaded, Need};
use mec_core::{Catalogue, Namespace, Timestamp};
use mec_query::plan::Plan;
use mec_query::rows::Rows;
use uuid::Uuid;

pub use api_keys::{ALL_NAMESPACES, ApiKey, MAX_API_KEYS, namespace_of, namespace_text};
pub use counters::{CounterName, Granularity, Span, spans};
pub use error::{CommitError, QueryError, StoreError};
pub use rows::{
    CatalogueAge, CatalogueDraft, CatalogueRows, CommitSet, Cursor, DecisionRow, Expired, KeyRef,
    KeyRow, KeyState, Locator, Moved, Place, Reader, Retention, SeriesBucket, SeriesGroup,
    SeriesQuery, SeriesRow, StoredAnswer, TreeCommit, TreeRef, UsageQuery, key_hash,
};
pub use series::SeriesSums;
pub use vitals::{PoolUse, StoreSize};

/// Tells the time. The store's clock is the one that commands are decided by.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, in whole microseconds.
    fn now(&self) -> Timestamp;
}

/// Where everything is kept.
///
/// Futures of `begin` and of a [`Batch`] are run on the lane's own thread and may block it; those of
/// the other methods are `Send` and must not block.
pub trait Store: Send + Sync + 'static {
    /// One transaction of a lane.
    type Batch: Batch;

    /// How many lanes may write at the same time; at least 1. The embedded store has one.
    fn lanes(&self) -> usize;

    /// Whether other processes write to it as well. If not, what the engine holds in memory is never
    /// behind, and batches need not name the trees that they work on.
    fn has_peers(&self) -> bool {
        false
    }

    /// Starts a batch on a lane: takes the locks of its trees, each named once, in an order of its own;
    /// then reads the clock; then looks up the idempotency keys its commands bear. Where another batch
    /// stores one of them before this one does, this one's commit ends with [`StoreError::Again`].
    fn begin(
        &self,
        lane: usize,
        trees: &[TreeRef],
        keys: &[KeyRef],
    ) -> impl Future<Output = Result<Self::Batch, StoreError>>;

    /// What other processes have committed since a cursor, and where that was seen; without a cursor,
    /// nothing but where to begin. What was committed before the call is never missed.
    fn moved(
        &self,
        since: Option<Cursor>,
    ) -> impl Future<Output = Result<Moved, StoreError>> + Send {
        let _ = since;
        async { Ok(Moved::default()) }
    }

    /// The catalogue of a namespace if it is newer than a version; an empty one for a namespace that has none.
    fn catalogue(
        &self,
        namespace: &Namespace,
        newer_than: Option<u64>,
    ) -> impl Future<Output = Result<Option<Catalogue>, StoreError>> + Send;

    /// The rows that are shared by all namespaces.
    fn lookups(&self) -> impl Future<Output = Result<Arc<Lookups>, StoreError>> + Send;

    /// Which of some of these rows are in use, in their order: named by anything of any namespace.
    /// A unit is in use, too, in which anything was ever recorded, and the base unit of one in use.
    /// Sees all that was committed before.
    fn used_lookups(
        &self,
        rows: Vec<LookupRef>,
    ) -> impl Future<Output = Result<Vec<LookupRef>, StoreError>> + Send;

    /// Replaces the rows that are shared by all namespaces in one step, raising their version; returns
    /// them. They are made for the version that they bear, or for whatever there is where that is 0: a store
    /// that others write to answers [`StoreError::Again`] where it is another. Refuses to take away a row in use, or to change more of it than its description: the
    /// store itself guards that. Runs on the lane's thread.
    fn put_lookups(
        &self,
        lookups: &Lookups,
    ) -> impl Future<Output = Result<Arc<Lookups>, CommitError>>;

    /// Replaces the catalogue of a namespace in one step, raising its version; returns the new one.
    /// Rows that the draft lacks stay where accounts use them, else they go. Runs on the lane's thread.
    fn put_catalogue(
        &self,
        namespace: &Namespace,
        draft: &CatalogueDraft,
        now: Timestamp,
    ) -> impl Future<Output = Result<Catalogue, CommitError>>;

    /// Drops what has passed its time, a bounded number of rows in one step. Runs on the lane's thread.
    fn apply_retention(
        &self,
        retention: &Retention,
    ) -> impl Future<Output = Result<Expired, CommitError>>;

    /// Which of some rows of a catalogue accounts use: plans that are or were held, resource types
    /// that anything of an account names. Sees all that was committed before.
    fn used(
        &self,
        namespace: &Namespace,
        rows: CatalogueRows,
    ) -> impl Future<Output = Result<CatalogueRows, StoreError>> + Send;

    /// The usage of an account in explicit bounds, in the base unit. Sees all that was committed before.
    fn usage(&self, query: UsageQuery) -> impl Future<Output = Result<i128, StoreError>> + Send;

    /// Usage by time bucket. Sees all that was committed before.
    fn series(
        &self,
        query: SeriesQuery,
    ) -> impl Future<Output = Result<Vec<SeriesRow>, StoreError>> + Send;

    /// The rows of a plan. Sees all that was committed before. A store that has walls of its own reads as
    /// the caller.
    fn query(
        &self,
        reader: &Reader,
        plan: Arc<Plan>,
    ) -> impl Future<Output = Result<Rows, QueryError>> + Send;

    /// Finds what references name, in their order, outside a batch. Sees all that was committed before.
    fn locate(
        &self,
        references: &[(Namespace, Locator)],
    ) -> impl Future<Output = Result<Vec<Option<Place>>, StoreError>> + Send;

    /// [`Store::locate`] for one reference.
    fn find(
        &self,
        namespace: &Namespace,
        locator: Locator,
    ) -> impl Future<Output = Result<Option<Place>, StoreError>> + Send {
        let reference = [(namespace.clone(), locator)];
        async move { Ok(self.locate(&reference).await?.pop().flatten()) }
    }

    /// The accounts from an account up to its owner, nearest first, itself included; empty if unknown.
    fn ancestors(
        &self,
        namespace: &Namespace,
        account: Uuid,
    ) -> impl Future<Output = Result<Vec<Uuid>, StoreError>> + Send;

    /// A key of a program's, revoked or not, by its public part. Sees all that was committed before.
    fn api_key(&self, key: Uuid)
    -> impl Future<Output = Result<Option<ApiKey>, StoreError>> + Send;

    /// The newest [`MAX_API_KEYS`] keys of a namespace that are not revoked, the newest first; of all
    /// namespaces those that act in all.
    fn api_keys(
        &self,
        namespace: Option<&Namespace>,
    ) -> impl Future<Output = Result<Vec<ApiKey>, StoreError>> + Send;

    /// Keeps a new key. Runs on the lane's thread.
    fn put_api_key(&self, key: &ApiKey) -> impl Future<Output = Result<(), CommitError>>;

    /// Revokes a key of a namespace, or of all; whether there was one that was not revoked. Runs on the
    /// lane's thread.
    fn revoke_api_key(
        &self,
        namespace: Option<&Namespace>,
        key: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, CommitError>>;

    /// Notes that a key was used, unless a later use is noted already. Runs on the lane's thread.
    fn use_api_key(
        &self,
        key: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), CommitError>>;

    /// Whether the store can be reached and written to.
    fn health(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How its connections are used.
    fn pools(&self) -> Vec<PoolUse> {
        Vec::new()
    }

    /// How much room it takes, and how much is left, where that can be told.
    fn size(&self) -> impl Future<Output = Result<StoreSize, StoreError>> + Send {
        async { Ok(StoreSize::default()) }
    }
}

/// One transaction of a lane. Dropping it without [`Batch::commit`] leaves no trace.
pub trait Batch {
    /// The store's clock, read after the batch's locks were taken.
    fn now(&self) -> Timestamp;

    /// The heads of the trees given to [`Store::begin`], in their order; none where there is no such
    /// tree. They do not change before the batch ends.
    fn heads(&self) -> &[Option<TreeHead>];

    /// What is known of the keys given to [`Store::begin`], in their order.
    fn keys(&self) -> &[KeyState];

    /// How new a namespace's catalogue is, read after the batch's locks were taken.
    fn catalogue_age(
        &mut self,
        namespace: &Namespace,
    ) -> impl Future<Output = Result<CatalogueAge, StoreError>>;

    /// Finds what references name, in their order.
    fn locate(
        &mut self,
        namespace: &Namespace,
        locators: &[Locator],
    ) -> impl Future<Output = Result<Vec<Option<Place>>, StoreError>>;

    /// The head of a tree, whose lock is taken; none when there is no such tree.
    fn head(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> impl Future<Output = Result<Option<TreeHead>, StoreError>>;

    /// The first fencing epoch of a new tree: 0, and one more with every restored backup.
    fn fencing_epoch(&self) -> u64;

    /// Loads what a Book needs, in the order of the needs. Shows committed state only; what has ended
    /// since the last now of the tree that an account stands in is still shown, since the clock may be
    /// set back. That may be another tree than the one that is asked for.
    fn load(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
        needs: &[Need],
    ) -> impl Future<Output = Result<Vec<Loaded>, StoreError>>;

    /// Makes all changes durable, or none.
    fn commit(self, changes: CommitSet) -> impl Future<Output = Result<(), CommitError>>;
}
