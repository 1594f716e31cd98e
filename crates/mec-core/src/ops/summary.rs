//! `usage_summary`: what each limit of an account's own holds now. Changes nothing and decides nothing.

use std::collections::BTreeSet;

use serde::Serialize;
use uuid::Uuid;

use crate::book::Part;
use crate::catalogue::{Catalogue, ResourceType};
use crate::command::Env;
use crate::decide::in_unit_of;
use crate::entitlement::LimitKind;
use crate::figures::{figures, percent_used};
use crate::grant::Grant;
use crate::ids::{AccountId, Code};
use crate::limits::{self, Context, Limit, Query, applicable};
use crate::need::{Need, Stop};
use crate::quantity::Quantity;
use crate::resets::frees_next_at;
use crate::time::Timestamp;

/// What one limit holds: for each figure what a check tells of that limit, in the same unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitState {
    /// The account that holds the limit.
    pub account_id: AccountId,
    /// The resource that it is of.
    pub resource_type_code: Code,
    /// Its scope. Of a limit that only grants make: the scope of requests that the grants lift it for.
    pub resource_scope: Option<Code>,
    /// How it counts.
    pub limit_kind_code: LimitKind,
    /// Its window type.
    pub window_type_code: Code,
    /// The oldest of the entitlements that add up to it; none where only grants make it.
    pub entitlement_id: Option<Uuid>,
    /// All of them, oldest first.
    pub entitlement_ids: Vec<Uuid>,
    /// The plan that gave the oldest.
    pub plan_id: Option<Code>,
    /// The unit of the quantities. Of slots it is a name only.
    pub unit_code: Code,
    /// What it allows; none for unlimited, and for access for a time, which has no quantity.
    pub quantity_allowed: Option<Quantity>,
    /// What is used of it, by the account and those below it.
    pub quantity_used: Quantity,
    /// What open reservations hold of it.
    pub quantity_reserved: Quantity,
    /// What grants add to it.
    pub quantity_granted: Quantity,
    /// What is left of it; none where it allows any quantity.
    pub quantity_remaining: Option<Quantity>,
    /// Used of allowed; an allowance of 0 counts as 100.
    pub percent_used: Option<Quantity>,
    /// The start of its window.
    pub window_start: Option<Timestamp>,
    /// The end of its window, exclusively.
    pub window_end: Option<Timestamp>,
    /// When something of it next frees up by itself; none if nothing will.
    pub resets_at: Option<Timestamp>,
}

/// The limits of an account by a tree's Book. Those above it are asked for as a check does, so that
/// what is asked next finds in memory who may ask.
pub fn summary(env: &Env<'_>) -> Result<Vec<LimitState>, Stop> {
    let levels = env.book.levels(env.account)?;
    let part = levels.first().ok_or(Need::Part(env.account))?;
    own_limits(env.catalogue, part, env.now)
}

/// The limits that the account itself holds and that are in force now, of all resources, whether or not
/// the account is served. Of entitlements with conditions those count whose conditions hold without a
/// context. In the order of resource, kind, window type, scope and entitlement.
pub fn own_limits(
    catalogue: &Catalogue,
    part: &Part,
    now: Timestamp,
) -> Result<Vec<LimitState>, Stop> {
    let mut states = Vec::new();
    for (resource, scopes) in asked(catalogue, part) {
        for scope in scopes {
            of_scope(catalogue, part, resource, scope, now, &mut states)?;
        }
    }
    states.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(states)
}

fn order(state: &LimitState) -> impl Ord + '_ {
    (
        &state.resource_type_code,
        state.limit_kind_code.as_str(),
        &state.window_type_code,
        &state.resource_scope,
        state.entitlement_id,
    )
}

/// The resources of which an account may hold a limit, each with the scopes to ask for: a limit with a
/// scope answers only requests of that scope.
fn asked<'a>(
    catalogue: &'a Catalogue,
    part: &'a Part,
) -> Vec<(&'a ResourceType, BTreeSet<Option<&'a Code>>)> {
    let entitled = part
        .entitlements
        .iter()
        .map(|e| (&e.resource_type_code, e.resource_scope.as_ref()));
    let granted = part
        .grants
        .iter()
        .map(|g| (&g.resource_type_code, g.resource_scope.as_ref()));
    let named: BTreeSet<_> = entitled.chain(granted).collect();
    let mut asked: Vec<(&ResourceType, BTreeSet<Option<&Code>>)> = Vec::new();
    for (code, scope) in named {
        match asked.last_mut() {
            Some((resource, scopes)) if resource.resource_type_code == *code => {
                scopes.insert(scope);
            }
            _ => {
                let scopes = BTreeSet::from([None, scope]);
                asked.extend(catalogue.resource_type(code).map(|found| (found, scopes)));
            }
        }
    }
    asked
}

fn of_scope(
    catalogue: &Catalogue,
    part: &Part,
    resource: &ResourceType,
    scope: Option<&Code>,
    now: Timestamp,
    states: &mut Vec<LimitState>,
) -> Result<(), Stop> {
    let query = Query {
        resource,
        scope,
        kinds: limits::ALL,
        context: &Context::new(),
    };
    for limit in applicable(catalogue, &[part], &query, now)?.limits {
        // A limit of all scopes is told once, by what a request without a scope meets.
        let is_of_scope = match limit.oldest() {
            Some(_) => limit.scope == scope,
            None => scope.is_none() || is_made_for(&limit, &query, now),
        };
        if is_of_scope {
            states.push(state(catalogue, &limit, &query, now)?);
        }
    }
    Ok(())
}

/// Whether a limit that only grants make has one of exactly the requested scope.
fn is_made_for(limit: &Limit<'_>, query: &Query<'_>, now: Timestamp) -> bool {
    let makes = |grant: &Grant| {
        grant.resource_type_code == query.resource.resource_type_code
            && grant.window_type_code == limit.window_type.code
            && grant.resource_scope.as_ref() == query.scope
            && grant.is_valid(now)
            && grant.is_open()
    };
    limit.part.grants.iter().any(makes)
}

fn state(
    catalogue: &Catalogue,
    limit: &Limit<'_>,
    query: &Query<'_>,
    now: Timestamp,
) -> Result<LimitState, Stop> {
    let figures = figures(limit, query, now)?;
    let in_unit = |amount| in_unit_of(catalogue, limit, amount);
    let oldest = limit.oldest();
    Ok(LimitState {
        account_id: limit.part.id(),
        resource_type_code: query.resource.resource_type_code.clone(),
        resource_scope: query.scope.cloned(),
        limit_kind_code: limit.kind,
        window_type_code: limit.window_type.code.clone(),
        entitlement_id: oldest.map(|oldest| oldest.entitlement_id),
        entitlement_ids: limit.members.iter().map(|e| e.entitlement_id).collect(),
        plan_id: oldest.and_then(|oldest| oldest.plan_id.clone()),
        unit_code: limit.unit.clone(),
        quantity_allowed: limit.allowed.map(in_unit),
        quantity_used: in_unit(figures.used),
        quantity_reserved: in_unit(figures.reserved),
        quantity_granted: in_unit(figures.granted),
        quantity_remaining: limit
            .allowed
            .map(|allowed| in_unit(figures.remaining(allowed))),
        percent_used: limit
            .allowed
            .map(|allowed| percent_used(figures.used, allowed)),
        window_start: limit.window.start,
        window_end: limit.window.end,
        resets_at: frees_next_at(limit, query, &figures, now)?,
    })
}
