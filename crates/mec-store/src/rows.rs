//! Rows and references that pass between the engine and its stores.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::catalogue::ResourceType;
use mec_core::change::Change;
use mec_core::plan::Plan;
use mec_core::rule::Rule;
use mec_core::{Catalogue, Code, Namespace, Quantity, Timestamp};
use mec_query::Role;
use uuid::Uuid;

/// What a caller may name an account's tree by.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub enum Locator {
    /// An account by its id.
    Account(Uuid),
    /// An account by an id of the product's: `accounts.external_id`, then `account_external_ids`.
    External(String),
    /// The account that holds a lease.
    Lease(Uuid),
    /// The account that holds a reservation.
    Reservation(Uuid),
    /// The account that recorded an event.
    Event(Uuid),
    /// The account that holds a grant.
    Grant(Uuid),
    /// The account that holds an entitlement.
    Entitlement(Uuid),
}

/// Where something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The account.
    pub account: Uuid,
    /// Its tree: the owner's account id.
    pub tree: Uuid,
}

/// A tree by name.
#[derive(Clone, Debug, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct TreeRef {
    /// Whose.
    pub namespace: Namespace,
    /// The owner's account id.
    pub tree: Uuid,
}

/// How new a catalogue is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CatalogueAge {
    /// Its version; 0 where the namespace has none.
    pub version: u64,
    /// The version of the rows that are shared by all namespaces.
    pub lookups: u64,
}

impl CatalogueAge {
    /// Of a catalogue.
    pub fn of(catalogue: &Catalogue) -> Self {
        Self {
            version: catalogue.version,
            lookups: catalogue.lookups.version,
        }
    }

    /// Whether nothing of it is older than another.
    pub fn covers(self, other: Self) -> bool {
        self.version >= other.version && self.lookups >= other.lookups
    }
}

/// Up to where a process has seen what others committed. Only the store that made it can read it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cursor(pub String);

/// What other processes have committed, for [`Store::moved`](crate::Store::moved).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved {
    /// Trees that changed, each with its version afterwards or a later one.
    pub trees: Vec<(TreeRef, u64)>,
    /// Catalogues that changed, likewise.
    pub catalogues: Vec<(Namespace, u64)>,
    /// The version of the rows that are shared by all namespaces, where they changed.
    pub lookups: Option<u64>,
    /// Whether keys of programs were made or revoked.
    pub api_keys: bool,
    /// Whether so much time has passed since the cursor that the store no longer knows all of what changed:
    /// anything may have.
    pub everything: bool,
    /// From where to ask the next time. What is told may be told again, never left out.
    pub cursor: Cursor,
    /// The store's clock; none where it is the process's own.
    pub now: Option<Timestamp>,
}

/// An idempotency key with the call it came with.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct KeyRef {
    /// Whose.
    pub namespace: Namespace,
    /// The key's hash, see [`key_hash`].
    pub hash: u128,
}

/// The first 128 bits of the SHA-256 of a key: what the key is looked up by.
pub fn key_hash(key: &str) -> u128 {
    use sha2::{Digest, Sha256};
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    digest
        .iter()
        .take(16)
        .fold(0, |hash, byte| (hash << 8) | u128::from(*byte))
}

/// What a store knows of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyState {
    /// Never used, or only by commands that were denied.
    Free,
    /// Used; this was answered.
    Taken(StoredAnswer),
}

/// What the first call with a key was, and what it was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// Which RPC.
    pub rpc: Code,
    /// The hash of its normalised arguments.
    pub args_hash: [u8; 32],
    /// The event, grant or reservation it made.
    pub event_id: Option<Uuid>,
    /// The answer's bytes; none once they are past their time.
    pub answer: Option<String>,
}

/// A key to keep.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// The command's index in the batch.
    pub command: usize,
    /// Whose.
    pub namespace: Namespace,
    /// The key as sent.
    pub key: Arc<str>,
    /// What was called and answered.
    pub stored: StoredAnswer,
    /// When.
    pub created_at: Timestamp,
}

/// What a batch does to one tree.
#[derive(Clone, Debug)]
pub struct TreeCommit {
    /// Whose.
    pub namespace: Namespace,
    /// The head after the batch, its version already raised.
    pub head: TreeHead,
    /// Whether the tree is new.
    pub is_new: bool,
    /// The changes in order, each with the index of its command in the batch.
    pub changes: Vec<(usize, Change)>,
}

/// Everything that a batch commits.
#[derive(Clone, Debug, Default)]
pub struct CommitSet {
    /// The trees, each once.
    pub trees: Vec<TreeCommit>,
    /// The keys to keep.
    pub keys: Vec<KeyRow>,
    /// Decisions to log.
    pub decisions: Vec<DecisionRow>,
}

impl CommitSet {
    /// All changes in the order in which they were decided, which is not that of the trees: what one
    /// command gave up another may have taken in another tree.
    pub fn changes(&self) -> impl Iterator<Item = (usize, &TreeCommit, &Change)> {
        let of_tree = |tree| {
            let of: &TreeCommit = tree;
            of.changes.iter().map(move |(at, change)| (*at, of, change))
        };
        let mut changes: Vec<_> = self.trees.iter().flat_map(of_tree).collect();
        if self.trees.len() > 1 {
            changes.sort_by_key(|(command, ..)| *command);
        }
        changes.into_iter()
    }
}

/// One row of the decision log.
#[derive(Clone, Debug)]
pub struct DecisionRow {
    /// Its id.
    pub decision_id: Uuid,
    /// Whose.
    pub namespace: Namespace,
    /// Which account was asked about; may be unknown.
    pub account_id: Uuid,
    /// Which resource.
    pub resource_type_code: Code,
    /// Which scope.
    pub resource_scope: Option<Code>,
    /// How much was asked for, in `unit_code`.
    pub requested_quantity: Quantity,
    /// The unit asked in.
    pub unit_code: Option<Code>,
    /// The verdict.
    pub decision: &'static str,
    /// Why, for programs.
    pub code: &'static str,
    /// Why, for people.
    pub reason: &'static str,
    /// The rule that was applied.
    pub rule_id: Option<Uuid>,
    /// The deciding entitlement.
    pub entitlement_id: Option<Uuid>,
    /// What was used then.
    pub usage_at_decision: Option<Quantity>,
    /// What was allowed then.
    pub limit_at_decision: Option<Quantity>,
    /// Used of allowed, in percent.
    pub percent_used: Option<Quantity>,
    /// The request it answered.
    pub request_id: Option<Arc<str>>,
    /// When.
    pub decided_at: Timestamp,
}

/// The catalogue as it shall be, for [`Store::put_catalogue`](crate::Store::put_catalogue).
#[derive(Clone, Debug, Default)]
pub struct CatalogueDraft {
    /// Resource types.
    pub resource_types: Vec<ResourceType>,
    /// Plans with their templates.
    pub plans: Vec<Plan>,
    /// Rules with their conditions.
    pub rules: Vec<Rule>,
    /// What it was made for; none to replace whatever there is. A store that others write to answers
    /// [`StoreError::Again`](crate::StoreError::Again) where that is no longer what there is.
    pub over: Option<CatalogueAge>,
}

/// What may be dropped by now. The ledger is kept for ever, and so are keys with the ids they made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Logged decisions from before this go.
    pub decisions_before: Timestamp,
    /// Rows of the entitlements' audit from before this go.
    pub audit_before: Timestamp,
    /// Stored answers of keys from before this go.
    pub answers_before: Timestamp,
    /// So many rows of each kind are dropped in one step at the most.
    pub most: usize,
}

/// How many rows a step of retention dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Expired {
    /// Logged decisions.
    pub decisions: usize,
    /// Rows of the entitlements' audit.
    pub audit: usize,
    /// Stored answers.
    pub answers: usize,
}

/// Rows of a catalogue by name, for [`Store::used`](crate::Store::used).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CatalogueRows {
    /// Plans by id.
    pub plans: Vec<Code>,
    /// Resource types by code.
    pub resource_types: Vec<Code>,
}

/// A question for usage in explicit bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageQuery {
    /// Whose.
    pub namespace: Namespace,
    /// Which account.
    pub account: Uuid,
    /// Of which resource.
    pub resource: Code,
    /// In which scope; none for all.
    pub scope: Option<Code>,
    /// From when, on a whole minute; none for the beginning.
    pub from: Option<Timestamp>,
    /// Until when, on a whole minute, exclusively; none for the end.
    pub to: Option<Timestamp>,
    /// Whether accounts below count.
    pub include_children: bool,
}

/// The length of a bucket of a series, in UTC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SeriesBucket {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

impl SeriesBucket {
    /// The start of the bucket that a moment falls in.
    pub fn start(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Hour => at.floor_hour(),
            Self::Day => at.floor_day(),
            Self::Month => mec_core::window::month_start(at),
        }
    }
}

/// What a series is grouped by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SeriesGroup {
    /// The exact scope.
    Scope,
    /// The account that used it.
    Account,
    /// The value of a detail.
    Detail(String),
}

/// A question for usage over time.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesQuery {
    /// Whose.
    pub namespace: Namespace,
    /// Which account, with all below it.
    pub account: Uuid,
    /// Of which resource.
    pub resource: Code,
    /// From when, on a bucket's start.
    pub from: Timestamp,
    /// Until when, exclusively.
    pub to: Timestamp,
    /// The bucket's length.
    pub bucket: SeriesBucket,
    /// What to group by.
    pub group_by: Option<SeriesGroup>,
    /// The most rows to give.
    pub limit: usize,
}

/// One row of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRow {
    /// The bucket's start.
    pub bucket_start: Timestamp,
    /// The scope, account or detail value; none without grouping, or for rows that have none.
    pub group: Option<String>,
    /// How much, in the base unit.
    pub amount: i128,
}

/// Who reads: what a store that has walls of its own is told of the caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reader {
    /// The role.
    pub role: Role,
    /// The namespace; none for the rows that all namespaces share alone.
    pub namespace: Option<Namespace>,
    /// The account in whose subtree the caller is.
    pub account: Option<Uuid>,
}
