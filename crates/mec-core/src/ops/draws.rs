//! Draws: what an event takes from grants, what a reservation holds back of them, and what a
//! correction gives back.

use uuid::Uuid;

use super::record::Recording;
use crate::book::Part;
use crate::command::Env;
use crate::figures::{cumulative_used, figures};
use crate::grant::{Draw, Grant};
use crate::holds::HoldKind;
use crate::ids::Code;
use crate::ledger::EventFacts;
use crate::limits::{Applicable, Query, applicable};
use crate::need::{Need, Stop};
use crate::refusal::Refusal;
use crate::reservation::Reservation;
use crate::time::Timestamp;

/// What an event takes from the grants of a level: per window type the largest excess among its
/// limits, from grants valid when it occurred, save what other reservations hold back.
pub fn draw(
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
pub fn give_back(
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
