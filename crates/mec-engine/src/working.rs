//! The working copy of one tree within a batch: committed parts, and what the batch adds to them.
//! Parts are shared with the readers until the batch changes them.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::change::Change;
use mec_core::{AccountId, Book, Namespace, Need, Part};
use mec_store::{Batch, TreeCommit};
use rustc_hash::FxHashMap;

use crate::error::EngineError;
use crate::{Shared, Stats};

pub(crate) struct Working {
    pub book: Book,
    pub is_new: bool,
    pub changes: Vec<(usize, Change)>,
    published: FxHashMap<AccountId, Arc<Part>>,
}

impl Working {
    pub(crate) fn new(namespace: Namespace, head: TreeHead, is_new: bool) -> Self {
        Self {
            book: Book::new(namespace, head),
            is_new,
            changes: Vec::new(),
            published: FxHashMap::default(),
        }
    }

    /// Gets what a command needs: from memory where it is there, else from the store.
    pub(crate) async fn satisfy(
        &mut self,
        need: Need,
        shared: &Shared,
        batch: &mut impl Batch,
    ) -> Result<(), EngineError> {
        if let Need::Part(id) = need
            && let Some((part, _)) = shared.books.get(&self.book.namespace, id)
        {
            self.published.insert(id, part.clone());
            self.book.parts.insert(id, part);
            return Ok(());
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
        absorbed
            .then_some(())
            .ok_or_else(|| EngineError::Internal(format!("the store did not give {need:?}")))
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

    /// Makes the parts that were loaded or changed visible to readers, after the commit.
    pub(crate) fn publish(self, shared: &Shared) {
        // A new tree that got no change was not committed: it does not exist.
        if self.is_new && self.changes.is_empty() {
            return;
        }
        let mut head = self.book.head;
        if !self.changes.is_empty() {
            head.version = head.version.saturating_add(1);
            shared.books.raise_now(head.last_at);
        }
        let tree = head.tree_id;
        for (id, part) in self.book.parts {
            if self
                .published
                .get(&id)
                .is_some_and(|held| Arc::ptr_eq(held, &part))
            {
                continue;
            }
            if let Some(external) = &part.account.external_id {
                shared
                    .books
                    .put_external(&self.book.namespace, external, id);
            }
            let dropped = shared.books.publish(&self.book.namespace, tree, part);
            Stats::add(&shared.stats.evictions, u64::try_from(dropped).unwrap_or(0));
        }
        shared.books.put_head(&self.book.namespace, head);
    }
}
