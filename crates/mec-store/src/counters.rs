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

/// Buckets of one granularity that start in `[from, to)`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// Which buckets.
    pub granularity: Granularity,
    /// The first start.
    pub from: Timestamp,
    /// The end of starts, exclusively.
    pub to: Timestamp,
}

/// The buckets whose sum is that of a counter in `[from, to)`, both on a bucket's start: days in the
/// middle, hours and the finest buckets at the edges, so that a year costs no more rows than there are
/// days in it. Without bounds it is the total.
pub fn spans(from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<Span> {
    let span = |granularity, from, to| Span {
        granularity,
        from,
        to,
    };
    if from.is_none() && to.is_none() {
        return vec![span(Granularity::Total, Timestamp::MIN, Timestamp::MAX)];
    }
    let (from, to) = (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX));
    let hours = (ceil(from, Timestamp::MICROS_PER_HOUR), to.floor_hour());
    if hours.0 > hours.1 {
        return vec![span(Granularity::Minute, from, to)];
    }
    let days = (
        ceil(hours.0, Timestamp::MICROS_PER_DAY),
        hours.1.floor_day(),
    );
    let mut spans = vec![
        span(Granularity::Minute, from, hours.0),
        span(Granularity::Minute, hours.1, to),
    ];
    if days.0 > days.1 {
        spans.push(span(Granularity::Hour, hours.0, hours.1));
    } else {
        spans.push(span(Granularity::Hour, hours.0, days.0));
        spans.push(span(Granularity::Day, days.0, days.1));
        spans.push(span(Granularity::Hour, days.1, hours.1));
    }
    spans.retain(|span| span.from < span.to);
    spans
}

fn ceil(at: Timestamp, length: i64) -> Timestamp {
    match at.as_micros().rem_euclid(length) {
        0 => at,
        over => at.saturating_add_micros(length - over),
    }
}
