//! The working copy of one tree within a batch: committed parts, and what the batch adds to them.
//! Parts are shared with the readers until the batch changes them.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::change::Change;
use mec_core::ids::TreeId;
use mec_core::{AccountId, Book, Namespace, Need, Part};
use mec_store::{Batch, TreeCommit};
use rustc_hash::FxHashMap;

use crate::books::Publishing;
use crate::error::EngineError;
use crate::{Shared, Stats};

pub(crate) struct Working {
    pub book: Book,
    pub is_new: bool,
    pub changes: Vec<(usize, Change)>,
    /// Whether a command of another tree changed it.
    pub is_touched: bool,
    /// Whether a command of another tree moved accounts out of it.
    pub has_moved: bool,
    published: FxHashMap<AccountId, Arc<Part>>,
}

impl Working {
    pub(crate) fn new(namespace: Namespace, head: TreeHead, is_new: bool) -> Self {
        Self {
            book: Book::new(namespace, head),
            is_new,
            changes: Vec::new(),
            is_touched: false,
            has_moved: false,
            published: FxHashMap::default(),
        }
    }

    /// Whether the batch changes anything of it.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_touched || !self.changes.is_empty()
    }

    /// Gets what a command needs: from memory where it is there, else from the store. Tells the other
    /// tree where the need was for a part that does not stand in this one.
    pub(crate) async fn satisfy(
        &mut self,
        need: Need,
        shared: &Shared,
        batch: &mut impl Batch,
    ) -> Result<Option<TreeId>, EngineError> {
        if let Need::Part(id) = need
            && let Some(part) = shared.books.get(&self.book.namespace, id)
        {
            self.published.insert(id, part.clone());
            self.book.parts.insert(id, part);
            return Ok(self.other_tree_of(id));
        }
        Stats::add(&shared.stats.loads, 1);
        let namespace = self.book.namespace.clone();
        let mut loaded = batch
            .load(
                &namespace,
                self.book.head.tree_id,
                std::slice::from_ref(&need),
            )
            .await?;
        let absorbed = loaded
            .pop()
            .is_some_and(|loaded| self.book.absorb(&need, loaded));
        match (absorbed, need) {
            (true, Need::Part(id)) => Ok(self.other_tree_of(id)),
            (true, _) => Ok(None),
            (false, need) => Err(EngineError::Internal(format!(
                "the store did not give {need:?}"
            ))),
        }
    }

    /// Lets go of a part that stands in another tree.
    pub(crate) fn forget(&mut self, need: &Need) {
        if let Need::Part(id) = need {
            self.book.parts.remove(id);
        }
    }

    fn other_tree_of(&self, id: AccountId) -> Option<TreeId> {
        let tree = self.book.parts.get(&id)?.tree_id;
        (tree != self.book.head.tree_id).then_some(tree)
    }

    /// What the store is to commit of this tree.
    pub(crate) fn commit(&self) -> TreeCommit {
        let mut head = self.book.head.clone();
        head.version = head.version.saturating_add(1);
        TreeCommit {
            namespace: self.book.namespace.clone(),
            head,
            is_new: self.is_new,
            changes: self.changes.clone(),
        }
    }

    /// Makes the tree's head visible, after the commit. What stood in trees that an account moved
    /// between is dropped first.
    pub(crate) fn publish_head(&mut self, to: &mut Publishing<'_>) {
        if !self.exists() {
            return;
        }
        let moves = |(_, change): &(usize, Change)| matches!(change, Change::AccountMoved(_));
        self.has_moved |= self.changes.iter().any(moves);
        if self.is_changed() {
            self.book.head.version = self.book.head.version.saturating_add(1);
        }
        let namespace = &self.book.namespace;
        let head = self.book.head.clone();
        if self.has_moved {
            to.forget_older(namespace, head.tree_id, head.version);
        }
        to.put_head(namespace, head);
    }

    /// Makes the parts that were loaded or changed visible to readers, after all heads. Returns how many
    /// others made room for them.
    pub(crate) fn publish_parts(self, to: &mut Publishing<'_>) -> usize {
        if !self.exists() {
            return 0;
        }
        let mut evicted = 0;
        for (id, part) in self.book.parts {
            if self
                .published
                .get(&id)
                .is_some_and(|held| Arc::ptr_eq(held, &part))
            {
                continue;
            }
            evicted += to.put_part(&self.book.namespace, part);
        }
        evicted
    }

    /// A new tree that got no change was not committed: it does not exist.
    fn exists(&self) -> bool {
        !self.is_new || !self.changes.is_empty()
    }
}
