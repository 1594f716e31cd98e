//! Counts of what the engine did, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Checks that were answered from memory.
    pub checks_in_memory: AtomicU64,
    /// Commands that went through the Journal.
    pub commands: AtomicU64,
    /// Batches that the Journal took.
    pub batches: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Parts that were loaded from the store.
    pub loads: AtomicU64,
    /// Accounts that made room in memory.
    pub evictions: AtomicU64,
    /// Decisions that were not logged, since too many came.
    pub decisions_dropped: AtomicU64,
    /// Decisions that were given to the log.
    pub decisions_logged: AtomicU64,
}

impl Stats {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}
