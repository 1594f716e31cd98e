//! Plans: provisioned, changed and cancelled.

use mec_core::entitlement::{Entitlement, EntitlementStatus};
use mec_core::plan::{Plan, Subscription, SubscriptionStatus, Template};
use mec_core::{Quantity, Timestamp, ops};
use serde_json::json;
use uuid::Uuid;

use super::calls::{Outcome, changed, unchanged};
use super::naive::Naive;

impl Naive {
    pub fn provision(
        &mut self,
        account: Uuid,
        provision: &ops::provision::Provision,
        now: Timestamp,
    ) -> Outcome {
        let plan = self.plan(&provision.plan_id)?;
        if provision.quantity == Some(0) {
            return Err("invalid_value");
        }
        if let Some(held) = self.held(account, &plan.plan_id, now) {
            return self.rescale(&plan, held, provision.quantity, now);
        }
        let is_base = |s: &Subscription| !self.plan(&s.plan_id).unwrap().is_addon;
        let in_force = |s: &&Subscription| s.account_id == account && self.in_force(s, now);
        let mut others = self.subscriptions.iter().filter(in_force);
        if !plan.is_addon && others.any(is_base) {
            return Err("plan_conflict");
        }
        let start = provision.start.unwrap_or(now);
        let subscription = self.subscription(account, &plan, start, now);
        let subscription = Subscription {
            quantity: provision.quantity.unwrap_or(1),
            ..subscription
        };
        for template in &plan.templates {
            let entitlement = self.given(template, &plan, &subscription, start, now);
            self.entitlements.push(entitlement);
        }
        self.subscriptions.push(subscription);
        changed(json!(plan.templates.len()))
    }

    fn plan(&self, plan_id: &str) -> Result<Plan, &'static str> {
        let named = |plan: &&Plan| &*plan.plan_id == plan_id;
        self.plans
            .iter()
            .find(named)
            .cloned()
            .ok_or("plan_not_found")
    }

    /// The index of the subscription by which an account holds a plan.
    fn held(&self, account: Uuid, plan_id: &str, now: Timestamp) -> Option<usize> {
        self.subscriptions.iter().position(|s| {
            s.account_id == account && &*s.plan_id == plan_id && self.in_force(s, now)
        })
    }

    /// Not cancelled, and not all that it gave has ended.
    fn in_force(&self, s: &Subscription, now: Timestamp) -> bool {
        s.cancel_at.is_none_or(|at| now < at) && !self.living(s.subscription_id, now).is_empty()
    }

    /// The indices of what a subscription gave and that has not ended.
    fn living(&self, subscription: Uuid, now: Timestamp) -> Vec<usize> {
        let living = |e: &Entitlement| {
            e.subscription_id == Some(subscription)
                && e.effective_end.is_none_or(|end| now < end)
                && e.status == EntitlementStatus::Active
        };
        (0..self.entitlements.len())
            .filter(|at| living(&self.entitlements[*at]))
            .collect()
    }

    /// Another number of seats rescales what is given a seat.
    fn rescale(&mut self, plan: &Plan, held: usize, seats: Option<u32>, now: Timestamp) -> Outcome {
        let held = &mut self.subscriptions[held];
        let (id, before) = (held.subscription_id, held.quantity);
        let seats = seats.unwrap_or(before);
        held.quantity = seats;
        let living = self.living(id, now);
        let count = json!(living.len());
        if seats == before {
            return unchanged(count);
        }
        for at in living {
            let entitlement = &mut self.entitlements[at];
            let of = |t: &&Template| Some(t.template_id) == entitlement.template_id;
            let template = plan.templates.iter().find(of).unwrap();
            if template.per_seat {
                entitlement.quantity_allowed = scaled(template, seats);
                entitlement.version += 1;
            }
        }
        changed(count)
    }

    fn subscription(
        &mut self,
        account: Uuid,
        plan: &Plan,
        start: Timestamp,
        now: Timestamp,
    ) -> Subscription {
        Subscription {
            subscription_id: self.own_id(),
            account_id: account,
            plan_id: plan.plan_id.clone(),
            external_id: None,
            status: SubscriptionStatus::Active,
            quantity: 1,
            current_period_start: start,
            current_period_end: None,
            cancel_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    fn given(
        &mut self,
        template: &Template,
        plan: &Plan,
        subscription: &Subscription,
        start: Timestamp,
        now: Timestamp,
    ) -> Entitlement {
        let trial = plan.trial_days.filter(|_| plan.is_trial);
        let days = template.duration_days.or(trial).map(i64::from);
        Entitlement {
            entitlement_id: self.own_id(),
            account_id: subscription.account_id,
            resource_type_code: template.resource_type_code.clone(),
            resource_scope: template.resource_scope.clone(),
            limit_kind_code: template.limit_kind_code,
            quantity_allowed: scaled(template, subscription.quantity),
            unit_code: template.unit_code.clone(),
            effective_start: start,
            effective_end: days.map(|days| start.saturating_add_secs(days * 86_400)),
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
            created_at: now,
            updated_at: now,
            conditions: Vec::new(),
        }
    }

    pub fn change_plan(
        &mut self,
        account: Uuid,
        change: &ops::change_plan::ChangePlan,
        now: Timestamp,
    ) -> Outcome {
        let (from, to) = (
            self.plan(&change.from_plan_id)?,
            self.plan(&change.to_plan_id)?,
        );
        if from.plan_id == to.plan_id {
            return Err("invalid_value");
        }
        let holds_new = self.held(account, &to.plan_id, now).is_some();
        let Some(held) = self.held(account, &from.plan_id, now) else {
            // The change has happened already, or there is nothing to change.
            return if holds_new {
                unchanged(json!(0))
            } else {
                Err("plan_not_held")
            };
        };
        let old = self.subscriptions[held].clone();
        let coming = self.held(account, &to.plan_id, now);
        if let Some(coming) = coming.map(|coming| &self.subscriptions[coming]) {
            // A change that is still to come, told again.
            let at = Some(coming.current_period_start);
            if old.cancel_at == at && change.effective_at == at {
                return unchanged(json!(0));
            }
        }
        if from.is_addon != to.is_addon {
            return Err("invalid_value");
        }
        let is_base = |s: &Subscription| !self.plan(&s.plan_id).unwrap().is_addon;
        let beside = |s: &&Subscription| {
            s.account_id == account
                && s.subscription_id != old.subscription_id
                && self.in_force(s, now)
        };
        let mut others = self.subscriptions.iter().filter(beside);
        if holds_new || (!to.is_addon && others.any(is_base)) {
            return Err("plan_conflict");
        }
        let at = change.effective_at.unwrap_or(now);
        if at < old.current_period_start {
            return Err("invalid_value");
        }
        let living = self.living(old.subscription_id, now);
        let subscription = Subscription {
            quantity: old.quantity,
            ..self.subscription(account, &to, at, now)
        };
        let mut new = Vec::new();
        for template in &to.templates {
            let mut entitlement = self.given(template, &to, &subscription, at, now);
            let kept = living.iter().map(|at| &self.entitlements[*at]).find(|e| {
                e.resource_type_code == entitlement.resource_type_code
                    && e.window_type_code == entitlement.window_type_code
            });
            if !change.carry_over {
                entitlement.usage_from = Some(at);
            } else if let Some(kept) = kept {
                entitlement.window_anchor = kept.window_anchor;
                entitlement.usage_from = kept.usage_from;
            }
            new.push(entitlement);
        }
        let touched = living.len() + new.len();
        let successor = new.first().map(|e| e.entitlement_id);
        self.end(held, &living, at, now, EntitlementStatus::Superseded);
        for at in living {
            self.entitlements[at].superseded_by = successor;
        }
        self.subscriptions.push(subscription);
        self.entitlements.extend(new);
        changed(json!(touched))
    }

    pub fn cancel_plan(
        &mut self,
        account: Uuid,
        cancel: &ops::cancel_plan::CancelPlan,
        now: Timestamp,
    ) -> Outcome {
        let plan = self.plan(&cancel.plan_id)?;
        let Some(held) = self.held(account, &plan.plan_id, now) else {
            return unchanged(json!(0));
        };
        let at = cancel.effective_at.unwrap_or(now);
        if at < self.subscriptions[held].current_period_start {
            return Err("invalid_value");
        }
        let living = self.living(self.subscriptions[held].subscription_id, now);
        self.end(held, &living, at, now, EntitlementStatus::Expired);
        changed(json!(living.len()))
    }

    /// Ends a subscription and what it gave: at once with a status, or later by its end.
    fn end(
        &mut self,
        held: usize,
        living: &[usize],
        at: Timestamp,
        now: Timestamp,
        status: EntitlementStatus,
    ) {
        self.subscriptions[held].cancel_at = Some(at);
        for index in living {
            let entitlement = &mut self.entitlements[*index];
            let end = entitlement.effective_end.map_or(at, |end| end.min(at));
            entitlement.effective_end = Some(end);
            entitlement.version += 1;
            if at <= now {
                entitlement.status = status;
            }
        }
    }
}

fn scaled(template: &Template, seats: u32) -> Option<Quantity> {
    let seats = if template.per_seat {
        i128::from(seats)
    } else {
        1
    };
    let quantity = template.quantity_allowed?;
    Some(Quantity::from_micros(quantity.micros() * seats))
}
