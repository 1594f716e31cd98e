//! Counters as they stand in the database, and their sums between two moments.

use mec_core::usage::CounterKey;
use mec_core::{AccountId, Namespace, Timestamp};
use mec_store::{CounterName, Granularity, spans};
use rusqlite::{Connection, params};

use crate::values::{Id, all, first, or_empty, run};
use crate::{amount, convert, sql};

/// A counter's number, made where it was never written to.
pub(crate) fn find_or_make(
    connection: &Connection,
    name: &CounterName,
) -> rusqlite::Result<(i64, bool)> {
    if let Some(id) = find(connection, &name.namespace, name.level, &name.key)? {
        return Ok((id, false));
    }
    let row = params![
        name.namespace.as_str(),
        name.key.resource,
        Id(name.level),
        or_empty(name.key.drawn_for.as_ref()),
        or_empty(name.key.scope.as_ref()),
    ];
    run(connection, sql::COUNTER_INSERT, row)?;
    Ok((connection.last_insert_rowid(), true))
}

pub(crate) fn find(
    connection: &Connection,
    namespace: &Namespace,
    level: AccountId,
    key: &CounterKey,
) -> rusqlite::Result<Option<i64>> {
    let of = params![
        namespace.as_str(),
        key.resource,
        Id(level),
        or_empty(key.drawn_for.as_ref()),
        or_empty(key.scope.as_ref()),
    ];
    first(connection, sql::COUNTER_SELECT_BY_LEVEL, of, |row| {
        row.get(0)
    })
}

/// The buckets that start in `[from, to)`.
pub(crate) fn buckets(
    connection: &Connection,
    counter: i64,
    granularity: Granularity,
    from: i64,
    to: i64,
) -> rusqlite::Result<Vec<(Timestamp, i128)>> {
    if from >= to {
        return Ok(Vec::new());
    }
    let of = params![counter, granularity.stored(), from, to];
    all(connection, sql::BUCKET_SELECT_BY_COUNTER, of, |row| {
        Ok((convert::at(row, 0)?, amount::read(row, 1)?))
    })
}

/// The sum between two bucket starts.
pub(crate) fn sum(
    connection: &Connection,
    counter: i64,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> rusqlite::Result<i128> {
    let mut sum = 0;
    for span in spans(from, to) {
        let (from, to) = (span.from.as_micros(), span.to.as_micros());
        let found = buckets(connection, counter, span.granularity, from, to)?;
        sum += found.into_iter().map(|(_, amount)| amount).sum::<i128>();
    }
    Ok(sum)
}
