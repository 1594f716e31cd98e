//! Counting requests, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Front;
use super::answered::Answered;
use super::counts::FrontCounts;

/// A request under way, until this is dropped: its client may go away.
pub struct UnderWay<'a>(&'a AtomicU64);

/// Counts a request as being under way.
pub fn begin(front: &Front) -> UnderWay<'_> {
    let under_way = front.metrics().requests.under_way();
    under_way.fetch_add(1, Ordering::Relaxed);
    UnderWay(under_way)
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts what a request came to.
pub fn end(front: &Front, answered: &Answered) {
    front.metrics().requests.note(answered);
    if answered.error == Some("rate_limited") {
        FrontCounts::count(&front.counts().rate_limited);
    }
}
