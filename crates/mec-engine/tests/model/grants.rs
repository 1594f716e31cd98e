//! Grants: given and taken back.

use mec_core::entitlement::LimitKind;
use mec_core::{Code, Timestamp, ops};
use serde_json::json;
use uuid::Uuid;

use super::calls::{CONSUMABLE, Named, Outcome, changed, unchanged};
use super::decide::{half_even, number};
use super::limits::{Ask, Limit};
use super::naive::{Grant, Naive};
use super::windows::TYPES;

impl Naive {
    pub fn grant_credit(
        &mut self,
        account: Uuid,
        grant: &ops::grant::GrantCredit,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let resource = self
            .resource(&grant.resource)
            .ok_or("unknown_resource_type")?;
        if resource.is_concurrency || resource.is_inventory || resource.is_time_bound {
            return Err("not_grantable");
        }
        let (amount, unit) = self.amount(grant.quantity, resource, None)?;
        if amount <= 0 {
            return Err("invalid_quantity");
        }
        if grant.expires_at.is_some_and(|at| at <= now) {
            return Err("invalid_value");
        }
        let window_type = match &grant.window_type {
            Some(code) => code.clone(),
            None => self.longest_in_force(account, grant, now),
        };
        self.grants.push(Grant {
            id: named.id(),
            account,
            resource: grant.resource.clone(),
            scope: grant.scope.clone(),
            window_type,
            unit,
            amount,
            priority: grant.priority,
            expires_at: grant.expires_at,
            voided: false,
        });
        changed(json!(named.id()))
    }

    /// All time where the account itself has no limit.
    fn longest_in_force(
        &self,
        account: Uuid,
        grant: &ops::grant::GrantCredit,
        now: Timestamp,
    ) -> Code {
        let ask = Ask {
            account,
            under: None,
            resource: &grant.resource,
            scope: grant.scope.as_ref(),
            amount: 0,
            kinds: CONSUMABLE,
            context: &Default::default(),
            at: now,
        };
        let limits = self.limits(&ask).0;
        let own = limits
            .iter()
            .filter(|l| l.height == 0 && l.kind == LimitKind::Cumulative);
        // A month and a billing cycle are equally long, and a day and 24 hours; then the one of the oldest entitlement.
        let length = |code: &str| match code {
            "billing_cycle" => TYPES.iter().position(|of| *of == "calendar_month"),
            "rolling_24h" => TYPES.iter().position(|of| *of == "calendar_day"),
            code => TYPES.iter().position(|of| *of == code),
        };
        let order = |limit: &&Limit| {
            let oldest = limit
                .members
                .first()
                .map(|e| (e.created_at, e.entitlement_id));
            (length(&limit.window_type), std::cmp::Reverse(oldest))
        };
        let longest = own.max_by_key(order).map(|limit| limit.window_type.clone());
        longest.unwrap_or_else(|| "none".into())
    }

    pub fn void_grant(&mut self, void: &ops::grant::VoidGrant, now: Timestamp) -> Outcome {
        let at = self
            .grants
            .iter()
            .position(|g| g.id == void.grant_id)
            .unwrap();
        let grant = &self.grants[at];
        let lapsed = grant.expires_at.is_some_and(|end| end <= now);
        let left = if lapsed { 0 } else { self.left(grant) };
        let left = half_even(left, self.factor(&grant.unit));
        if grant.voided {
            return unchanged(json!(0));
        }
        self.grants[at].voided = true;
        changed(number(left))
    }
}
