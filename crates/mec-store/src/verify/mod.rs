//! Proving a store against itself: the hash chains, their heads, and every sum recomputed from the
//! ledger. A store reads its rows and hands them to a [`Proof`] in the order of its methods; what
//! must hold stands here, once for all stores.

mod earlier;
mod expected;
mod sums;

use mec_core::chain::{GENESIS, event_hash};
use mec_core::ledger::Event;
use mec_core::{Code, Namespace, Timestamp};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::counters::{CounterName, Granularity};
use earlier::Earlier;
use expected::Expected;
use sums::Sums;

pub use expected::{Drawn, Own};

/// What a verification found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Events that were read.
    pub events: u64,
    /// Chains that were followed.
    pub chains: u64,
    /// Counters that were compared.
    pub counters: u64,
    /// Buckets of these counters that were compared.
    pub buckets: u64,
    /// The first row that differs, as a sentence; none when all is as it should be.
    pub problem: Option<String>,
    /// The last link of every chain, for a comparison with an earlier list.
    pub heads: Vec<ChainHead>,
}

/// The last link of a chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Whose.
    pub namespace_id: String,
    /// The chain.
    pub chain_id: Uuid,
    /// How many events it has.
    pub chain_seq: u64,
    /// The hash of the last, in hexadecimal.
    pub chain_hash: String,
}

/// The end of a chain as the head of its tree says.
#[derive(Clone, Debug)]
pub struct TreeEnd {
    /// Whose.
    pub namespace: Namespace,
    /// The tree.
    pub tree: Uuid,
    /// Its chain.
    pub chain_id: Uuid,
    /// The number of the chain's last event.
    pub chain_seq: u64,
    /// Its hash.
    pub chain_hash: [u8; 32],
}

/// A row differs; the sentence says which, and from what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference(pub String);

struct Link {
    namespace: Namespace,
    chain_id: Uuid,
    seq: u64,
    hash: [u8; 32],
}

/// A verification under way.
pub struct Proof<'a> {
    report: VerifyReport,
    earlier: Earlier<'a>,
    expected: Expected,
    last: Option<Link>,
    counter: Option<(CounterName, Sums)>,
}

impl<'a> Proof<'a> {
    /// Begins, with the resource types that are inventories, and with chain heads of an earlier report
    /// that must still be parts of their chains.
    pub fn new(
        inventories: impl IntoIterator<Item = (Namespace, Code)>,
        earlier: &'a [ChainHead],
    ) -> Self {
        Self {
            report: VerifyReport::default(),
            earlier: Earlier::new(earlier),
            expected: Expected::new(inventories),
            last: None,
            counter: None,
        }
    }

    /// Takes the next event in the order of namespace, chain and number, with the factor of its unit.
    /// Returns how many there were.
    ///
    /// # Errors
    /// Where it does not follow from the one before it.
    pub fn event(&mut self, event: Event, factor: i128) -> Result<u64, Difference> {
        let follows =
            |link: &Link| link.chain_id == event.chain_id && link.namespace == event.namespace_id;
        if !self.last.as_ref().is_some_and(follows) {
            self.end_chain();
        }
        let (seq, hash) = match &self.last {
            Some(link) => (link.seq, link.hash),
            None => (0, GENESIS),
        };
        let chain = format!(
            "chain {} of namespace {}",
            event.chain_id, event.namespace_id
        );
        let wanted = seq.saturating_add(1);
        if event.chain_seq != wanted {
            return Err(Difference(format!(
                "{chain} has event {} as number {} where number {wanted} should stand: a row was removed or put in",
                event.event_id, event.chain_seq
            )));
        }
        if event.chain_hash != event_hash(&hash, &event) {
            return Err(Difference(format!(
                "event {}, number {wanted} of {chain}, is not what was recorded: its hash differs",
                event.event_id
            )));
        }
        self.earlier.pass(&event)?;
        self.expected.add_event(&event, factor);
        self.report.events = self.report.events.saturating_add(1);
        self.last = Some(Link {
            namespace: event.namespace_id,
            chain_id: event.chain_id,
            seq: wanted,
            hash: event.chain_hash,
        });
        Ok(self.report.events)
    }

    fn end_chain(&mut self) {
        let Some(link) = self.last.take() else { return };
        self.report.chains = self.report.chains.saturating_add(1);
        self.report.heads.push(ChainHead {
            namespace_id: link.namespace.to_string(),
            chain_id: link.chain_id,
            chain_seq: link.seq,
            chain_hash: hex(&link.hash),
        });
    }

    /// Takes the heads of all trees, after the last event. A chain whose tree has joined another has no
    /// head any more.
    ///
    /// # Errors
    /// Where a chain ends elsewhere than its head says, or an earlier head is not a part of its chain.
    pub fn heads(&mut self, trees: impl IntoIterator<Item = TreeEnd>) -> Result<(), Difference> {
        self.end_chain();
        self.earlier.all_found()?;
        let found: FxHashMap<(&str, Uuid), &ChainHead> = self
            .report
            .heads
            .iter()
            .map(|head| ((head.namespace_id.as_str(), head.chain_id), head))
            .collect();
        for end in trees {
            let (found_seq, found_hash) = match found.get(&(end.namespace.as_str(), end.chain_id)) {
                Some(head) => (head.chain_seq, head.chain_hash.clone()),
                None => (0, hex(&GENESIS)),
            };
            if (found_seq, found_hash) != (end.chain_seq, hex(&end.chain_hash)) {
                return Err(Difference(format!(
                    "the head of tree {} of namespace {} says that chain {} ends with number {}, \
                     but the ledger ends it with number {found_seq} or with another hash",
                    end.tree, end.namespace, end.chain_id, end.chain_seq
                )));
            }
        }
        Ok(())
    }

    /// Takes what an event drew from a grant, after the heads.
    pub fn draw(&mut self, drawn: &Drawn) {
        self.expected.add_draw(drawn);
    }

    /// Takes the next bucket, in the order of counters, after the draws.
    ///
    /// # Errors
    /// Where a counter before it is not what the ledger says.
    pub fn bucket(
        &mut self,
        counter: &CounterName,
        granularity: Granularity,
        start: Timestamp,
        amount: i128,
    ) -> Result<(), Difference> {
        self.report.buckets = self.report.buckets.saturating_add(1);
        if self
            .counter
            .as_ref()
            .is_none_or(|(held, _)| held != counter)
        {
            self.end_counter()?;
            self.report.counters = self.report.counters.saturating_add(1);
            self.counter = Some((counter.clone(), Sums::default()));
        }
        if let Some((_, sums)) = &mut self.counter {
            // The part of a minute from which an entitlement counts anew is a bucket of its own.
            let sum = sums
                .entry((granularity, granularity.floor(start)))
                .or_default();
            *sum = sum.saturating_add(amount);
        }
        Ok(())
    }

    fn end_counter(&mut self) -> Result<(), Difference> {
        match self.counter.take() {
            Some((name, stored)) => sums::compare(&name, &stored, &mut self.expected),
            None => Ok(()),
        }
    }

    /// Takes the own total of an inventory, after the last bucket.
    ///
    /// # Errors
    /// Where it, or a counter, is not what the ledger says.
    pub fn own_total(&mut self, own: &Own, stored: i128) -> Result<(), Difference> {
        self.end_counter()?;
        sums::compare_own(own, stored, &mut self.expected)
    }

    /// Ends it: whatever else the ledger says should be stored.
    ///
    /// # Errors
    /// Where something is not stored that should be.
    pub fn finish(&mut self) -> Result<(), Difference> {
        self.end_counter()?;
        sums::nothing_left(&self.expected)
    }

    /// What was found, with the problem where there is one.
    pub fn report(mut self, problem: Option<Difference>) -> VerifyReport {
        self.report.problem = problem.map(|Difference(sentence)| sentence);
        self.report
    }
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
