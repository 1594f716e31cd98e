//! Figures: what is used, reserved and granted of a limit.

use crate::book::Part;
use crate::entitlement::LimitKind;
use crate::holds::HoldKind;
use crate::limits::{Limit, Query};
use crate::need::Need;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::usage::CounterKey;
use crate::{Code, window::WindowMode};

/// The figures of one limit, in the base unit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Consumption less draws, slots of live leases, or the all-time net sum.
    pub used: i128,
    /// Open reservations.
    pub reserved: i128,
    /// What is left of the grants that lift it.
    pub granted: i128,
}

impl Figures {
    /// What is left of an allowance, at least 0.
    pub fn remaining(&self, allowed: i128) -> i128 {
        self.left(allowed).max(0)
    }

    /// How much a request lacks; 0 or less when it fits.
    pub fn lacking(&self, allowed: i128, requested: i128) -> i128 {
        requested.saturating_sub(self.left(allowed))
    }

    fn left(&self, allowed: i128) -> i128 {
        allowed
            .saturating_add(self.granted)
            .saturating_sub(self.used)
            .saturating_sub(self.reserved)
    }
}

/// Used of an allowance in percent; an allowance of 0 counts as 100.
pub fn percent_used(used: i128, allowed: i128) -> Quantity {
    let hundred = Quantity::from_int(100);
    Quantity::from_micros(used)
        .percent_of(Quantity::from_micros(allowed))
        .unwrap_or(hundred)
}

/// The figures of a limit for a request, or what must be loaded for them.
pub fn figures(limit: &Limit<'_>, query: &Query<'_>, now: Timestamp) -> Result<Figures, Need> {
    let resource = &query.resource.resource_type_code;
    let scope = limit.scope.map(|scope| &**scope);
    let reserved = || limit.part.holds(HoldKind::Reservation, resource);
    Ok(match limit.kind {
        LimitKind::TimeAccess => Figures::default(),
        LimitKind::Concurrency => Figures {
            used: limit
                .part
                .holds(HoldKind::Lease, resource)
                .map_or(0, |held| held.sum(now, scope, None, None)),
            ..Figures::default()
        },
        LimitKind::Inventory => Figures {
            used: range_sum(limit.part, counter(resource, limit.scope, None), None, None)?,
            reserved: reserved().map_or(0, |held| held.sum(now, scope, None, None)),
            granted: 0,
        },
        LimitKind::Cumulative => Figures {
            used: cumulative_used(limit, resource)?,
            reserved: reserved().map_or(0, |held| {
                held.sum(now, scope, limit.window.start, limit.sum_end())
            }),
            granted: granted(limit, query, now),
        },
    })
}

/// What is left of the grants that lift a limit for a request.
pub fn granted(limit: &Limit<'_>, query: &Query<'_>, at: Timestamp) -> i128 {
    let scope = query.scope.map(|scope| &**scope);
    let lifting = limit.part.grants.iter().filter(|grant| {
        grant.resource_type_code == query.resource.resource_type_code
            && grant.window_type_code == limit.window_type.code
            && grant.fits_scope(scope)
            && grant.is_valid(at)
    });
    lifting.map(|grant| grant.remaining).sum()
}

/// The consumption that a cumulative limit counts, less what its events drew from grants.
pub fn cumulative_used(limit: &Limit<'_>, resource: &Code) -> Result<i128, Need> {
    let consumed = window_sum(limit, counter(resource, limit.scope, None))?;
    if !limit.part.had_grants(resource, &limit.window_type.code) {
        return Ok(consumed);
    }
    let drawn = window_sum(
        limit,
        counter(resource, limit.scope, Some(&limit.window_type.code)),
    )?;
    Ok(consumed.saturating_sub(drawn))
}

/// The key of a counter.
pub fn counter(resource: &Code, scope: Option<&Code>, drawn_for: Option<&Code>) -> CounterKey {
    CounterKey {
        resource: resource.clone(),
        scope: scope.cloned(),
        drawn_for: drawn_for.cloned(),
    }
}

fn window_sum(limit: &Limit<'_>, key: CounterKey) -> Result<i128, Need> {
    let start = limit.window.start;
    let counts_anew = limit.oldest().and_then(|oldest| oldest.usage_from);
    match start {
        // Where usage counts anew within the window, its start stands still.
        Some(start)
            if limit.window_type.mode == WindowMode::Rolling && counts_anew != Some(start) =>
        {
            rolling_sum(limit.part, key, start)
        }
        _ => range_sum(limit.part, key, start, limit.sum_end()),
    }
}

fn range_sum(
    part: &Part,
    key: CounterKey,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<i128, Need> {
    let held = part.counter(&key).and_then(|counter| counter.sum(from, to));
    held.ok_or_else(|| Need::Sum {
        level: part.id(),
        counter: key,
        from,
        to,
    })
}

fn rolling_sum(part: &Part, key: CounterKey, start: Timestamp) -> Result<i128, Need> {
    match part
        .counter(&key)
        .and_then(|counter| counter.sum_since(start))
    {
        Some(sum) => Ok(sum),
        None => Err(rolling_need(
            part,
            key,
            start.floor_hour(),
            start.floor_hour(),
        )),
    }
}

/// The need for a rolling counter's hours and the minutes of one of them. What is held since an
/// earlier hour stays, since a longer window may want it.
pub fn rolling_need(
    part: &Part,
    key: CounterKey,
    from_hour: Timestamp,
    minutes_of: Timestamp,
) -> Need {
    let held_from = part
        .counter(&key)
        .and_then(|counter| counter.rolling_from());
    let from_hour = held_from.map_or(from_hour, |held| held.min(from_hour));
    Need::Rolling {
        level: part.id(),
        counter: key,
        from_hour,
        minutes_of,
    }
}
