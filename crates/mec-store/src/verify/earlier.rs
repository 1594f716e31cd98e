//! Chain heads of an earlier report against today's chains: history may only grow.

use mec_core::ledger::Event;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::{ChainHead, Difference, hex};

/// Earlier heads that were not passed yet.
pub(super) struct Earlier<'a> {
    /// By chain; ids of chains of two namespaces may be the same.
    waiting: FxHashMap<Uuid, Vec<&'a ChainHead>>,
}

impl<'a> Earlier<'a> {
    pub(super) fn new(heads: &'a [ChainHead]) -> Self {
        let mut waiting: FxHashMap<_, Vec<&ChainHead>> = FxHashMap::default();
        for head in heads {
            waiting.entry(head.chain_id).or_default().push(head);
        }
        Self { waiting }
    }

    /// Compares the heads that once stood at an event.
    pub(super) fn pass(&mut self, event: &Event) -> Result<(), Difference> {
        let Some(heads) = self.waiting.get_mut(&event.chain_id) else {
            return Ok(());
        };
        let found = hex(&event.chain_hash);
        let stands_here = |head: &mut &ChainHead| {
            head.chain_seq == event.chain_seq && head.namespace_id == event.namespace_id.as_str()
        };
        for head in heads.extract_if(.., stands_here) {
            if !head.chain_hash.eq_ignore_ascii_case(&found) {
                return Err(Difference(format!(
                    "the chain {} of namespace {} was rewritten: its number {} has another hash than the earlier head",
                    head.chain_id, head.namespace_id, head.chain_seq
                )));
            }
        }
        Ok(())
    }

    /// What was not passed is not there any more.
    pub(super) fn all_found(&self) -> Result<(), Difference> {
        let heads = self.waiting.values().flatten();
        // An empty chain is a part of every other.
        let lost = heads
            .filter(|head| head.chain_seq > 0)
            .min_by_key(|head| (&head.namespace_id, head.chain_id));
        match lost {
            Some(head) => Err(Difference(format!(
                "the chain {} of namespace {} ends before number {}, where the earlier head stood: events were removed",
                head.chain_id, head.namespace_id, head.chain_seq
            ))),
            None => Ok(()),
        }
    }
}
