//! Counters as they stand in the database, and their sums between two moments.

use mec_core::usage::CounterKey;
use mec_core::{AccountId, Namespace, Timestamp};
use mec_store::{CounterName, Granularity};
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

/// The sum between two bucket starts: days in the middle, hours and the finest buckets at the edges,
/// so that a year costs no more rows than there are days in it.
pub(crate) fn sum(
    connection: &Connection,
    counter: i64,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> rusqlite::Result<i128> {
    let total = |granularity, from, to| -> rusqlite::Result<i128> {
        Ok(buckets(connection, counter, granularity, from, to)?
            .into_iter()
            .map(|(_, amount)| amount)
            .sum())
    };
    if from.is_none() && to.is_none() {
        return total(Granularity::Total, i64::MIN, i64::MAX);
    }
    let from = from.unwrap_or(Timestamp::MIN).as_micros();
    let to = to.map_or(i64::MAX, Timestamp::as_micros);
    let (first_hour, last_hour) = (
        ceil(from, Timestamp::MICROS_PER_HOUR),
        floor(to, Timestamp::MICROS_PER_HOUR),
    );
    if first_hour > last_hour {
        return total(Granularity::Minute, from, to);
    }
    let edges =
        total(Granularity::Minute, from, first_hour)? + total(Granularity::Minute, last_hour, to)?;
    let (first_day, last_day) = (
        ceil(first_hour, Timestamp::MICROS_PER_DAY),
        floor(last_hour, Timestamp::MICROS_PER_DAY),
    );
    if first_day > last_day {
        return Ok(edges + total(Granularity::Hour, first_hour, last_hour)?);
    }
    Ok(edges
        + total(Granularity::Hour, first_hour, first_day)?
        + total(Granularity::Day, first_day, last_day)?
        + total(Granularity::Hour, last_day, last_hour)?)
}

fn floor(at: i64, length: i64) -> i64 {
    at.saturating_sub(at.rem_euclid(length))
}

fn ceil(at: i64, length: i64) -> i64 {
    match at.rem_euclid(length) {
        0 => at,
        over => at.saturating_add(length - over),
    }
}
