//! `change_plan`: another base plan (or add-on) in the place of one that is held.

use std::sync::Arc;

use serde::Serialize;

use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::entitlement::{Entitlement, EntitlementStatus};
use crate::ids::{Code, IdSource};
use crate::need::Stop;
use crate::ops::provision::{
    entitlements_of, find_plan, from_template, has_ended, held, held_base_plan, next_version,
    put_entitlement, trial_end,
};
use crate::plan::{Subscription, SubscriptionStatus};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Arguments of changing.
#[derive(Clone, Debug, Serialize)]
pub struct ChangePlan {
    /// The plan that is held.
    pub from_plan_id: Code,
    /// The plan that shall be held.
    pub to_plan_id: Code,
    /// From when; now where none is given.
    pub effective_at: Option<Timestamp>,
    /// Whether usage so far counts against the new plan.
    pub carry_over: bool,
}

/// Supersedes what the old plan gave by what the new one gives; answers how many entitlements were touched.
pub fn change_plan(
    change: &ChangePlan,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let from = find_plan(&change.from_plan_id, env)?;
    let to = find_plan(&change.to_plan_id, env)?;
    let part = env.book.part(env.account)?;
    if from.plan_id == to.plan_id {
        return Err(Refusal::bad_value("p_to_plan_id", "another plan than p_from_plan_id").into());
    }
    let Some(old) = held(part, &from.plan_id, env.now) else {
        // A repetition of a change that has happened touches nothing.
        if held(part, &to.plan_id, env.now).is_some() {
            return Ok(Executed::unchanged(Answer::Count(0)));
        }
        return Err(Refusal::PlanNotHeld(from.plan_id.to_string()).into());
    };
    if to.status != "active" {
        return Err(Refusal::PlanArchived(to.plan_id.to_string()).into());
    }
    // A change that is still to come has put the other plan beside the old one already; told again,
    // it touches nothing.
    let coming = held(part, &to.plan_id, env.now);
    let is_told_again = coming.is_some_and(|coming| {
        let at = Some(coming.current_period_start);
        old.cancel_at == at && change.effective_at == at
    });
    if is_told_again {
        return Ok(Executed::unchanged(Answer::Count(0)));
    }
    if from.is_addon != to.is_addon {
        return Err(Refusal::bad_value(
            "p_to_plan_id",
            "a base plan for a base plan, an add-on for an add-on",
        )
        .into());
    }
    let beside = coming
        .or_else(|| held_base_plan(part, Some(old.subscription_id), env).filter(|_| !to.is_addon));
    if let Some(beside) = beside {
        return Err(Refusal::PlanConflict {
            held: beside.plan_id.to_string(),
        }
        .into());
    }
    let at = change.effective_at.unwrap_or(env.now);
    if at < old.current_period_start {
        return Err(
            Refusal::bad_value("p_effective_at", "must not lie before the plan's start").into(),
        );
    }
    let subscription = Subscription {
        subscription_id: ids.next_id(),
        plan_id: to.plan_id.clone(),
        status: if to.is_trial {
            SubscriptionStatus::Trialing
        } else {
            SubscriptionStatus::Active
        },
        current_period_start: at,
        current_period_end: trial_end(to, at),
        // The end that the old plan was to have is not the new one's.
        cancel_at: None,
        created_at: env.now,
        updated_at: env.now,
        ..(**old).clone()
    };
    let mut changes = vec![
        Change::SubscriptionPut(Arc::new(end_subscription(old, at, env.now))),
        Change::SubscriptionPut(Arc::new(subscription.clone())),
    ];
    let given: Vec<&Arc<Entitlement>> = entitlements_of(part, old.subscription_id)
        .filter(|e| !has_ended(e, env.now))
        .collect();
    let mut new = Vec::with_capacity(to.templates.len());
    for template in &to.templates {
        let mut entitlement = from_template(template, to, &subscription, at, env, ids)?;
        let same_window = |e: &&&Arc<Entitlement>| {
            e.resource_type_code == entitlement.resource_type_code
                && e.window_type_code == entitlement.window_type_code
        };
        if let Some(kept) = given.iter().find(same_window).filter(|_| change.carry_over) {
            entitlement.window_anchor = kept.window_anchor.or(Some(kept.effective_start));
            entitlement.usage_from = kept.usage_from;
        } else if !change.carry_over {
            entitlement.usage_from = Some(at);
        }
        new.push(entitlement);
    }
    for entitlement in &given {
        let same = |n: &&Entitlement| {
            (&n.resource_type_code, &n.resource_scope, n.limit_kind_code)
                == (
                    &entitlement.resource_type_code,
                    &entitlement.resource_scope,
                    entitlement.limit_kind_code,
                )
        };
        let superseded_by = new
            .iter()
            .find(same)
            .or(new.first())
            .map(|n| n.entitlement_id);
        let ended = Entitlement {
            effective_end: Some(entitlement.effective_end.map_or(at, |end| end.min(at))),
            status: if at <= env.now {
                EntitlementStatus::Superseded
            } else {
                entitlement.status
            },
            superseded_by,
            ..next_version(entitlement, env.now)
        };
        changes.push(put_entitlement(
            Some((*entitlement).clone()),
            ended,
            env,
            ids,
        ));
    }
    let touched = given.len().saturating_add(new.len());
    changes.extend(
        new.into_iter()
            .map(|entitlement| put_entitlement(None, entitlement, env, ids)),
    );
    Ok(Executed::changed(
        Answer::Count(u64::try_from(touched).unwrap_or(u64::MAX)),
        changes,
        None,
    ))
}

/// A subscription that ends at a moment, which may have come.
pub fn end_subscription(
    subscription: &Subscription,
    at: Timestamp,
    now: Timestamp,
) -> Subscription {
    Subscription {
        status: if at <= now {
            SubscriptionStatus::Canceled
        } else {
            subscription.status
        },
        cancel_at: Some(at),
        current_period_end: Some(at),
        updated_at: now,
        ..subscription.clone()
    }
}
