//! Counts of what the engine did, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mec_core::verdict::{DecisionCode, Verdict};

/// Upper bounds of times, in microseconds: 0.1 ms to 10 s.
pub const TIMES_MICROS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];
/// Upper bounds of the sizes of batches, in commands.
const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096];

/// Counters since the start.
#[derive(Debug)]
pub struct Stats {
    /// Checks that were answered from memory.
    pub checks_in_memory: AtomicU64,
    /// Commands that went through the Journal.
    pub commands: AtomicU64,
    /// Batches that the Journal took.
    pub batches: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Commits that failed, or of which it is not known how they ended.
    pub commits_failed: AtomicU64,
    /// Parts that were loaded from the store.
    pub loads: AtomicU64,
    /// Accounts that made room in memory.
    pub evictions: AtomicU64,
    /// Decisions that were not logged, since too many came.
    pub decisions_dropped: AtomicU64,
    /// Decisions that were given to the log.
    pub decisions_logged: AtomicU64,
    /// Decisions that were answered.
    pub decisions: Decisions,
    /// Commands a batch.
    pub batch_commands: Histogram,
    /// How long what waits for the Journal waited, in microseconds.
    pub queue_wait_micros: Histogram,
    /// How long commits took, in microseconds.
    pub commit_micros: Histogram,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            checks_in_memory: AtomicU64::default(),
            commands: AtomicU64::default(),
            batches: AtomicU64::default(),
            commits: AtomicU64::default(),
            commits_failed: AtomicU64::default(),
            loads: AtomicU64::default(),
            evictions: AtomicU64::default(),
            decisions_dropped: AtomicU64::default(),
            decisions_logged: AtomicU64::default(),
            decisions: Decisions::default(),
            batch_commands: Histogram::new(SIZES),
            queue_wait_micros: Histogram::new(TIMES_MICROS),
            commit_micros: Histogram::new(TIMES_MICROS),
        }
    }
}

impl Stats {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

/// How often each decision was answered.
#[derive(Debug, Default)]
pub struct Decisions([[AtomicU64; Verdict::ALL.len()]; DecisionCode::ALL.len()]);

impl Decisions {
    pub(crate) fn note(&self, verdict: Verdict, code: DecisionCode) {
        let of_code = self.0.get(code as usize);
        if let Some(count) = of_code.and_then(|counts| counts.get(verdict as usize)) {
            Stats::add(count, 1);
        }
    }

    /// The counts of all that were ever answered.
    pub fn iter(&self) -> impl Iterator<Item = (Verdict, DecisionCode, u64)> {
        let of_code = |(code, counts): (DecisionCode, &'_ [AtomicU64; _])| {
            let counts = Verdict::ALL.into_iter().zip(counts.each_ref());
            counts
                .map(|(verdict, count)| (verdict, code, count.load(Ordering::Relaxed)))
                .collect::<Vec<_>>()
        };
        let all = DecisionCode::ALL.into_iter().zip(&self.0);
        all.flat_map(of_code).filter(|(_, _, count)| *count > 0)
    }
}

/// How many values of a kind lay below each of some bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    // One more than the bounds: the last for what lies above them all.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a [`Histogram`] held at a moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Buckets {
    /// The upper bounds, each with how many values lay at or below it.
    pub cumulative: Vec<(u64, u64)>,
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
}

impl Histogram {
    /// An empty one. The bounds rise.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::default()).collect(),
            sum: AtomicU64::default(),
        }
    }

    /// Counts a value.
    pub fn observe(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            Stats::add(count, 1);
            Stats::add(&self.sum, value);
        }
    }

    /// Counts a time in microseconds.
    pub fn observe_time(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// What it holds now.
    pub fn buckets(&self) -> Buckets {
        let mut count = 0;
        let mut cumulative = Vec::with_capacity(self.bounds.len());
        let mut bounds = self.bounds.iter();
        for at_bound in &self.counts {
            count += at_bound.load(Ordering::Relaxed);
            cumulative.extend(bounds.next().map(|bound| (*bound, count)));
        }
        Buckets {
            cumulative,
            count,
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_at_its_bound_and_above() {
        let histogram = Histogram::new(&[1, 10]);
        for value in [0, 1, 2, 10, 11] {
            histogram.observe(value);
        }
        let told = Buckets {
            cumulative: vec![(1, 2), (10, 4)],
            count: 5,
            sum: 24,
        };
        assert_eq!(histogram.buckets(), told);
    }

    #[test]
    fn decisions_are_counted_by_verdict_and_code() {
        let decisions = Decisions::default();
        for verdict in Verdict::ALL {
            for code in DecisionCode::ALL {
                decisions.note(verdict, code);
            }
        }
        decisions.note(Verdict::Deny, DecisionCode::LimitReached);
        let all = decisions.iter().count();
        assert_eq!(all, Verdict::ALL.len() * DecisionCode::ALL.len());
        let denied = (Verdict::Deny, DecisionCode::LimitReached, 2);
        assert!(decisions.iter().any(|told| told == denied));
    }
}
