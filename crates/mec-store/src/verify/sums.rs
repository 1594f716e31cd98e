//! The stored sums against what they should be.

use mec_core::{Code, Quantity, Timestamp};
use rustc_hash::FxHashMap;

use super::Difference;
use super::expected::{Expected, Minutes, Own};
use crate::counters::{CounterName, Granularity};

pub(super) type Sums = FxHashMap<(Granularity, Timestamp), i128>;

/// Compares the buckets of a counter.
pub(super) fn compare(
    name: &CounterName,
    stored: &Sums,
    expected: &mut Expected,
) -> Result<(), Difference> {
    let minutes = expected.counters.remove(name).unwrap_or_default();
    differ(name, &fold(&minutes), stored)
}

/// Compares the own total of an inventory.
pub(super) fn compare_own(
    own: &Own,
    stored: i128,
    expected: &mut Expected,
) -> Result<(), Difference> {
    let wanted = expected.own_totals.remove(own).unwrap_or(0);
    if stored == wanted {
        Ok(())
    } else {
        Err(own_differs(own, stored, wanted))
    }
}

/// What was not compared must be nothing.
pub(super) fn nothing_left(expected: &Expected) -> Result<(), Difference> {
    for (name, minutes) in &expected.counters {
        differ(name, &fold(minutes), &Sums::default())?;
    }
    match expected.own_totals.iter().find(|(_, wanted)| **wanted != 0) {
        Some((own, wanted)) => Err(own_differs(own, 0, *wanted)),
        None => Ok(()),
    }
}

fn fold(minutes: &Minutes) -> Sums {
    let mut sums = Sums::default();
    for (minute, amount) in minutes {
        for granularity in Granularity::ALL {
            let sum = sums
                .entry((granularity, granularity.floor(*minute)))
                .or_default();
            *sum = sum.saturating_add(*amount);
        }
    }
    sums
}

/// A bucket that is not there counts as one of nothing.
fn differ(name: &CounterName, expected: &Sums, stored: &Sums) -> Result<(), Difference> {
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
    Err(Difference(format!(
        "{what} of {} {span} at account {} of namespace {} is stored as {}, but the ledger says {}",
        resource(&name.key.resource, name.key.scope.as_ref()),
        name.level,
        name.namespace,
        decimal(stored.get(bucket)),
        decimal(expected.get(bucket)),
    )))
}

fn own_differs((namespace, account, code, scope): &Own, stored: i128, wanted: i128) -> Difference {
    Difference(format!(
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
