//! What is remembered of each client, in bounded memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Clients are kept in so many parts, so that two seldom wait for each other.
const PARTS: usize = 16;

/// A client as one number, a hash that nobody outside can foresee.
pub type Client = u64;

/// A seat for each client, and one that all share who come when no other is free.
#[derive(Debug)]
pub struct Seats {
    parts: [Mutex<Part>; PARTS],
    taken: AtomicUsize,
    most_a_part: usize,
}

#[derive(Debug, Default)]
struct Part {
    /// When each client's last request is worked off by its rate.
    until: FxHashMap<Client, Nanos>,
    shared: Option<Nanos>,
}

impl Seats {
    /// So many seats at the most.
    pub fn new(most: usize) -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::default()),
            taken: AtomicUsize::default(),
            most_a_part: most.div_ceil(PARTS),
        }
    }

    fn part(&self, client: Client) -> Option<&Mutex<Part>> {
        // The map goes by the lower bits.
        let index = usize::try_from(client >> 60).unwrap_or_default();
        self.parts.get(index)
    }
}

impl StateStore for Seats {
    type Key = Client;

    fn measure_and_replace<T, F, E>(&self, client: &Client, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Some(part) = self.part(*client) else {
            return decide(None).map(|(told, _)| told);
        };
        let mut part = part.lock();
        if let Some(until) = part.until.get_mut(client) {
            let (told, next) = decide(Some(*until))?;
            *until = next;
            return Ok(told);
        }
        if part.until.len() >= self.most_a_part {
            let (told, next) = decide(part.shared)?;
            part.shared = Some(next);
            return Ok(told);
        }
        let (told, next) = decide(None)?;
        part.until.insert(*client, next);
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(told)
    }
}

impl ShrinkableKeyedStateStore<Client> for Seats {
    fn retain_recent(&self, drop_below: Nanos) {
        for part in &self.parts {
            let mut part = part.lock();
            let before = part.until.len();
            part.until.retain(|_, until| *until > drop_below);
            let freed = before.saturating_sub(part.until.len());
            self.taken.fetch_sub(freed, Ordering::Relaxed);
        }
    }

    fn len(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
