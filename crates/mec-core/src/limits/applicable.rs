//! Which limits apply: from the account up to its owner, the entitlements in force, grouped.

use smallvec::SmallVec;

use super::{Applicable, Lapse, Limit, LimitFacts, Query};
use crate::book::Part;
use crate::catalogue::Catalogue;
use crate::condition::all_hold;
use crate::entitlement::{Entitlement, EntitlementStatus, LimitKind};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::verdict::DecisionCode;
use crate::window::{Window, WindowType};

/// Finds what applies to a request at a moment.
pub fn applicable<'a>(
    catalogue: &'a Catalogue,
    levels: &[&'a Part],
    query: &Query<'_>,
    at: Timestamp,
) -> Result<Applicable<'a>, Refusal> {
    let mut found = Applicable::default();
    for (level, part) in levels.iter().enumerate() {
        at_level(catalogue, levels, query, at, level, part, &mut found)?;
    }
    Ok(found)
}

fn at_level<'a>(
    catalogue: &'a Catalogue,
    levels: &[&'a Part],
    query: &Query<'_>,
    at: Timestamp,
    level: usize,
    part: &'a Part,
    found: &mut Applicable<'a>,
) -> Result<(), Refusal> {
    let first = found.limits.len();
    let mut held = false;
    let scope = query.scope.map(|scope| &**scope);
    let fitting = part.entitlements.iter().map(|e| &**e).filter(|e| {
        e.resource_type_code == query.resource.resource_type_code
            && query.kinds.contains(&e.limit_kind_code)
            && e.fits_scope(scope)
            && !e.is_superseded(at)
    });
    for entitlement in fitting.clone() {
        held = true;
        if why_not_in_force(entitlement, levels, query, at).is_none() {
            join(
                catalogue,
                &mut found.limits,
                first,
                level,
                part,
                entitlement,
            );
        }
    }
    if !held {
        grant_limits(catalogue, query, at, level, part, found);
    } else if found.limits.len() == first {
        found
            .lapses
            .extend(lapse(fitting, levels, query, at, level));
    }
    for limit in found.limits.iter_mut().skip(first) {
        complete(catalogue, limit, at)?;
    }
    Ok(())
}

/// In the order in which the reasons are told.
fn why_not_in_force(
    entitlement: &Entitlement,
    levels: &[&Part],
    query: &Query<'_>,
    at: Timestamp,
) -> Option<DecisionCode> {
    match entitlement.status {
        EntitlementStatus::Suspended => return Some(DecisionCode::EntitlementSuspended),
        EntitlementStatus::Expired | EntitlementStatus::Superseded => {
            return Some(DecisionCode::EntitlementExpired);
        }
        EntitlementStatus::Active => {}
    }
    if entitlement.effective_end.is_some_and(|end| end <= at) {
        return Some(DecisionCode::EntitlementExpired);
    }
    if at < entitlement.effective_start {
        return Some(DecisionCode::EntitlementNotStarted);
    }
    if entitlement.conditions.is_empty() {
        return None;
    }
    let account = levels.first()?;
    let facts = LimitFacts::new(query.context, account, entitlement.plan_id.as_deref());
    (!all_hold(&entitlement.conditions, &facts)).then_some(DecisionCode::ConditionsNotMet)
}

fn lapse<'a>(
    fitting: impl Iterator<Item = &'a Entitlement> + Clone,
    levels: &[&Part],
    query: &Query<'_>,
    at: Timestamp,
    level: usize,
) -> Option<Lapse> {
    const ORDER: [DecisionCode; 4] = [
        DecisionCode::EntitlementSuspended,
        DecisionCode::EntitlementExpired,
        DecisionCode::EntitlementNotStarted,
        DecisionCode::ConditionsNotMet,
    ];
    let of = |code: DecisionCode| {
        fitting
            .clone()
            .filter(move |e| why_not_in_force(e, levels, query, at) == Some(code))
    };
    ORDER.into_iter().find_map(|code| {
        let entitlement = of(code).min_by_key(|e| (e.created_at, e.entitlement_id))?;
        let begins_at = match code {
            DecisionCode::EntitlementNotStarted => of(code).map(|e| e.effective_start).min(),
            _ => None,
        };
        Some(Lapse {
            level,
            code,
            entitlement_id: entitlement.entitlement_id,
            begins_at,
        })
    })
}

fn join<'a>(
    catalogue: &'a Catalogue,
    limits: &mut SmallVec<[Limit<'a>; 4]>,
    first: usize,
    level: usize,
    part: &'a Part,
    entitlement: &'a Entitlement,
) {
    let same = |limit: &&mut Limit<'a>| {
        limit.kind == entitlement.limit_kind_code
            && limit.window_type.code == entitlement.window_type_code
            && limit.scope == entitlement.resource_scope.as_ref()
    };
    if let Some(limit) = limits.iter_mut().skip(first).find(same) {
        match limit
            .members
            .first()
            .map_or(i32::MIN, |member| member.priority)
        {
            highest if entitlement.priority > highest => {
                limit.members.clear();
                limit.members.push(entitlement);
            }
            highest if entitlement.priority == highest => limit.members.push(entitlement),
            _ => {}
        }
        return;
    }
    limits.push(Limit {
        level,
        part,
        kind: entitlement.limit_kind_code,
        window_type: catalogue
            .window_type(&entitlement.window_type_code)
            .unwrap_or(WindowType::all_time()),
        scope: entitlement.resource_scope.as_ref(),
        members: SmallVec::from_slice(&[entitlement]),
        allowed: None,
        unit: &entitlement.unit_code,
        window: Window {
            start: None,
            end: None,
        },
    });
}

/// An open grant at a level without an entitlement is a limit with the allowance 0.
fn grant_limits<'a>(
    catalogue: &'a Catalogue,
    query: &Query<'_>,
    at: Timestamp,
    level: usize,
    part: &'a Part,
    found: &mut Applicable<'a>,
) {
    if !query.kinds.contains(&LimitKind::Cumulative) {
        return;
    }
    let first = found.limits.len();
    let scope = query.scope.map(|scope| &**scope);
    for grant in part.grants.iter().filter(|g| {
        g.resource_type_code == query.resource.resource_type_code
            && g.fits_scope(scope)
            && g.is_valid(at)
            && g.remaining > 0
    }) {
        if found
            .limits
            .iter()
            .skip(first)
            .any(|limit| limit.window_type.code == grant.window_type_code)
        {
            continue;
        }
        found.limits.push(Limit {
            level,
            part,
            kind: LimitKind::Cumulative,
            window_type: catalogue
                .window_type(&grant.window_type_code)
                .unwrap_or(WindowType::all_time()),
            scope: None,
            members: SmallVec::new(),
            allowed: Some(0),
            unit: &grant.unit_code,
            window: Window {
                start: None,
                end: None,
            },
        });
    }
}

fn complete(catalogue: &Catalogue, limit: &mut Limit<'_>, at: Timestamp) -> Result<(), Refusal> {
    limit
        .members
        .sort_by_key(|member| (member.created_at, member.entitlement_id));
    let Some(oldest) = limit.oldest() else {
        limit.window =
            limit
                .window_type
                .window_at(limit.part.account.created_at, &limit.part.zone, at);
        return Ok(());
    };
    limit.unit = &oldest.unit_code;
    if limit.kind == LimitKind::TimeAccess {
        // Access for a time has no quantity, whatever its entitlements say.
        return Ok(());
    }
    limit.allowed = Some(0);
    for member in &limit.members {
        limit.allowed = match (limit.allowed, member.quantity_allowed) {
            (Some(sum), Some(quantity)) => {
                let amount = catalogue.amount_of(quantity, &member.unit_code)?;
                Some(sum.checked_add(amount).ok_or(Refusal::QuantityOverflow)?)
            }
            _ => None,
        };
    }
    if limit.kind == LimitKind::Cumulative {
        let anchor = oldest.window_anchor.unwrap_or(oldest.effective_start);
        limit.window = limit.window_type.window_at(anchor, &limit.part.zone, at);
        if let Some(from) = oldest.usage_from {
            limit.window.start = Some(limit.window.start.map_or(from, |start| start.max(from)));
        }
    }
    Ok(())
}
