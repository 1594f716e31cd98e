//! The machine's clock: the one place where the time comes from.

use std::time::{SystemTime, UNIX_EPOCH};

use mec_core::Timestamp;

/// The process's clock.
pub struct Wall;

impl mec_store::Clock for Wall {
    fn now(&self) -> Timestamp {
        timestamp_of(SystemTime::now())
    }
}

/// A time of the machine's as MEC writes it.
pub fn timestamp_of(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Seconds since 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
