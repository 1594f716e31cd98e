//! What the last verification of the ledger found.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::families::Family;

/// The verifications that the server made of its own ledger.
#[derive(Debug, Default)]
pub struct Verification {
    made: AtomicU64,
    failed: AtomicU64,
    last_unix_seconds: AtomicU64,
    differs: AtomicBool,
}

impl Verification {
    /// Notes a verification that ended at a time, in seconds after 1970, and whether it found a difference.
    pub fn done(&self, unix_seconds: u64, differs: bool) {
        self.differs.store(differs, Ordering::Relaxed);
        self.last_unix_seconds
            .store(unix_seconds, Ordering::Relaxed);
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a verification that could not be made.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn tell(&self, families: &mut Vec<Family>) {
        families.extend([
            Family::gauge(
                "mec_chain_mismatch",
                "1 where the last verification of the ledger found a difference, else 0",
                f64::from(u8::from(self.differs.load(Ordering::Relaxed))),
            ),
            Family::counter(
                "mec_verifications_total",
                "Verifications of the ledger that the server made",
                &self.made,
            ),
            Family::counter(
                "mec_verifications_failed_total",
                "Verifications of the ledger that could not be made",
                &self.failed,
            ),
            Family::gauge(
                "mec_verified_timestamp_seconds",
                "When the last verification of the ledger ended, in seconds after 1970; 0 where there was none",
                self.last_unix_seconds.load(Ordering::Relaxed) as f64,
            ),
        ]);
    }
}
