//! Recording an event: the counters of every level, the draws from grants, the grace clocks, the
//! inventory's own total, and the chain. Metering, consuming, committing and correcting all end here.

use std::sync::Arc;

use uuid::Uuid;

use crate::book::Part;
use crate::catalogue::{ResourceType, Unit};
use crate::chain::event_hash;
use crate::change::{Change, GraceClock};
use crate::command::Env;
use crate::decide::runs;
use crate::entitlement::Entitlement;
use crate::figures::{cumulative_used, figures};
use crate::grant::{Draw, Grant};
use crate::holds::HoldKind;
use crate::ids::{Code, IdSource};
use crate::ledger::{Details, Event, EventFacts};
use crate::limits::{self, Applicable, Context, Query, applicable};
use crate::need::{Need, Stop};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::reservation::Reservation;
use crate::rule::LimitAction;
use crate::time::Timestamp;

/// What is recorded.
pub struct Recording<'a> {
    /// The resource.
    pub resource: &'a ResourceType,
    /// The scope.
    pub scope: Option<&'a Code>,
    /// How much, as sent.
    pub quantity: Quantity,
    /// Its unit.
    pub unit: &'a Unit,
    /// How much, in the base unit.
    pub amount: i128,
    /// When it was used.
    pub occurred_at: Timestamp,
    /// Kept as given.
    pub period_start: Option<Timestamp>,
    /// Kept as given.
    pub period_end: Option<Timestamp>,
    /// The event that is corrected.
    pub corrects: Option<&'a EventFacts>,
    /// The reservation that ends with this event.
    pub ends: Option<&'a Reservation>,
    /// Free keys and texts.
    pub details: Details,
    /// What the caller told for conditions.
    pub context: &'a Context,
}

/// What recording did.
pub struct Recorded {
    /// The event's id.
    pub event_id: Uuid,
    /// The changes.
    pub changes: Vec<Change>,
    /// What was drawn from the grants of each level and window type: level, window type, amount.
    pub drawn: Vec<(usize, Code, i128)>,
}

/// Records an event at the account of the command.
pub fn record(
    recording: &Recording<'_>,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Recorded, Stop> {
    // What is corrected stays with the levels under which it was recorded.
    let levels = match recording.corrects {
        Some(facts) => env.book.levels_then(&facts.event)?,
        None => env.book.levels(env.account)?,
    };
    let mut changes = Vec::with_capacity(4);
    let resource = &recording.resource.resource_type_code;
    see_scope(env, resource, recording.scope, &mut changes)?;
    inventory(recording, env, &levels, &mut changes)?;
    let query = Query {
        resource: recording.resource,
        scope: recording.scope,
        kinds: limits::CONSUMABLE,
        context: recording.context,
    };
    let event_id = ids.next_id();
    let mut drawn = Vec::new();
    // A correction goes into the bucket of its event: what was created after it was not known then.
    // Ids rise, so they tell the order of what was written in the same moment.
    let is_known = |e: &Entitlement| {
        recording.corrects.is_none_or(|facts| {
            (e.created_at, e.entitlement_id) < (facts.event.created_at, facts.event.event_id)
        })
    };
    for (level, part) in levels.iter().enumerate() {
        let bucket = part.bucket(resource, recording.occurred_at, is_known);
        let usage = |drawn_for: Option<&Code>, amount| Change::UsageAdded {
            level: part.id(),
            resource: resource.clone(),
            scope: recording.scope.cloned(),
            drawn_for: drawn_for.cloned(),
            bucket,
            amount,
        };
        changes.push(usage(None, recording.amount));
        let draws = match recording.corrects {
            Some(facts) if recording.amount < 0 => {
                give_back(facts, part, recording.amount.saturating_neg(), env)?
            }
            _ => draw(recording, env, &levels, level, part, &query)?,
        };
        for (draw, grant_remaining) in draws {
            changes.push(usage(Some(&draw.window_type_code), draw.amount));
            drawn.push((level, draw.window_type_code.clone(), draw.amount));
            let event_id = recording
                .corrects
                .map_or(event_id, |facts| facts.event.event_id);
            changes.push(Change::Drawn {
                event_id,
                draw,
                grant_remaining,
            });
        }
    }
    grace_clocks(recording, env, &levels, &query, &drawn, &mut changes)?;
    let event = chain(recording, env, &levels, event_id);
    changes.push(Change::EventRecorded {
        event: Arc::new(event),
        amount: recording.amount,
    });
    Ok(Recorded {
        event_id,
        changes,
        drawn,
    })
}

fn chain(recording: &Recording<'_>, env: &Env<'_>, levels: &[&Part], event_id: Uuid) -> Event {
    let mut event = Event {
        event_id,
        idempotency_key: env.key.map(str::to_owned),
        namespace_id: env.book.namespace.clone(),
        account_id: env.account,
        resource_type_code: recording.resource.resource_type_code.clone(),
        resource_scope: recording.scope.cloned(),
        quantity: recording.quantity,
        unit_code: recording.unit.unit_code.clone(),
        occurred_at: recording.occurred_at,
        period_start: recording.period_start,
        period_end: recording.period_end,
        corrects_event_id: recording.corrects.map(|facts| facts.event.event_id),
        created_at: env.now,
        owner_account_id: env.book.head.tree_id,
        recorded_under: levels.iter().skip(1).map(|part| part.id()).collect(),
        chain_id: env.book.head.chain_id,
        chain_seq: env.book.head.chain_seq.saturating_add(1),
        chain_hash: [0; 32],
        details: recording.details.clone(),
    };
    event.chain_hash = event_hash(&env.book.head.chain_hash, &event);
    event
}

/// Notes a scope that the tree had not used of the resource, within the bound.
pub fn see_scope(
    env: &Env<'_>,
    resource: &Code,
    scope: Option<&Code>,
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    let Some(scope) = scope else { return Ok(()) };
    let owner = env.book.part(env.book.head.tree_id)?;
    let seen = owner
        .scopes(resource)
        .ok_or_else(|| Need::Scopes(resource.clone()))?;
    if !seen.contains(scope) {
        if seen.len() >= env.max_scopes {
            let limit = env.max_scopes;
            return Err(Refusal::TooManyScopes { limit }.into());
        }
        changes.push(Change::ScopeSeen {
            resource: resource.clone(),
            scope: scope.clone(),
        });
    }
    Ok(())
}

fn inventory(
    recording: &Recording<'_>,
    env: &Env<'_>,
    levels: &[&Part],
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    let Some(part) = levels.first().filter(|_| recording.resource.is_inventory) else {
        return Ok(());
    };
    let total = own_total(
        part,
        &recording.resource.resource_type_code,
        recording.scope,
    )?;
    if total.saturating_add(recording.amount) < 0 {
        let total = env
            .catalogue
            .in_unit(total, &recording.unit.unit_code)
            .to_string();
        return Err(Refusal::InventoryBelowZero { total }.into());
    }
    changes.push(Change::OwnTotalAdded {
        level: part.id(),
        resource: recording.resource.resource_type_code.clone(),
        scope: recording.scope.cloned(),
        amount: recording.amount,
    });
    Ok(())
}

/// An account's own total of an inventory in exactly a scope.
pub fn own_total(part: &Part, resource: &Code, scope: Option<&Code>) -> Result<i128, Need> {
    part.own_total(resource, scope)
        .ok_or_else(|| Need::OwnTotal {
            level: part.id(),
            resource: resource.clone(),
            scope: scope.cloned(),
        })
}

/// What an event takes from the grants of a level: per window type the largest excess among its
/// limits, from grants valid when it occurred, save what other reservations hold back.
fn draw(
    recording: &Recording<'_>,
    env: &Env<'_>,
    levels: &[&Part],
    level: usize,
    part: &Part,
    query: &Query<'_>,
) -> Result<Vec<(Draw, i128)>, Stop> {
    let at = recording.occurred_at;
    let open: Vec<&Grant> = eligible(part, query, at).collect();
    if open.is_empty() || recording.amount <= 0 {
        return Ok(Vec::new());
    }
    let found = applicable(env.catalogue, levels, query, at)?;
    let mut draws = Vec::new();
    for window_type in window_types(&open) {
        let excess = excess(
            &found,
            level,
            window_type,
            &query.resource.resource_type_code,
            recording.amount,
        )?;
        let mut left = excess.min(available(
            part,
            query,
            at,
            window_type,
            recording.ends,
            env.now,
        ));
        for grant in open
            .iter()
            .filter(|grant| grant.window_type_code == *window_type)
        {
            let taken = left.min(grant.remaining);
            if taken > 0 {
                left = left.saturating_sub(taken);
                draws.push((draw_of(grant, taken), grant.remaining.saturating_sub(taken)));
            }
        }
    }
    Ok(draws)
}

/// What a reservation holds back of the grants of each level: as much as its event would draw now.
pub fn grant_holds(
    env: &Env<'_>,
    levels: &[&Part],
    query: &Query<'_>,
    amount: i128,
) -> Result<Vec<crate::reservation::GrantHold>, Stop> {
    let mut holds = Vec::new();
    for (level, part) in levels.iter().enumerate() {
        let open: Vec<&Grant> = eligible(part, query, env.now).collect();
        if open.is_empty() {
            continue;
        }
        let found = applicable(env.catalogue, levels, query, env.now)?;
        for window_type in window_types(&open) {
            let mut wanted: i128 = 0;
            for limit in found
                .limits
                .iter()
                .filter(|limit| limit.level == level && limit.window_type.code == *window_type)
            {
                let Some(allowed) = limit.allowed else {
                    continue;
                };
                let figures = figures(limit, query, env.now)?;
                let taken = figures
                    .used
                    .saturating_add(figures.reserved)
                    .saturating_add(amount);
                wanted = wanted.max(taken.saturating_sub(allowed).clamp(0, amount));
            }
            let amount = wanted.min(available(part, query, env.now, window_type, None, env.now));
            if amount > 0 {
                holds.push(crate::reservation::GrantHold {
                    level: part.id(),
                    window_type_code: window_type.clone(),
                    amount,
                });
            }
        }
    }
    Ok(holds)
}

fn eligible<'p>(
    part: &'p Part,
    query: &Query<'_>,
    at: Timestamp,
) -> impl Iterator<Item = &'p Grant> {
    let scope = query.scope.map(|scope| &**scope);
    part.grants.iter().filter(move |grant| {
        grant.resource_type_code == query.resource.resource_type_code
            && grant.fits_scope(scope)
            && grant.is_valid(at)
            && grant.remaining > 0
    })
}

fn window_types<'g>(grants: &[&'g Grant]) -> Vec<&'g Code> {
    let mut codes: Vec<&Code> = Vec::new();
    for grant in grants {
        if !codes.contains(&&grant.window_type_code) {
            codes.push(&grant.window_type_code);
        }
    }
    codes
}

fn excess(
    found: &Applicable<'_>,
    level: usize,
    window_type: &Code,
    resource: &Code,
    amount: i128,
) -> Result<i128, Need> {
    let mut largest = 0;
    for limit in found
        .limits
        .iter()
        .filter(|limit| limit.level == level && limit.window_type.code == *window_type)
    {
        let is_cumulative = limit.kind == crate::entitlement::LimitKind::Cumulative;
        if let Some(allowed) = limit.allowed.filter(|_| is_cumulative) {
            let used = cumulative_used(limit, resource)?;
            largest = largest.max(
                used.saturating_add(amount)
                    .saturating_sub(allowed)
                    .clamp(0, amount),
            );
        }
    }
    Ok(largest)
}

fn available(
    part: &Part,
    query: &Query<'_>,
    at: Timestamp,
    window_type: &Code,
    ends: Option<&Reservation>,
    now: Timestamp,
) -> i128 {
    let granted: i128 = eligible(part, query, at)
        .filter(|g| g.window_type_code == *window_type)
        .map(|g| g.remaining)
        .sum();
    let held = part
        .holds(HoldKind::Reservation, &query.resource.resource_type_code)
        .map_or(0, |held| held.grants_held(now, window_type));
    let own: i128 = ends
        .filter(|reservation| now < reservation.expires_at)
        .into_iter()
        .flat_map(|reservation| &reservation.grant_holds)
        .filter(|hold| hold.level == part.id() && hold.window_type_code == *window_type)
        .map(|hold| hold.amount)
        .sum();
    granted.saturating_sub(held.saturating_sub(own)).max(0)
}

fn draw_of(grant: &Grant, amount: i128) -> Draw {
    Draw {
        grant_id: grant.grant_id,
        level: grant.account_id,
        window_type_code: grant.window_type_code.clone(),
        grant_expires_at: grant.expires_at,
        amount,
    }
}

/// What a correction downwards gives back to the grants of a level: to those that have not lapsed,
/// the last drawn first. What was drawn from a lapsed grant is released last, and is lost.
fn give_back(
    facts: &EventFacts,
    part: &Part,
    amount: i128,
    env: &Env<'_>,
) -> Result<Vec<(Draw, i128)>, Stop> {
    let lapsed = |draw: &Draw| draw.grant_expires_at.is_some_and(|end| end <= env.now);
    let mut draws: Vec<&Draw> = facts
        .draws
        .iter()
        .filter(|draw| draw.level == part.id() && draw.amount > 0)
        .rev()
        .collect();
    draws.sort_by_key(|draw| lapsed(draw));
    let mut left_of: Vec<(&Code, i128)> = Vec::new();
    let mut given = Vec::new();
    for draw in draws {
        let left = match left_of
            .iter_mut()
            .find(|(code, _)| **code == draw.window_type_code)
        {
            Some((_, left)) => left,
            None => {
                left_of.push((&draw.window_type_code, amount));
                let Some((_, left)) = left_of.last_mut() else {
                    continue;
                };
                left
            }
        };
        let back = draw.amount.min(*left);
        if back <= 0 {
            continue;
        }
        *left = left.saturating_sub(back);
        let grant = grant_of(part, draw.grant_id, env)?;
        let keeps = grant.is_valid(env.now);
        let remaining = if keeps {
            grant.remaining.saturating_add(back)
        } else {
            grant.remaining
        };
        given.push((
            Draw {
                amount: back.saturating_neg(),
                ..draw.clone()
            },
            remaining,
        ));
    }
    Ok(given)
}

fn grant_of<'a>(part: &'a Part, id: Uuid, env: &'a Env<'_>) -> Result<&'a Grant, Stop> {
    if let Some(grant) = part.grants.iter().find(|grant| grant.grant_id == id) {
        return Ok(grant);
    }
    match env.book.closed_grants.get(&id) {
        Some(Some(grant)) => Ok(grant),
        Some(None) => Err(Refusal::GrantNotFound.into()),
        None => Err(Need::Grant(id).into()),
    }
}

/// Starts and clears the grace clocks of the limits that a write at `env.now` touches.
fn grace_clocks(
    recording: &Recording<'_>,
    env: &Env<'_>,
    levels: &[&Part],
    query: &Query<'_>,
    drawn: &[(usize, Code, i128)],
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    if !has_grace(env, &query.resource.resource_type_code) {
        return Ok(());
    }
    let found = applicable(env.catalogue, levels, query, env.now)?;
    for limit in &found.limits {
        let at = recording.occurred_at;
        let counted = limit.window.start.is_none_or(|start| start <= at)
            && limit.sum_end().is_none_or(|end| at < end);
        let drawn: i128 = drawn
            .iter()
            .filter(|(level, code, _)| *level == limit.level && *code == limit.window_type.code)
            .map(|d| d.2)
            .sum();
        let effect = if counted {
            recording.amount.saturating_sub(drawn)
        } else {
            0
        };
        touch_clock(env, query, limit, effect, changes)?;
    }
    Ok(())
}

/// Whether any rule of the resource gives grace.
pub fn has_grace(env: &Env<'_>, resource: &str) -> bool {
    env.catalogue
        .rules_of(resource)
        .any(|rule| rule.is_active && rule.limit_action_code == LimitAction::Grace)
}

/// Starts or clears the grace clock of a limit whose used figure a write changes by `effect`. The
/// clock is the limit's, whichever rule the write itself is judged by.
pub fn touch_clock(
    env: &Env<'_>,
    query: &Query<'_>,
    limit: &limits::Limit<'_>,
    effect: i128,
    changes: &mut Vec<Change>,
) -> Result<(), Stop> {
    let Some(allowed) = limit.allowed else {
        return Ok(());
    };
    let key = limit.key(&query.resource.resource_type_code);
    let before = figures(limit, query, env.now)?.used;
    let stored = limit.part.grace_clock(&key);
    let running = stored.filter(|clock| runs(limit, clock, before));
    let above = before.saturating_add(effect) > allowed;
    let clock = above.then(|| {
        running.unwrap_or(GraceClock {
            since: env.now,
            window_start: limit.window.start,
        })
    });
    if clock != stored {
        changes.push(Change::GraceClock { limit: key, clock });
    }
    Ok(())
}
