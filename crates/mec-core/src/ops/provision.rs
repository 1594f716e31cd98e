//! `provision_plan`: gives an account the entitlements of a plan. A plan in force gives nothing twice.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::book::Part;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::entitlement::{Entitlement, EntitlementAudit, EntitlementStatus};
use crate::ids::{Code, IdSource};
use crate::need::Stop;
use crate::plan::{Plan, Subscription, SubscriptionStatus, Template};
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The most seats of a subscription.
pub const MAX_SEATS: u32 = 1_000_000;

/// Arguments of provisioning.
#[derive(Clone, Debug, Serialize)]
pub struct Provision {
    /// Which plan.
    pub plan_id: Code,
    /// From when; now where none is given.
    pub start: Option<Timestamp>,
    /// Seats; 1 where none is given, or as before for a plan in force.
    pub quantity: Option<u32>,
}

/// Provisions a plan; answers how many entitlements are in force from it.
pub fn provision(
    provision: &Provision,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let plan = find_plan(&provision.plan_id, env)?;
    if provision
        .quantity
        .is_some_and(|seats| !(1..=MAX_SEATS).contains(&seats))
    {
        return Err(Refusal::bad_value("p_quantity", "1 to 1000000 seats").into());
    }
    let part = env.book.part(env.account)?;
    if let Some(held) = held(part, &provision.plan_id, env.now) {
        return rescale(plan, held, part, provision.quantity, env, ids);
    }
    if plan.status != "active" {
        return Err(Refusal::PlanArchived(plan.plan_id.to_string()).into());
    }
    if let Some(other) = held_base_plan(part, None, env).filter(|_| !plan.is_addon) {
        return Err(Refusal::PlanConflict {
            held: other.plan_id.to_string(),
        }
        .into());
    }
    let start = provision.start.unwrap_or(env.now);
    let subscription = Subscription {
        subscription_id: ids.next_id(),
        account_id: env.account,
        plan_id: plan.plan_id.clone(),
        external_id: None,
        status: if plan.is_trial {
            SubscriptionStatus::Trialing
        } else {
            SubscriptionStatus::Active
        },
        quantity: provision.quantity.unwrap_or(1),
        current_period_start: start,
        current_period_end: trial_end(plan, start),
        cancel_at: None,
        created_at: env.now,
        updated_at: env.now,
    };
    let mut changes = vec![Change::SubscriptionPut(Arc::new(subscription.clone()))];
    for template in &plan.templates {
        let entitlement = from_template(template, plan, &subscription, start, env, ids)?;
        changes.push(put_entitlement(None, entitlement, env, ids));
    }
    let count = u64::try_from(plan.templates.len()).unwrap_or(u64::MAX);
    Ok(Executed::changed(Answer::Count(count), changes, None))
}

/// A plan of the catalogue, or the refusal that names it.
pub fn find_plan<'a>(plan_id: &Code, env: &Env<'a>) -> Result<&'a Plan, Refusal> {
    env.catalogue
        .plans
        .get(plan_id)
        .ok_or_else(|| Refusal::PlanNotFound(plan_id.to_string()))
}

/// The subscription by which an account holds a plan now, if it does.
pub fn held<'a>(part: &'a Part, plan_id: &str, now: Timestamp) -> Option<&'a Arc<Subscription>> {
    part.subscriptions
        .iter()
        .find(|subscription| &*subscription.plan_id == plan_id && in_force(part, subscription, now))
}

/// Whether a subscription gives anything, now or later: it is not canceled, and not all that it gave has ended.
pub fn in_force(part: &Part, subscription: &Subscription, now: Timestamp) -> bool {
    let over = subscription.status == SubscriptionStatus::Canceled
        || subscription.cancel_at.is_some_and(|at| at <= now);
    let mut given = entitlements_of(part, subscription.subscription_id).peekable();
    !over && (given.peek().is_none() || given.any(|e| !has_ended(e, now)))
}

/// The entitlements that a subscription gave and that were not superseded.
pub fn entitlements_of(part: &Part, subscription: Uuid) -> impl Iterator<Item = &Arc<Entitlement>> {
    part.entitlements
        .iter()
        .filter(move |e| e.subscription_id == Some(subscription))
}

/// Whether an entitlement is over.
pub fn has_ended(entitlement: &Entitlement, now: Timestamp) -> bool {
    entitlement.effective_end.is_some_and(|end| end <= now)
        || matches!(
            entitlement.status,
            EntitlementStatus::Expired | EntitlementStatus::Superseded
        )
}

/// A base plan that an account holds beside a subscription, now or later.
pub fn held_base_plan<'a>(
    part: &'a Part,
    beside: Option<Uuid>,
    env: &Env<'_>,
) -> Option<&'a Arc<Subscription>> {
    let is_addon = |plan_id: &Code| {
        env.catalogue
            .plans
            .get(plan_id)
            .is_some_and(|plan| plan.is_addon)
    };
    part.subscriptions
        .iter()
        .filter(|s| Some(s.subscription_id) != beside)
        .find(|s| in_force(part, s, env.now) && !is_addon(&s.plan_id))
}

/// When a trial that begins at a moment ends.
pub fn trial_end(plan: &Plan, start: Timestamp) -> Option<Timestamp> {
    let days = plan.trial_days.filter(|_| plan.is_trial)?;
    Some(add_days(start, days))
}

/// The entitlement that a template gives.
pub fn from_template(
    template: &Template,
    plan: &Plan,
    subscription: &Subscription,
    start: Timestamp,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Entitlement, Refusal> {
    let days = template
        .duration_days
        .or(plan.trial_days.filter(|_| plan.is_trial));
    Ok(Entitlement {
        entitlement_id: ids.next_id(),
        account_id: env.account,
        resource_type_code: template.resource_type_code.clone(),
        resource_scope: template.resource_scope.clone(),
        limit_kind_code: template.limit_kind_code,
        quantity_allowed: scaled(template, subscription.quantity)?,
        unit_code: template.unit_code.clone(),
        effective_start: start,
        effective_end: days.map(|days| add_days(start, days)),
        window_type_code: template.window_type_code.clone(),
        window_anchor: Some(start),
        plan_id: Some(plan.plan_id.clone()),
        template_id: Some(template.template_id),
        subscription_id: Some(subscription.subscription_id),
        usage_from: None,
        priority: template.priority,
        status: EntitlementStatus::Active,
        version: 1,
        superseded_by: None,
        created_at: env.now,
        updated_at: env.now,
        conditions: Vec::new(),
    })
}

/// What a template allows for so many seats.
pub fn scaled(template: &Template, seats: u32) -> Result<Option<Quantity>, Refusal> {
    let Some(quantity) = template.quantity_allowed.filter(|_| template.per_seat) else {
        return Ok(template.quantity_allowed);
    };
    quantity
        .checked_mul_int(i64::from(seats))
        .map(Some)
        .ok_or(Refusal::QuantityOverflow)
}

fn rescale(
    plan: &Plan,
    held: &Arc<Subscription>,
    part: &Part,
    seats: Option<u32>,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let given: Vec<&Arc<Entitlement>> = entitlements_of(part, held.subscription_id)
        .filter(|e| !has_ended(e, env.now))
        .collect();
    let count = u64::try_from(given.len()).unwrap_or(u64::MAX);
    let Some(seats) = seats.filter(|seats| *seats != held.quantity) else {
        return Ok(Executed::unchanged(Answer::Count(count)));
    };
    let subscription = Subscription {
        quantity: seats,
        updated_at: env.now,
        ..(**held).clone()
    };
    let mut changes = vec![Change::SubscriptionPut(Arc::new(subscription))];
    for entitlement in given {
        let template = plan
            .templates
            .iter()
            .find(|template| Some(template.template_id) == entitlement.template_id);
        let Some(template) = template.filter(|template| template.per_seat) else {
            continue;
        };
        let quantity_allowed = scaled(template, seats)?;
        let rescaled = Entitlement {
            quantity_allowed,
            ..next_version(entitlement, env.now)
        };
        changes.push(put_entitlement(
            Some(entitlement.clone()),
            rescaled,
            env,
            ids,
        ));
    }
    Ok(Executed::changed(Answer::Count(count), changes, None))
}

/// A copy of an entitlement as its next version.
pub fn next_version(entitlement: &Entitlement, now: Timestamp) -> Entitlement {
    Entitlement {
        version: entitlement.version.saturating_add(1),
        updated_at: now,
        ..entitlement.clone()
    }
}

/// The change that puts an entitlement, with its row of the audit.
pub fn put_entitlement(
    old: Option<Arc<Entitlement>>,
    new: Entitlement,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Change {
    let audit = EntitlementAudit {
        audit_id: ids.next_id(),
        operation: if old.is_some() { "UPDATE" } else { "INSERT" },
        changed_by: env.by.to_owned(),
        changed_at: env.now,
    };
    Change::EntitlementPut {
        old,
        new: Arc::new(new),
        audit,
    }
}

fn add_days(at: Timestamp, days: u32) -> Timestamp {
    at.saturating_add_micros(Timestamp::MICROS_PER_DAY.saturating_mul(i64::from(days)))
}
