//! The stored sums against what they should be.

use mec_core::usage::CounterKey;
use mec_core::{Code, Quantity, Timestamp};
use rusqlite::{Connection, Row};
use rustc_hash::FxHashMap;

use super::Stop;
use super::expected::{Expected, Minutes, Own};
use crate::convert::{at, code, damaged, id, namespace, none_if_empty};
use crate::counter::{Granularity, Name};
use crate::{amount, sql};

type Sums = FxHashMap<(Granularity, Timestamp), i128>;

/// Compares all buckets of all counters; says how many counters and buckets there are.
pub(super) fn compare_counters(
    connection: &Connection,
    expected: &mut Expected,
) -> Result<(u64, u64), Stop> {
    let mut statement = connection.prepare_cached(sql::BUCKET_SELECT_ALL)?;
    let mut rows = statement.query([])?;
    let (mut counters, mut buckets): (u64, u64) = (0, 0);
    let mut current: Option<(i64, Name, Sums)> = None;
    while let Some(row) = rows.next()? {
        buckets = buckets.saturating_add(1);
        let number: i64 = row.get(0)?;
        if current.as_ref().is_none_or(|(held, _, _)| *held != number) {
            compare(current.take(), expected)?;
            counters = counters.saturating_add(1);
            current = Some((number, name(row)?, Sums::default()));
        }
        let granularity =
            Granularity::parse(row.get(6)?).ok_or_else(|| damaged(6, "a granularity"))?;
        // The part of a minute from which an entitlement counts anew is a bucket of its own.
        let start = granularity.floor(at(row, 7)?);
        if let Some((_, _, sums)) = &mut current {
            *sums.entry((granularity, start)).or_default() += amount::read(row, 8)?;
        }
    }
    compare(current, expected)?;
    for (name, minutes) in &expected.counters {
        differ(name, &fold(minutes), &Sums::default())?;
    }
    Ok((counters, buckets))
}

fn name(row: &Row<'_>) -> rusqlite::Result<Name> {
    let key = CounterKey {
        resource: code(row, 3)?,
        scope: none_if_empty(row.get(4)?),
        drawn_for: none_if_empty(row.get(5)?),
    };
    Ok(Name {
        namespace: namespace(row, 1)?,
        level: id(row, 2)?,
        key,
    })
}

fn compare(stored: Option<(i64, Name, Sums)>, expected: &mut Expected) -> Result<(), Stop> {
    let Some((_, name, stored)) = stored else {
        return Ok(());
    };
    let minutes = expected.counters.remove(&name).unwrap_or_default();
    differ(&name, &fold(&minutes), &stored)
}

fn fold(minutes: &Minutes) -> Sums {
    let mut sums = Sums::default();
    for (minute, amount) in minutes {
        for granularity in [
            Granularity::Total,
            Granularity::Day,
            Granularity::Hour,
            Granularity::Minute,
        ] {
            let sum = sums
                .entry((granularity, granularity.floor(*minute)))
                .or_default();
            *sum = sum.saturating_add(*amount);
        }
    }
    sums
}

/// A bucket that is not there counts as one of nothing.
fn differ(name: &Name, expected: &Sums, stored: &Sums) -> Result<(), Stop> {
    let wrong = expected
        .keys()
        .chain(stored.keys())
        .filter(|bucket| expected.get(bucket).unwrap_or(&0) != stored.get(bucket).unwrap_or(&0))
        .min();
    let Some(bucket) = wrong else { return Ok(()) };
    let (granularity, start) = bucket;
    let span = match granularity {
        Granularity::Total => "in total".to_owned(),
        Granularity::Day => format!("on the day {}", start.to_canonical()),
        Granularity::Hour => format!("in the hour {}", start.to_canonical()),
        Granularity::Minute => format!("in the minute {}", start.to_canonical()),
    };
    let what = match &name.key.drawn_for {
        None => "the use".to_owned(),
        Some(window_type) => format!("what was drawn from grants for {window_type}"),
    };
    Err(Stop::Problem(format!(
        "{what} of {} {span} at account {} of namespace {} is stored as {}, but the ledger says {}",
        resource(&name.key.resource, name.key.scope.as_ref()),
        name.level,
        name.namespace,
        decimal(stored.get(bucket)),
        decimal(expected.get(bucket)),
    )))
}

/// Compares the own totals of inventories.
pub(super) fn compare_own_totals(
    connection: &Connection,
    expected: &mut Expected,
) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached(sql::OWN_TOTAL_SELECT_ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let own = (
            namespace(row, 0)?,
            id(row, 1)?,
            code(row, 2)?,
            none_if_empty(row.get(3)?),
        );
        let stored = amount::read(row, 4)?;
        let wanted = expected.own_totals.remove(&own).unwrap_or(0);
        if stored != wanted {
            return Err(own_differs(&own, stored, wanted));
        }
    }
    match expected.own_totals.iter().find(|(_, wanted)| **wanted != 0) {
        Some((own, wanted)) => Err(own_differs(own, 0, *wanted)),
        None => Ok(()),
    }
}

fn own_differs((namespace, account, code, scope): &Own, stored: i128, wanted: i128) -> Stop {
    Stop::Problem(format!(
        "the own total of {} at account {account} of namespace {namespace} is stored as {}, but the ledger says {}",
        resource(code, scope.as_ref()),
        decimal(Some(&stored)),
        decimal(Some(&wanted)),
    ))
}

fn resource(code: &Code, scope: Option<&Code>) -> String {
    scope.map_or_else(|| code.to_string(), |scope| format!("{code} ({scope})"))
}

fn decimal(amount: Option<&i128>) -> String {
    Quantity::from_micros(amount.copied().unwrap_or(0)).to_string()
}
