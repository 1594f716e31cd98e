//! What holds quota for a time: reservations and leases.

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::entitlement::LimitKind;
use mec_core::{Code, Timestamp, ops};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{
    CONSUMABLE, LEASABLE, Named, Outcome, changed, is_granted, unchanged, with_hold, with_lease,
};
use super::decide::Effect;
use super::limits::Ask;
use super::naive::{Event, Lease, Naive, Reservation};
use super::usage::Happened;

impl Naive {
    pub fn reserve(
        &mut self,
        account: Uuid,
        reserve: &ops::reserve::Reserve,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let mut ask = Ask {
            account,
            under: None,
            resource: &reserve.resource,
            scope: reserve.scope.as_ref(),
            amount: 0,
            kinds: CONSUMABLE,
            context: &reserve.context,
            at: now,
        };
        let Some(resource) = self.resource(&reserve.resource) else {
            return unchanged(with_hold(self.unknown(&ask, false), None));
        };
        if resource.is_concurrency {
            return Err("use_acquire_lease");
        }
        if reserve.ttl_seconds < 1 {
            return Err("invalid_value");
        }
        let (amount, unit) = self.amount(reserve.quantity, resource, reserve.unit.as_ref())?;
        if amount <= 0 {
            return Err("invalid_quantity");
        }
        ask.amount = amount;
        let judged = self.decide(&ask);
        if !is_granted(&judged) {
            let told = self.told(&judged, &ask, Effect::default(), false);
            return unchanged(with_hold(told, None));
        }
        let effect = Effect {
            reserved: amount,
            ..Effect::default()
        };
        let expires_at = now.saturating_add_secs(reserve.ttl_seconds);
        let told = self.told(&judged, &ask, effect, false);
        let grant_holds = self.grant_holds(&ask);
        self.reservations.push(Reservation {
            id: named.id(),
            account,
            resource: reserve.resource.clone(),
            scope: reserve.scope.clone(),
            quantity: reserve.quantity,
            unit,
            amount,
            created_at: now,
            expires_at,
            committed: None,
            released: false,
            grant_holds,
        });
        self.assert_within(&ask);
        changed(with_hold(told, Some((named.id(), expires_at))))
    }

    /// A reservation holds of the grants what its event would draw now.
    fn grant_holds(&self, ask: &Ask<'_>) -> Vec<(Uuid, Code, i128)> {
        let mut holds = Vec::new();
        for level in self.path(ask.account) {
            for (window_type, excess) in self.excess(ask, level, |l| l.used + l.reserved) {
                let free = self.available(ask, level, &window_type, None, ask.at);
                holds.push((level, window_type, excess.min(free)));
            }
        }
        holds
    }

    pub fn commit(
        &mut self,
        commit: &ops::reserve::Commit,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let at = self
            .reservations
            .iter()
            .position(|r| r.id == commit.reservation_id);
        let held = self.reservations[at.unwrap()].clone();
        let quantity = commit.quantity.unwrap_or(held.quantity);
        if !quantity.is_positive() {
            return Err("invalid_quantity");
        }
        if held.released {
            return Err("already_released");
        }
        if let Some((event, as_committed)) = held.committed {
            // Without a quantity it is the first commit that is asked about.
            let same = commit.quantity.is_none() || quantity == as_committed;
            return if same {
                unchanged(json!(event))
            } else {
                Err("already_committed")
            };
        }
        let resource = self.resource(&held.resource).unwrap();
        let (amount, unit) = self.amount(quantity, resource, Some(&held.unit))?;
        let event = Event {
            id: named.id(),
            account: held.account,
            resource: held.resource.clone(),
            scope: held.scope.clone(),
            unit,
            amount,
            occurred_at: held.created_at,
            counts_from: Vec::new(),
            corrects: None,
            details: commit.details.clone(),
        };
        let happened = Happened {
            event,
            context: &BTreeMap::new(),
            ends: Some(held.id),
        };
        self.record(happened, now)?;
        self.reservations[at.unwrap()].committed = Some((named.id(), quantity));
        let mut done = changed(json!(named.id()))?;
        done.late = held.expires_at <= now;
        Ok(done)
    }

    pub fn release(&mut self, release: &ops::reserve::Release, now: Timestamp) -> Outcome {
        let named = |r: &&mut Reservation| r.id == release.reservation_id;
        let held = self.reservations.iter_mut().find(named).unwrap();
        if held.committed.is_some() || held.released || held.expires_at <= now {
            return unchanged(json!(false));
        }
        held.released = true;
        changed(json!(true))
    }

    pub fn acquire(
        &mut self,
        account: Uuid,
        acquire: &ops::lease::Acquire,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let ask = Ask {
            account,
            under: None,
            resource: &acquire.resource,
            scope: acquire.scope.as_ref(),
            amount: i128::from(acquire.slots) * 1_000_000,
            kinds: LEASABLE,
            context: &acquire.context,
            at: now,
        };
        let Some(resource) = self.resource(&acquire.resource) else {
            return unchanged(with_lease(self.unknown(&ask, false), None));
        };
        if !resource.is_concurrency {
            return Err("not_concurrent");
        }
        if acquire.ttl_seconds < 1 || acquire.slots < 1 {
            return Err("invalid_value");
        }
        if self.not_served(account).is_none()
            && let Some(held) = self.session(account, acquire, now)
        {
            if held.slots != acquire.slots {
                return Err("session_conflict");
            }
            let mut again = held.answer.clone();
            again["expires_at"] = json!(held.expires_at);
            return unchanged(again);
        }
        let judged = self.decide(&ask);
        if !is_granted(&judged) {
            let told = self.told(&judged, &ask, Effect::default(), false);
            return unchanged(with_lease(told, None));
        }
        let effect = Effect {
            used: ask.amount,
            ..Effect::default()
        };
        let told = self.told(&judged, &ask, effect, false);
        let before = self.with_grace(&ask);
        let expires_at = now.saturating_add_secs(acquire.ttl_seconds);
        let token = self.next_token(account, named);
        let answer = with_lease(told, Some((named.id(), token, expires_at)));
        self.leases.push(Lease {
            id: named.id(),
            account,
            resource: acquire.resource.clone(),
            scope: acquire.scope.clone(),
            slots: acquire.slots,
            ttl_seconds: acquire.ttl_seconds,
            expires_at,
            released: false,
            session: acquire.session_token.clone(),
            answer: answer.clone(),
        });
        let counted = before
            .into_iter()
            .filter(|l| l.kind == LimitKind::Concurrency);
        self.set_clocks(counted.collect(), &ask, now);
        self.assert_within(&ask);
        changed(answer)
    }

    fn session(
        &self,
        account: Uuid,
        acquire: &ops::lease::Acquire,
        now: Timestamp,
    ) -> Option<&Lease> {
        acquire.session_token.as_ref()?;
        self.leases.iter().find(|l| {
            l.account == account
                && l.resource == acquire.resource
                && l.scope == acquire.scope
                && l.session == acquire.session_token
                && !l.released
                && now < l.expires_at
        })
    }

    /// The engine's token if it rose, else one that it cannot have given.
    fn next_token(&mut self, account: Uuid, named: Named) -> u64 {
        let owner = self.owner(account);
        let last = self.tokens.entry(owner).or_default();
        *last = named
            .token
            .filter(|token| token > last)
            .unwrap_or(*last + 1);
        *last
    }

    pub fn heartbeat(
        &mut self,
        account: Uuid,
        heartbeat: &ops::lease::Heartbeat,
        now: Timestamp,
    ) -> Outcome {
        if heartbeat.extend_seconds.is_some_and(|seconds| seconds < 1) {
            return Err("invalid_value");
        }
        let active = |level: &Uuid| self.account(*level).unwrap().status == AccountStatus::Active;
        let served = self.path(account).iter().all(active);
        let held = self
            .leases
            .iter_mut()
            .find(|l| l.id == heartbeat.lease_id)
            .unwrap();
        if !served || held.released || held.expires_at <= now {
            return unchanged(json!(false));
        }
        let extension = heartbeat.extend_seconds.unwrap_or(held.ttl_seconds);
        held.expires_at = held.expires_at.max(now.saturating_add_secs(extension));
        changed(json!(true))
    }

    pub fn give_back_lease(&mut self, release: &ops::lease::Release, now: Timestamp) -> Outcome {
        let held = self
            .leases
            .iter_mut()
            .find(|l| l.id == release.lease_id)
            .unwrap();
        if held.released || held.expires_at <= now {
            return unchanged(Value::Bool(false));
        }
        held.released = true;
        changed(Value::Bool(true))
    }
}
