//! What is done once a day: the ledger's partitions are made ahead of their months, and the rows of
//! writers that are long gone are dropped.

use std::sync::atomic::{AtomicI64, Ordering};

use mec_core::Timestamp;
use mec_store::StoreError;

use crate::connection::Connection;
use crate::sql;

/// Does it once a day of whoever asks.
#[derive(Default)]
pub(crate) struct Upkeep {
    // The day of the last attempt, counted from 1970; day 0 never comes again.
    day: AtomicI64,
}

impl Upkeep {
    /// Does what is due. What cannot be done now is tried again the next day: there is a year of months
    /// ahead, and the ledger's last partition takes what has none, so that nobody need wait for it.
    pub(crate) async fn at(&self, now: Timestamp, connection: &Connection) {
        if !self.is_due(now) {
            return;
        }
        if let Err(fault) = connection.run(sql::PARTITION_MAKE, &[]).await {
            let cause = StoreError::from(fault);
            tracing::warn!(
                cause = &cause as &dyn std::error::Error,
                "the ledger's partitions could not be made ahead"
            );
        }
        if let Err(fault) = connection.run(sql::WRITER_DELETE_BY_AGE, &[]).await {
            let cause = StoreError::from(fault);
            tracing::warn!(
                cause = &cause as &dyn std::error::Error,
                "the writers that are gone could not be dropped"
            );
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let day = now.as_micros().div_euclid(Timestamp::MICROS_PER_DAY);
        self.day.swap(day, Ordering::Relaxed) != day
    }
}
