//! Publishing what was committed. Several lanes of a process, and other processes, commit to the same
//! trees: of each tree only what is newest becomes visible, whoever is the first to publish.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use mec_core::book::TreeHead;
use mec_core::{AccountId, Namespace, Part};
use parking_lot::MutexGuard;
use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use super::{Books, Held, SHARDS, TreeState};
use crate::deciding::TreeKey;

pub(super) struct Head {
    pub(super) head: TreeHead,
    pub(super) tree: Arc<TreeState>,
}

#[derive(Default)]
pub(super) struct Heads {
    pub(super) held: FxHashMap<TreeKey, Head>,
    pub(super) worked_on: FxHashMap<TreeKey, WorkedOn>,
}

/// A tree that batches work on.
#[derive(Default)]
pub(super) struct WorkedOn {
    batches: u32,
    /// The greatest version that was told of, or published, since the first of them began.
    pub(super) told: u64,
}

impl Books {
    /// The trees that a batch works on, of which it is noted what others commit meanwhile.
    pub(crate) fn work(&self) -> Work<'_> {
        Work {
            books: self,
            trees: Vec::new(),
        }
    }

    /// Begins to publish what was committed. Nobody else publishes until it ends.
    pub(crate) fn publishing(&self) -> Publishing<'_> {
        Publishing {
            books: self,
            heads: self.heads.lock(),
            behind: FxHashSet::default(),
        }
    }
}

impl Heads {
    /// Something was committed to a tree elsewhere, which made it that version.
    pub(super) fn tell(&mut self, tree: &TreeKey, version: u64) {
        if let Some(worked_on) = self.worked_on.get_mut(tree) {
            worked_on.told = worked_on.told.max(version);
        }
        let is_older = |held: &Head| held.head.version < version;
        if self.held.get(tree).is_some_and(is_older)
            && let Some(held) = self.held.remove(tree)
        {
            held.tree.is_behind.store(true, Ordering::Release);
        }
    }

    fn state(&self, tree: &TreeKey) -> Option<&Arc<TreeState>> {
        Some(&self.held.get(tree)?.tree)
    }
}

/// The trees that a batch works on.
pub(crate) struct Work<'a> {
    books: &'a Books,
    trees: Vec<TreeKey>,
}

impl Work<'_> {
    /// Notes from here on what is told of a tree.
    pub(crate) fn on(&mut self, tree: &TreeKey) {
        let mut heads = self.books.heads.lock();
        let worked_on = heads.worked_on.entry(tree.clone()).or_default();
        let batches = &mut worked_on.batches;
        *batches = batches.saturating_add(1);
        self.trees.push(tree.clone());
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if self.trees.is_empty() {
            return;
        }
        let mut heads = self.books.heads.lock();
        for tree in self.trees.drain(..) {
            if let Entry::Occupied(mut worked_on) = heads.worked_on.entry(tree) {
                let left = worked_on.get().batches.saturating_sub(1);
                worked_on.get_mut().batches = left;
                if left == 0 {
                    worked_on.remove();
                }
            }
        }
    }
}

/// What was committed, on its way to the readers. Batches of other lanes and processes may have
/// committed to the same trees since: what is older than theirs is not published.
pub(crate) struct Publishing<'a> {
    books: &'a Books,
    heads: MutexGuard<'a, Heads>,
    behind: FxHashSet<TreeKey>,
}

impl Publishing<'_> {
    /// Lets nothing of a tree be seen as current that is older than a version.
    pub(crate) fn forget_older(&mut self, namespace: &Namespace, tree: Uuid, version: u64) {
        self.heads.tell(&(namespace.clone(), tree), version);
    }

    /// Publishes the head of a tree.
    pub(crate) fn put_head(&mut self, namespace: &Namespace, head: TreeHead) {
        self.books.raise_now(head.last_at);
        let key = (namespace.clone(), head.tree_id);
        if let Some(worked_on) = self.heads.worked_on.get_mut(&key) {
            if worked_on.told > head.version {
                self.behind.insert(key);
                return;
            }
            worked_on.told = head.version;
        }
        let held = &mut self.heads.held;
        // Heads are small and loaded in one row; when twice as many are held as parts may be, all go
        // that no part needs.
        if held.len() >= self.books.per_shard.saturating_mul(2 * SHARDS) {
            held.retain(|_, held| Arc::strong_count(&held.tree) > 1);
        }
        let micros = head.last_at.as_micros();
        let tree = match held.get(&key) {
            Some(held) => held.tree.clone(),
            None => Arc::new(TreeState {
                last_at: AtomicI64::new(micros),
                is_behind: AtomicBool::new(false),
            }),
        };
        tree.last_at.fetch_max(micros, Ordering::AcqRel);
        held.insert(key, Head { head, tree });
    }

    /// Publishes a part, after the head of its tree. Returns how many others made room for it.
    pub(crate) fn put_part(&mut self, namespace: &Namespace, part: Arc<Part>) -> usize {
        let id = part.id();
        let key = (namespace.clone(), part.tree_id);
        let books = self.books;
        if self.behind.contains(&key) {
            return 0;
        }
        let (Some(tree), Some(shard)) = (self.heads.state(&key), books.shard(id)) else {
            return 0;
        };
        if let Some(external) = &part.account.external_id {
            books.put_external(namespace, external, id);
        }
        books
            .expiries
            .lock()
            .put(namespace, id, part.first_expiry());
        let mut shard = shard.write();
        let entry = Held {
            part,
            tree: tree.clone(),
            used_at: AtomicU32::new(books.tick.load(Ordering::Relaxed)),
        };
        let leases = entry.part.leases.len();
        books.leases.fetch_add(leases, Ordering::Relaxed);
        match shard.insert((namespace.clone(), id), entry) {
            None => books.count.fetch_add(1, Ordering::Relaxed),
            Some(old) => {
                let leases = old.part.leases.len();
                books.leases.fetch_sub(leases, Ordering::Relaxed)
            }
        };
        if shard.len() <= books.per_shard {
            0
        } else {
            books.make_room(&mut shard, id)
        }
    }

    pub(super) fn trim(&mut self, namespace: &Namespace, account: AccountId) {
        let Some(part) = self.books.get(namespace, account) else {
            return;
        };
        let key = (namespace.clone(), part.tree_id);
        let Some(now) = self.heads.state(&key).map(|tree| tree.last_at()) else {
            return;
        };
        if part.first_expiry().is_some_and(|at| at <= now) {
            let mut trimmed = (*part).clone();
            trimmed.trim(now);
            self.put_part(namespace, Arc::new(trimmed));
        }
    }
}
