//! The sums of a batch, added up in memory first, so that a busy account costs a few rows a batch.

use mec_core::{AccountId, Code, Namespace, Timestamp};
use mec_store::{CommitError, Granularity};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::amount::split;
use crate::error::Fault;
use crate::sql;
use crate::values::{Id, or_empty, run};

#[derive(Debug)]
struct Sum {
    amount: i128,
    command: usize,
    shared: bool,
}

type OwnKey = (Namespace, AccountId, Code, Option<Code>);

/// What a batch adds to buckets and to own totals.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    buckets: FxHashMap<(i64, Granularity, i64), Sum>,
    own: FxHashMap<OwnKey, Sum>,
}

impl Sums {
    /// Adds to the total, the day, the hour and the finest bucket of a counter.
    pub(crate) fn add_usage(
        &mut self,
        counter: i64,
        bucket: Timestamp,
        amount: i128,
        command: usize,
    ) -> Result<(), Fault> {
        add(
            &mut self.buckets,
            (counter, Granularity::Minute, bucket.as_micros()),
            amount,
            command,
        )?;
        for granularity in [Granularity::Total, Granularity::Day, Granularity::Hour] {
            let start = granularity.floor(bucket).as_micros();
            add(
                &mut self.buckets,
                (counter, granularity, start),
                amount,
                command,
            )?;
        }
        Ok(())
    }

    pub(crate) fn add_own(
        &mut self,
        namespace: &Namespace,
        level: AccountId,
        resource: &Code,
        scope: Option<&Code>,
        amount: i128,
        command: usize,
    ) -> Result<(), Fault> {
        add(
            &mut self.own,
            (namespace.clone(), level, resource.clone(), scope.cloned()),
            amount,
            command,
        )
    }

    /// Writes the sums, in the order of the rows on disk.
    pub(crate) fn write(self, conn: &Connection) -> Result<(), CommitError> {
        let mut buckets: Vec<_> = self.buckets.into_iter().collect();
        buckets.sort_unstable_by_key(|(key, _)| *key);
        for ((counter, granularity, start), sum) in buckets {
            let written = split(sum.amount)
                .ok_or(Fault::Overflow)
                .and_then(|(whole, micros)| {
                    let row = params![counter, granularity.stored(), start, whole, micros];
                    Ok(run(conn, sql::BUCKET_ADD_BY_COUNTER, row)?)
                });
            written.map_err(|fault| fault.of(sum.culprit()))?;
        }
        for ((namespace, level, resource, scope), sum) in self.own {
            let written = split(sum.amount)
                .ok_or(Fault::Overflow)
                .and_then(|(whole, micros)| {
                    let row = params![
                        namespace.as_str(),
                        Id(level),
                        resource,
                        or_empty(scope.as_ref()),
                        whole,
                        micros
                    ];
                    Ok(run(conn, sql::OWN_TOTAL_ADD_BY_LEVEL, row)?)
                });
            written.map_err(|fault| fault.of(sum.culprit()))?;
        }
        Ok(())
    }
}

impl Sum {
    /// The command that a sum is of, if it is of one alone.
    fn culprit(&self) -> Option<usize> {
        (!self.shared).then_some(self.command)
    }
}

fn add<K: Eq + std::hash::Hash>(
    sums: &mut FxHashMap<K, Sum>,
    key: K,
    amount: i128,
    command: usize,
) -> Result<(), Fault> {
    let sum = sums.entry(key).or_insert(Sum {
        amount: 0,
        command,
        shared: false,
    });
    sum.shared |= sum.command != command;
    sum.amount = sum.amount.checked_add(amount).ok_or(Fault::Overflow)?;
    Ok(())
}
