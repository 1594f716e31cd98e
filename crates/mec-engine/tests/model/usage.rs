//! What is used: metering, consuming, correcting and inventories.

use std::collections::BTreeMap;

use mec_core::entitlement::LimitKind;
use mec_core::rule::LimitAction;
use mec_core::{Code, Timestamp, ops};
use serde_json::json;
use uuid::Uuid;

use super::calls::{CONSUMABLE, Done, Named, Outcome, changed, is_granted, unchanged, with_event};
use super::decide::{Effect, Judged};
use super::limits::{Ask, Limit};
use super::naive::{Draw, Event, Naive, Reservation};

/// An event that is about to be recorded.
pub struct Happened<'a> {
    pub event: Event,
    pub context: &'a BTreeMap<String, String>,
    /// The reservation that ends with it.
    pub ends: Option<Uuid>,
}

/// How much was drawn at a level from grants of a window type.
pub type Drawn = Vec<(Uuid, Code, i128)>;

impl Naive {
    pub fn meter(
        &mut self,
        account: Uuid,
        meter: &ops::meter::Meter,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let resource = self
            .resource(&meter.resource)
            .ok_or("unknown_resource_type")?;
        if resource.is_concurrency {
            return Err("use_acquire_lease");
        }
        let (amount, unit) = self.amount(meter.quantity, resource, meter.unit.as_ref())?;
        if amount == 0 || (amount < 0 && !resource.is_inventory) {
            return Err("invalid_quantity");
        }
        let occurred_at = meter.occurred_at.unwrap_or(now);
        if occurred_at.as_micros() - now.as_micros() > 5 * Timestamp::MICROS_PER_MINUTE {
            return Err("occurred_at_out_of_range");
        }
        let event = Event {
            id: named.id(),
            account,
            resource: meter.resource.clone(),
            scope: meter.scope.clone(),
            unit,
            amount,
            occurred_at,
            counts_from: Vec::new(),
            corrects: None,
        };
        // A fact has no context: limits with conditions on one do not meet it.
        let happened = Happened {
            event,
            context: &BTreeMap::new(),
            ends: None,
        };
        self.record(happened, now)?;
        changed(json!(named.id()))
    }

    pub fn consume(
        &mut self,
        account: Uuid,
        consume: &ops::consume::Consume,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let mut ask = Ask {
            account,
            resource: &consume.resource,
            scope: consume.scope.as_ref(),
            amount: 0,
            kinds: CONSUMABLE,
            context: &consume.context,
            at: now,
        };
        let Some(resource) = self.resource(&consume.resource) else {
            return unchanged(with_event(self.unknown(&ask, false), None));
        };
        if resource.is_concurrency {
            return Err("use_acquire_lease");
        }
        let (amount, unit) = self.amount(consume.quantity, resource, consume.unit.as_ref())?;
        if amount == 0 || (amount < 0 && !resource.is_inventory) {
            return Err("invalid_quantity");
        }
        ask.amount = amount;
        let judged = self.decide(&ask);
        if !is_granted(&judged) {
            let told = self.told(&judged, &ask, Effect::default(), false);
            return unchanged(with_event(told, None));
        }
        let event = Event {
            id: named.id(),
            account,
            resource: consume.resource.clone(),
            scope: consume.scope.clone(),
            unit,
            amount,
            occurred_at: now,
            counts_from: Vec::new(),
            corrects: None,
        };
        let happened = Happened {
            event,
            context: &consume.context,
            ends: None,
        };
        let drawn = self.record(happened, now)?;
        let effect = Effect {
            used: amount,
            drawn: drawn_for(&judged, &drawn),
            ..Effect::default()
        };
        let told = self.told(&judged, &ask, effect, false);
        changed(with_event(told, Some(named.id())))
    }

    pub fn correct(
        &mut self,
        correct: &ops::correct::Correct,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let named_event = |event: &&Event| event.id == correct.event_id;
        let original = self.events.iter().find(named_event).unwrap().clone();
        if original.corrects.is_some() {
            return Err("not_correctable");
        }
        let resource = self.resource(&original.resource).unwrap();
        let (wanted, _) = self.amount(correct.quantity, resource, Some(&original.unit))?;
        if wanted != 0 && (wanted < 0) != (original.amount < 0) {
            return Err("invalid_value");
        }
        let corrections = self
            .events
            .iter()
            .filter(|e| e.corrects == Some(original.id));
        let net = original.amount + corrections.map(|e| e.amount).sum::<i128>();
        let amount = wanted - net;
        if amount == 0 {
            // Nothing to compensate: the event itself is the answer, and the key is kept.
            return Ok(Done {
                answer: json!(original.id),
                keeps_key: true,
                changed: false,
                late: false,
            });
        }
        let event = Event {
            id: named.id(),
            amount,
            corrects: Some(original.id),
            ..original
        };
        let happened = Happened {
            event,
            context: &BTreeMap::new(),
            ends: None,
        };
        self.record(happened, now)?;
        changed(json!(named.id()))
    }

    pub fn set_inventory(
        &mut self,
        account: Uuid,
        set: &ops::inventory::SetInventory,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        let resource = self
            .resource(&set.resource)
            .ok_or("unknown_resource_type")?;
        if !resource.is_inventory {
            return Err("not_inventory");
        }
        let (wanted, unit) = self.amount(set.quantity, resource, None)?;
        if wanted < 0 {
            return Err("invalid_value");
        }
        let amount = wanted - self.own_total(account, &set.resource, set.scope.as_ref());
        if amount == 0 {
            return Ok(Done {
                answer: json!(null),
                keeps_key: true,
                changed: false,
                late: false,
            });
        }
        let event = Event {
            id: named.id(),
            account,
            resource: set.resource.clone(),
            scope: set.scope.clone(),
            unit,
            amount,
            occurred_at: now,
            counts_from: Vec::new(),
            corrects: None,
        };
        let happened = Happened {
            event,
            context: &BTreeMap::new(),
            ends: None,
        };
        self.record(happened, now)?;
        changed(json!(named.id()))
    }

    fn own_total(&self, account: Uuid, resource: &Code, scope: Option<&Code>) -> i128 {
        let own = self.events.iter().filter(|e| {
            e.account == account && e.resource == *resource && e.scope.as_ref() == scope
        });
        own.map(|e| e.amount).sum()
    }

    /// Adds an event with what it draws or gives back, and sets the grace clocks that it moves.
    pub fn record(
        &mut self,
        happened: Happened<'_>,
        now: Timestamp,
    ) -> Result<Drawn, &'static str> {
        let mut event = happened.event;
        let resource = self.resource(&event.resource).unwrap();
        let total = self.own_total(event.account, &event.resource, event.scope.as_ref());
        if resource.is_inventory && total + event.amount < 0 {
            return Err("inventory_below_zero");
        }
        let path = self.path(event.account);
        if event.corrects.is_none() {
            let from = |level: Uuid| self.counts_from(level, &event.resource, event.occurred_at);
            event.counts_from = path.iter().map(|level| (*level, from(*level))).collect();
        }
        let (resource, scope) = (event.resource.clone(), event.scope.clone());
        let ask = Ask {
            account: event.account,
            resource: &resource,
            scope: scope.as_ref(),
            amount: event.amount,
            kinds: CONSUMABLE,
            context: happened.context,
            at: now,
        };
        let before = self.with_grace(&ask);
        let mut draws = Vec::new();
        for level in path {
            match event.corrects {
                Some(original) if event.amount < 0 => {
                    draws.extend(self.given_back(original, level, -event.amount, now));
                }
                original => {
                    let event_id = original.unwrap_or(event.id);
                    let past = Ask {
                        at: event.occurred_at,
                        ..ask
                    };
                    draws.extend(self.draws(&past, event_id, level, happened.ends, now));
                }
            }
        }
        let grant = |draw: &Draw| self.grants.iter().find(|g| g.id == draw.grant).unwrap();
        let drawn = draws.iter().map(|draw| {
            let grant = grant(draw);
            (grant.account, grant.window_type.clone(), draw.amount)
        });
        let drawn = drawn.collect();
        self.events.push(event);
        self.draws.extend(draws);
        self.set_clocks(before, &ask, now);
        Ok(drawn)
    }

    /// The limits whose rule gives grace: only those keep a clock.
    pub fn with_grace(&self, ask: &Ask<'_>) -> Vec<Limit> {
        let mut limits = self.limits(ask).0;
        limits.retain(|limit| {
            let rule = self.rule(limit, ask);
            let grace = rule.is_some_and(|r| r.limit_action_code == LimitAction::Grace);
            grace && limit.allowed.is_some()
        });
        limits
    }

    /// Starts the clocks of limits that a write brought above their allowance, and clears others.
    pub fn set_clocks(&mut self, before: Vec<Limit>, ask: &Ask<'_>, now: Timestamp) {
        for limit in before {
            let running = self.clock(&limit, ask.resource);
            let name = limit.name(ask.resource);
            let mut after = limit.clone();
            self.count(&mut after, ask);
            self.clocks.retain(|(of, _, _)| *of != name);
            if after.used > limit.allowed.unwrap() {
                let since = running.unwrap_or(now);
                self.clocks.push((name, since, limit.window.start));
            }
        }
    }

    /// What an event takes from the grants of a level: for each window type the largest excess.
    fn draws(
        &self,
        ask: &Ask<'_>,
        event: Uuid,
        level: Uuid,
        ends: Option<Uuid>,
        now: Timestamp,
    ) -> Vec<Draw> {
        let mut draws = Vec::new();
        if ask.amount <= 0 {
            return draws;
        }
        for (window_type, excess) in self.excess(ask, level, |limit| limit.used) {
            let mut left = excess.min(self.available(ask, level, &window_type, ends, now));
            let open = self.open_grants(level, ask.resource, ask.scope, ask.at);
            for grant in open.into_iter().filter(|g| g.window_type == window_type) {
                let amount = left.min(self.left(grant));
                if amount > 0 {
                    left -= amount;
                    draws.push(Draw {
                        event,
                        grant: grant.id,
                        amount,
                        lost: false,
                    });
                }
            }
        }
        draws
    }

    /// The largest excess of a request above the limits of each window type that a level has grants for.
    pub fn excess(
        &self,
        ask: &Ask<'_>,
        level: Uuid,
        taken: impl Fn(&Limit) -> i128,
    ) -> Vec<(Code, i128)> {
        let mut types: Vec<Code> = Vec::new();
        for grant in self.open_grants(level, ask.resource, ask.scope, ask.at) {
            if !types.contains(&grant.window_type) {
                types.push(grant.window_type.clone());
            }
        }
        let limits = self.limits(ask).0;
        let largest = |window_type: Code| {
            let lifted = limits.iter().filter(|l| {
                l.level == level && l.window_type == window_type && l.kind == LimitKind::Cumulative
            });
            let above = lifted.filter_map(|l| Some(taken(l) + ask.amount - l.allowed?));
            let above = above.map(|above| above.clamp(0, ask.amount)).max();
            (window_type, above.unwrap_or(0))
        };
        types.into_iter().map(largest).collect()
    }

    /// What is left of the grants of a level and window type, save what other reservations hold.
    pub fn available(
        &self,
        ask: &Ask<'_>,
        level: Uuid,
        window_type: &Code,
        ends: Option<Uuid>,
        now: Timestamp,
    ) -> i128 {
        let open = self.open_grants(level, ask.resource, ask.scope, ask.at);
        let open = open
            .iter()
            .filter(|grant| grant.window_type == *window_type);
        let left: i128 = open.map(|grant| self.left(grant)).sum();
        let others = self.open_reservations(level, ask.resource, now);
        let others = others.filter(|r: &&Reservation| Some(r.id) != ends);
        let held = others.flat_map(|r| &r.grant_holds);
        let held = held.filter(|(at, of, _)| *at == level && of == window_type);
        (left - held.map(|(_, _, amount)| amount).sum::<i128>()).max(0)
    }

    /// What a correction downwards gives back: the last drawn first, and to ended grants last and in vain.
    fn given_back(&self, original: Uuid, level: Uuid, amount: i128, now: Timestamp) -> Vec<Draw> {
        let mut taken: Vec<(&super::naive::Grant, i128)> = Vec::new();
        for draw in self.draws.iter().filter(|draw| draw.event == original) {
            let grant = self.grants.iter().find(|g| g.id == draw.grant).unwrap();
            match taken.iter_mut().find(|(of, _)| of.id == grant.id) {
                Some((_, sum)) => *sum += draw.amount,
                None => taken.push((grant, draw.amount)),
            }
        }
        taken.retain(|(grant, sum)| grant.account == level && *sum > 0);
        taken.reverse();
        let lapsed = |grant: &super::naive::Grant| grant.expires_at.is_some_and(|end| end <= now);
        taken.sort_by_key(|(grant, _)| lapsed(grant));
        let mut left: BTreeMap<&Code, i128> = BTreeMap::new();
        let mut draws = Vec::new();
        for (grant, sum) in taken {
            let left = left.entry(&grant.window_type).or_insert(amount);
            let back = sum.min(*left);
            *left -= back;
            if back > 0 {
                draws.push(Draw {
                    event: original,
                    grant: grant.id,
                    amount: -back,
                    lost: grant.voided || lapsed(grant),
                });
            }
        }
        draws
    }
}

/// What was drawn from the grants that lift the limit that answers.
fn drawn_for(judged: &Judged, drawn: &Drawn) -> i128 {
    let Some(limit) = judged.by.map(|by| &judged.seen[by].limit) else {
        return 0;
    };
    let lifting = drawn
        .iter()
        .filter(|(level, of, _)| *level == limit.level && *of == limit.window_type);
    lifting.map(|(_, _, amount)| amount).sum()
}
