//! `cancel_plan`: ends what a plan gave.

use std::sync::Arc;

use serde::Serialize;

use crate::answer::Answer;
use crate::change::Change;
use crate::command::{Env, Executed};
use crate::entitlement::{Entitlement, EntitlementStatus};
use crate::ids::{Code, IdSource};
use crate::need::Stop;
use crate::ops::change_plan::end_subscription;
use crate::ops::provision::{
    entitlements_of, find_plan, has_ended, held, next_version, put_entitlement,
};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Arguments of cancelling.
#[derive(Clone, Debug, Serialize)]
pub struct CancelPlan {
    /// The plan that is held.
    pub plan_id: Code,
    /// When it ends; now where none is given.
    pub effective_at: Option<Timestamp>,
}

/// Ends a plan; answers how many entitlements were touched: none where the plan is not held.
pub fn cancel_plan(
    cancel: &CancelPlan,
    env: &Env<'_>,
    ids: &mut dyn IdSource,
) -> Result<Executed, Stop> {
    let plan = find_plan(&cancel.plan_id, env)?;
    let part = env.book.part(env.account)?;
    let Some(subscription) = held(part, &plan.plan_id, env.now) else {
        return Ok(Executed::unchanged(Answer::Count(0)));
    };
    let at = cancel.effective_at.unwrap_or(env.now);
    if at < subscription.current_period_start {
        return Err(
            Refusal::bad_value("p_effective_at", "must not lie before the plan's start").into(),
        );
    }
    let mut changes = vec![Change::SubscriptionPut(Arc::new(end_subscription(
        subscription,
        at,
        env.now,
    )))];
    let mut touched = 0;
    for entitlement in
        entitlements_of(part, subscription.subscription_id).filter(|e| !has_ended(e, env.now))
    {
        let ended = Entitlement {
            effective_end: Some(entitlement.effective_end.map_or(at, |end| end.min(at))),
            status: if at <= env.now {
                EntitlementStatus::Expired
            } else {
                entitlement.status
            },
            ..next_version(entitlement, env.now)
        };
        changes.push(put_entitlement(Some(entitlement.clone()), ended, env, ids));
        touched += 1;
    }
    Ok(Executed::changed(Answer::Count(touched), changes, None))
}
