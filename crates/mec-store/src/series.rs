//! Adding up a series: amounts at moments become sums by bucket and group.

use std::collections::BTreeMap;

use mec_core::Timestamp;

use crate::{SeriesBucket, SeriesRow};

/// Sums by bucket and group.
#[derive(Debug)]
pub struct SeriesSums {
    bucket: SeriesBucket,
    by_bucket: BTreeMap<(Timestamp, Option<String>), i128>,
}

impl SeriesSums {
    /// Nothing yet, in buckets of a length.
    pub fn new(bucket: SeriesBucket) -> Self {
        Self {
            bucket,
            by_bucket: BTreeMap::new(),
        }
    }

    /// Adds an amount.
    pub fn add(&mut self, at: Timestamp, group: Option<String>, amount: i128) {
        let key = (self.bucket.start(at), group);
        let sum = self.by_bucket.entry(key).or_default();
        *sum = sum.saturating_add(amount);
    }

    /// The first rows by bucket and group. Those that come to nothing are left out.
    pub fn rows(self, limit: usize) -> Vec<SeriesRow> {
        let rows = self
            .by_bucket
            .into_iter()
            .filter(|(_, amount)| *amount != 0)
            .take(limit);
        rows.map(|((bucket_start, group), amount)| SeriesRow {
            bucket_start,
            group,
            amount,
        })
        .collect()
    }
}
