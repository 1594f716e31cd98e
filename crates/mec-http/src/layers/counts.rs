//! What the front door refuses and drops, counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct FrontCounts {
    /// Requests that were refused since their client sent too many.
    pub rate_limited: AtomicU64,
    /// Checks that were turned away since too many were under way.
    pub shed_checks: AtomicU64,
    /// Writes that were turned away since too many were under way.
    pub shed_writes: AtomicU64,
    /// Queries that were turned away since too many were under way.
    pub shed_queries: AtomicU64,
}

impl FrontCounts {
    /// Adds one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
