//! Counters: what they are named by, and the buckets that their sums are kept in.

use mec_core::usage::CounterKey;
use mec_core::{AccountId, Namespace, Timestamp};

/// What makes a counter one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CounterName {
    /// Whose.
    pub namespace: Namespace,
    /// The account at which it counts.
    pub level: AccountId,
    /// What it counts.
    pub key: CounterKey,
}

/// How fine a bucket is; stores keep the numbers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Granularity {
    /// All time.
    Total = 0,
    /// A day in UTC.
    Day = 1,
    /// An hour.
    Hour = 2,
    /// A minute, or the part of it from which an entitlement counts anew.
    Minute = 3,
}

impl Granularity {
    /// All of them, the widest first.
    pub const ALL: [Self; 4] = [Self::Total, Self::Day, Self::Hour, Self::Minute];

    /// The number that is kept.
    pub const fn stored(self) -> i64 {
        self as i64
    }

    /// What a kept number stands for.
    pub fn parse(stored: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.stored() == stored)
    }

    /// The start of the bucket that holds a moment. The total's is 0 whatever the moment.
    pub fn floor(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Total => Timestamp::from_micros(0),
            Self::Day => at.floor_day(),
            Self::Hour => at.floor_hour(),
            Self::Minute => at.floor_minute(),
        }
    }
}
