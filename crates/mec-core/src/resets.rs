//! When a limit frees up.

use smallvec::SmallVec;

use crate::entitlement::LimitKind;
use crate::figures::{Figures, counter, rolling_need};
use crate::holds::HoldKind;
use crate::limits::{Limit, Query};
use crate::need::Need;
use crate::time::Timestamp;
use crate::usage::CounterKey;

/// When a limit frees up for a request: the window's end, for a rolling window the first moment at
/// which the request would fit, for leases the earliest expiry. None if never, if the request
/// exceeds the allowance itself, or if a rolling window has room for it already.
pub fn resets_at(
    limit: &Limit<'_>,
    query: &Query<'_>,
    figures: &Figures,
    requested: i128,
    now: Timestamp,
) -> Result<Option<Timestamp>, Need> {
    let Some(allowed) = limit.allowed.filter(|allowed| requested <= *allowed) else {
        return Ok(None);
    };
    let resource = &query.resource.resource_type_code;
    match limit.kind {
        LimitKind::TimeAccess | LimitKind::Inventory => Ok(None),
        LimitKind::Concurrency => {
            let scope = limit.scope.map(|scope| &**scope);
            Ok(limit
                .part
                .holds(HoldKind::Lease, resource)
                .and_then(|held| held.earliest_expiry(now, scope)))
        }
        LimitKind::Cumulative if limit.is_rolling() => {
            let lacking = figures.lacking(allowed, requested);
            if lacking <= 0 {
                Ok(None)
            } else {
                rolling_fit(limit, query, lacking, now)
            }
        }
        LimitKind::Cumulative => Ok(limit.window.end),
    }
}

/// When something of a limit next frees up by itself, whatever is requested: the window's end, for leases
/// the earliest expiry, for a rolling window the first moment at which usage leaves it or a reservation
/// ends. None if nothing will.
pub fn frees_next_at(
    limit: &Limit<'_>,
    query: &Query<'_>,
    figures: &Figures,
    now: Timestamp,
) -> Result<Option<Timestamp>, Need> {
    let is_empty = figures.used == 0 && figures.reserved == 0;
    match limit.allowed {
        Some(_) if limit.is_rolling() && is_empty => Ok(None),
        Some(_) if limit.is_rolling() => rolling_fit(limit, query, 1, now),
        _ => resets_at(limit, query, figures, 0, now),
    }
}

/// Walks what leaves a rolling window in the order in which it does: usage by its minute, and
/// reservations when they end or leave.
fn rolling_fit(
    limit: &Limit<'_>,
    query: &Query<'_>,
    lacking: i128,
    now: Timestamp,
) -> Result<Option<Timestamp>, Need> {
    let Some(start) = limit.window.start else {
        return Ok(None);
    };
    let releases = hold_releases(limit, query, now);
    let mut releases = releases.iter().copied().peekable();
    let mut freed: i128 = 0;
    let mut latest = now;
    let leaves = |minute| {
        limit
            .window_type
            .first_moment_after_leaving(minute)
            .max(now)
    };
    let keys = counters(limit, query);
    for (hour, total) in net(&keys, start, |key| hours(limit, key, start))? {
        // The first hour's total holds minutes that have left the window already.
        let is_first = hour == start.floor_hour();
        let released_by_then: i128 = releases
            .clone()
            .filter(|(at, _)| *at <= leaves(hour_end(hour)))
            .map(|(_, amount)| amount)
            .sum();
        if !is_first && freed.saturating_add(total).saturating_add(released_by_then) < lacking {
            freed = freed.saturating_add(total);
            latest = leaves(hour_end(hour));
            continue;
        }
        for (minute, amount) in net(&keys, start, |key| minutes(limit, key, start, hour))? {
            while let Some((at, released)) = releases.next_if(|(at, _)| *at <= leaves(minute)) {
                freed = freed.saturating_add(released);
                if freed >= lacking {
                    return Ok(Some(at.max(latest)));
                }
            }
            freed = freed.saturating_add(amount);
            latest = leaves(minute);
            if freed >= lacking {
                return Ok(Some(latest));
            }
        }
    }
    for (at, released) in releases {
        freed = freed.saturating_add(released);
        if freed >= lacking {
            return Ok(Some(at.max(latest)));
        }
    }
    Ok(None)
}

type Amounts = SmallVec<[(Timestamp, i128); 64]>;

/// Usage less draws, by time.
fn net(
    (used, drawn): &(CounterKey, Option<CounterKey>),
    start: Timestamp,
    amounts: impl Fn(&CounterKey) -> Result<Amounts, Need>,
) -> Result<Amounts, Need> {
    let mut sums = amounts(used)?;
    if let Some(drawn) = drawn {
        for (at, amount) in amounts(drawn)? {
            if let Some((_, sum)) = sums.iter_mut().find(|(held, _)| *held == at) {
                *sum = sum.saturating_sub(amount);
            }
        }
    }
    sums.retain(|(at, _)| hour_end(*at) >= start.floor_hour());
    Ok(sums)
}

fn counters(limit: &Limit<'_>, query: &Query<'_>) -> (CounterKey, Option<CounterKey>) {
    let resource = &query.resource.resource_type_code;
    let window_type = &limit.window_type.code;
    let drawn = limit
        .part
        .had_grants(resource, window_type)
        .then(|| counter(resource, limit.scope, Some(window_type)));
    (counter(resource, limit.scope, None), drawn)
}

fn hours(limit: &Limit<'_>, key: &CounterKey, start: Timestamp) -> Result<Amounts, Need> {
    let hour = start.floor_hour();
    let held = limit
        .part
        .counter(key)
        .and_then(|counter| counter.hours_from(hour));
    let held = held.ok_or_else(|| rolling_need(limit.part, key.clone(), hour, hour))?;
    Ok(held.collect())
}

fn minutes(
    limit: &Limit<'_>,
    key: &CounterKey,
    start: Timestamp,
    hour: Timestamp,
) -> Result<Amounts, Need> {
    let held = limit
        .part
        .counter(key)
        .and_then(|counter| counter.minutes_of(hour));
    let held =
        held.ok_or_else(|| rolling_need(limit.part, key.clone(), start.floor_hour(), hour))?;
    Ok(held.filter(|(at, _)| *at >= start).collect())
}

fn hour_end(hour: Timestamp) -> Timestamp {
    hour.saturating_add_micros(Timestamp::MICROS_PER_HOUR - Timestamp::MICROS_PER_MINUTE)
}

fn hold_releases(limit: &Limit<'_>, query: &Query<'_>, now: Timestamp) -> Amounts {
    let Some(held) = limit
        .part
        .holds(HoldKind::Reservation, &query.resource.resource_type_code)
    else {
        return Amounts::new();
    };
    let mut releases: Amounts = held
        .live(now)
        .filter(|hold| limit.scope.is_none() || hold.scope.as_ref() == limit.scope)
        .filter(|hold| {
            limit
                .window
                .start
                .is_none_or(|start| start <= hold.created_at)
        })
        .map(|hold| {
            let leaves = limit
                .window_type
                .first_moment_after_leaving(hold.created_at.floor_minute());
            (hold.expires_at.min(leaves), hold.amount)
        })
        .collect();
    releases.sort_unstable();
    releases
}
