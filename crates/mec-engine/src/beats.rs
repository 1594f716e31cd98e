//! Whether the writers of the Journal go on: each tells at every turn that it lives, and one that waits for
//! work turns several times a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When the writer of each lane last began a turn.
pub(crate) struct Beats {
    start: Instant,
    // Microseconds after the start.
    lanes: Box<[AtomicU64]>,
}

impl Beats {
    pub(crate) fn new(lanes: usize) -> Self {
        Self {
            start: Instant::now(),
            lanes: (0..lanes.max(1)).map(|_| AtomicU64::default()).collect(),
        }
    }

    pub(crate) fn beat(&self, lane: usize) {
        if let Some(beat) = self.lanes.get(lane) {
            beat.store(micros(self.start.elapsed()), Ordering::Relaxed);
        }
    }

    /// How long the turns take that the writers are in, by lane.
    pub(crate) fn ages(&self) -> Vec<Duration> {
        let now = micros(self.start.elapsed());
        let age = |beat: &AtomicU64| now.saturating_sub(beat.load(Ordering::Relaxed));
        let ages = self.lanes.iter().map(age);
        ages.map(Duration::from_micros).collect()
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
