//! The Books in memory: committed parts by account, ready to be read without waiting for a writer.
//! Any of them may be dropped at any time, since all of it is in the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use mec_core::book::TreeHead;
use mec_core::{AccountId, Namespace, Part, Timestamp};
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use uuid::Uuid;

use crate::expiry::Expiries;

mod publishing;

use publishing::Heads;
pub(crate) use publishing::{Publishing, Work};

const SHARDS: usize = 64;

/// The parts of an account and of those above it, nearest first.
pub(crate) type Path = SmallVec<[Arc<Part>; 4]>;

struct Held {
    part: Arc<Part>,
    tree: Arc<TreeState>,
    used_at: AtomicU32,
}

/// What all parts of a tree share.
struct TreeState {
    /// The now of the last command that was committed to it.
    last_at: AtomicI64,
    /// Whether something was committed to it elsewhere since its parts were loaded.
    is_behind: AtomicBool,
}

impl TreeState {
    fn last_at(&self) -> Timestamp {
        Timestamp::from_micros(self.last_at.load(Ordering::Acquire))
    }
}

/// Whether parts that are behind what was committed elsewhere may be seen, too.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Seen {
    Current,
    Behind,
}

type Shard = FxHashMap<(Namespace, AccountId), Held>;

pub(crate) struct Books {
    shards: Vec<RwLock<Shard>>,
    heads: Mutex<Heads>,
    externals: RwLock<FxHashMap<(Namespace, String), AccountId>>,
    expiries: Mutex<Expiries>,
    per_shard: usize,
    count: AtomicUsize,
    leases: AtomicUsize,
    tick: AtomicU32,
    last_now: AtomicI64,
}

impl Books {
    pub(crate) fn new(max_accounts: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            heads: Mutex::default(),
            externals: RwLock::default(),
            expiries: Mutex::default(),
            per_shard: max_accounts.div_ceil(SHARDS).max(8),
            count: AtomicUsize::new(0),
            leases: AtomicUsize::new(0),
            tick: AtomicU32::new(0),
            last_now: AtomicI64::new(Timestamp::MIN.as_micros()),
        }
    }

    /// The greatest now of all commands that were committed.
    pub(crate) fn last_now(&self) -> Timestamp {
        Timestamp::from_micros(self.last_now.load(Ordering::Acquire))
    }

    fn raise_now(&self, now: Timestamp) {
        self.last_now.fetch_max(now.as_micros(), Ordering::AcqRel);
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many leases the parts in memory hold.
    pub(crate) fn leases(&self) -> usize {
        self.leases.load(Ordering::Relaxed)
    }

    /// How many accounts are to be trimmed, and for how long the first of them.
    pub(crate) fn expiry_backlog(&self) -> (usize, Duration) {
        let now = self.last_now();
        let (accounts, micros) = self.expiries.lock().due(now);
        (accounts, Duration::from_micros(micros.unsigned_abs()))
    }

    /// Ages all entries by one step, for the choice of what makes room.
    pub(crate) fn tick(&self) {
        self.tick.fetch_add(1, Ordering::Relaxed);
    }

    /// The parts of an account and of those above it with their tree's last now, if all of them are
    /// in memory.
    pub(crate) fn path(
        &self,
        namespace: &Namespace,
        account: AccountId,
        seen: Seen,
    ) -> Option<(Path, Timestamp)> {
        let mut path = Path::new();
        let mut last_at = Timestamp::MIN;
        let mut next = Some(account);
        while let Some(id) = next.filter(|_| path.len() < mec_core::account::MAX_DEPTH) {
            let part = self.with(namespace, id, seen, |entry| {
                last_at = last_at.max(entry.tree.last_at());
                entry.part.clone()
            })?;
            next = part.account.parent_account_id;
            path.push(part);
        }
        Some((path, last_at))
    }

    /// A part, if it is in memory.
    pub(crate) fn get(&self, namespace: &Namespace, account: AccountId) -> Option<Arc<Part>> {
        self.with(namespace, account, Seen::Current, |entry| {
            entry.part.clone()
        })
    }

    fn with<R>(
        &self,
        namespace: &Namespace,
        account: AccountId,
        seen: Seen,
        read: impl FnOnce(&Held) -> R,
    ) -> Option<R> {
        let shard = self.shard(account)?.read();
        let entry = shard.get(&(namespace.clone(), account))?;
        if seen == Seen::Current && entry.tree.is_behind.load(Ordering::Acquire) {
            return None;
        }
        let tick = self.tick.load(Ordering::Relaxed);
        if entry.used_at.load(Ordering::Relaxed) != tick {
            entry.used_at.store(tick, Ordering::Relaxed);
        }
        Some(read(entry))
    }

    /// Drops the least recently used eighth of a shard, so that the cost of choosing is spread.
    fn make_room(&self, shard: &mut Shard, keep: AccountId) -> usize {
        let mut ages: Vec<u32> = shard
            .values()
            .map(|entry| entry.used_at.load(Ordering::Relaxed))
            .collect();
        let quota = (ages.len() / 8).max(1);
        let (_, &mut oldest, _) = ages.select_nth_unstable(quota - 1);
        let mut dropped = 0;
        shard.retain(|(_, id), entry| {
            let goes =
                dropped < quota && *id != keep && entry.used_at.load(Ordering::Relaxed) <= oldest;
            dropped += usize::from(goes);
            if goes {
                let leases = entry.part.leases.len();
                self.leases.fetch_sub(leases, Ordering::Relaxed);
            }
            !goes
        });
        self.count.fetch_sub(dropped, Ordering::Relaxed);
        dropped
    }

    /// Lets nothing of a tree be seen as current any more, since it has changed.
    pub(crate) fn forget_tree(&self, namespace: &Namespace, tree: Uuid) {
        self.forget_older(namespace, tree, u64::MAX);
    }

    /// The same, where what is held is older than a version. What the tree's parts share is given up,
    /// so that it takes no look at each of them.
    pub(crate) fn forget_older(&self, namespace: &Namespace, tree: Uuid, version: u64) {
        self.heads.lock().tell(&(namespace.clone(), tree), version);
    }

    /// Lets nothing at all be seen as current any more.
    pub(crate) fn forget_all(&self) {
        let mut heads = self.heads.lock();
        for (_, held) in heads.held.drain() {
            held.tree.is_behind.store(true, Ordering::Release);
        }
        for worked_on in heads.worked_on.values_mut() {
            worked_on.told = u64::MAX;
        }
    }

    pub(crate) fn head(&self, namespace: &Namespace, tree: Uuid) -> Option<TreeHead> {
        let heads = self.heads.lock();
        let held = heads.held.get(&(namespace.clone(), tree))?;
        Some(held.head.clone())
    }

    pub(crate) fn external(&self, namespace: &Namespace, external_id: &str) -> Option<AccountId> {
        self.externals
            .read()
            .get(&(namespace.clone(), external_id.to_owned()))
            .copied()
    }

    pub(crate) fn put_external(
        &self,
        namespace: &Namespace,
        external_id: &str,
        account: AccountId,
    ) {
        let mut externals = self.externals.write();
        if externals.len() >= self.per_shard.saturating_mul(SHARDS) {
            externals.clear();
        }
        externals.insert((namespace.clone(), external_id.to_owned()), account);
    }

    /// Trims the holds that have ended off the parts of accounts whose first one was due by the greatest
    /// now. Only what had ended by the tree's own last now goes: a clock that is set back makes the rest
    /// live again. What stays is looked at anew when the account is next published.
    pub(crate) fn trim(&self) {
        let due: Vec<_> = {
            let mut expiries = self.expiries.lock();
            let now = self.last_now();
            std::iter::from_fn(|| expiries.pop_due(now)).collect()
        };
        if due.is_empty() {
            return;
        }
        let mut publishing = self.publishing();
        for (namespace, account) in due {
            publishing.trim(&namespace, account);
        }
    }

    fn shard(&self, account: AccountId) -> Option<&RwLock<Shard>> {
        // The last byte of an id is random in every version of UUID that is in use.
        let byte = account.as_bytes().last().copied().unwrap_or_default();
        self.shards.get(usize::from(byte) % SHARDS)
    }
}
