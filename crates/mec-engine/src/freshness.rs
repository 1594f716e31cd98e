//! How far what is in memory may be behind what other processes have committed.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mec_core::Timestamp;

/// What a check may be answered from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Memory {
    /// Memory is no further behind than the bound.
    Fresh,
    /// The store cannot be asked, and memory may be used for now.
    Degraded,
    /// The store must be asked.
    Unusable,
}

/// What to answer a check when the store cannot be reached for longer than memory may stand in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WhenLost {
    /// An error, so that the product decides.
    #[default]
    Closed,
    /// What is in memory, however old.
    Open,
}

/// When memory was last known to be current.
pub(crate) struct Freshness {
    started: Instant,
    // None where nobody else writes to the store.
    bound: Option<Duration>,
    degraded_for: Duration,
    when_lost: WhenLost,
    /// When the last look at the store that was answered began, in microseconds since the start.
    seen_at: AtomicU64,
    /// Whether the store was looked at: before that, nothing is known of what others commit.
    has_looked: AtomicBool,
    is_lost: AtomicBool,
    /// The store's clock less the process's, in microseconds.
    offset: AtomicI64,
}

impl Freshness {
    pub(crate) fn new(
        bound: Option<Duration>,
        degraded_for: Duration,
        when_lost: WhenLost,
    ) -> Self {
        Self {
            started: Instant::now(),
            bound,
            degraded_for,
            when_lost,
            seen_at: AtomicU64::new(0),
            has_looked: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            offset: AtomicI64::new(0),
        }
    }

    /// How long a check may be behind; none where it never is.
    pub(crate) fn bound(&self) -> Option<Duration> {
        self.bound
    }

    /// Whether others write to the store.
    pub(crate) fn has_peers(&self) -> bool {
        self.bound.is_some()
    }

    /// How long ago memory was known to be current; none where it always is.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.bound?;
        let seen_at = Duration::from_micros(self.seen_at.load(Ordering::Acquire));
        Some(self.started.elapsed().saturating_sub(seen_at))
    }

    pub(crate) fn memory(&self) -> Memory {
        let (Some(bound), Some(age)) = (self.bound, self.age()) else {
            return Memory::Fresh;
        };
        if !self.has_looked.load(Ordering::Acquire) {
            Memory::Unusable
        } else if age <= bound {
            Memory::Fresh
        } else if self.is_lost.load(Ordering::Acquire)
            && (age <= self.degraded_for || self.when_lost == WhenLost::Open)
        {
            Memory::Degraded
        } else {
            Memory::Unusable
        }
    }

    /// A look at the store that began then was answered.
    pub(crate) fn seen(&self, since: Instant) {
        let micros = since.saturating_duration_since(self.started).as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.seen_at.fetch_max(micros, Ordering::AcqRel);
        self.is_lost.store(false, Ordering::Release);
        self.has_looked.store(true, Ordering::Release);
    }

    /// A look at the store was not answered.
    pub(crate) fn lost(&self) {
        self.is_lost.store(true, Ordering::Release);
    }

    /// The store's clock showed `theirs` when the process's showed `ours`.
    pub(crate) fn measured(&self, ours: Timestamp, theirs: Timestamp) {
        let offset = theirs.as_micros().saturating_sub(ours.as_micros());
        self.offset.store(offset, Ordering::Release);
    }

    /// A moment of the process's clock, by the store's.
    pub(crate) fn by_store(&self, ours: Timestamp) -> Timestamp {
        ours.saturating_add_micros(self.offset.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_answers_nothing_before_the_first_look() {
        let bound = Some(Duration::from_secs(3_600));
        let freshness = Freshness::new(bound, Duration::from_secs(3_600), WhenLost::Open);
        assert_eq!(freshness.memory(), Memory::Unusable);
        freshness.lost();
        assert_eq!(freshness.memory(), Memory::Unusable);
        freshness.seen(Instant::now());
        assert_eq!(freshness.memory(), Memory::Fresh);
        let alone = Freshness::new(None, Duration::ZERO, WhenLost::Closed);
        assert_eq!(alone.memory(), Memory::Fresh);
    }
}
