//! What is used: metering, consuming, correcting and inventories.

use std::collections::BTreeMap;

use mec_core::{Code, Timestamp, ops};
use serde_json::json;
use uuid::Uuid;

use super::calls::{
    CONSUMABLE, Done, LATER, Named, Outcome, changed, is_granted, unchanged, with_event,
};
use super::decide::{Effect, Judged};
use super::limits::Ask;
use super::naive::{Draw, Event, Naive};

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
            details: meter.details.clone(),
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
            under: None,
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
            details: consume.details.clone(),
        };
        let happened = Happened {
            event,
            context: &consume.context,
            ends: None,
        };
        let drawn = self.record(happened, now)?;
        self.assert_within(&ask);
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
        if self.at_once && self.owners(&original.levels()).len() > 1 {
            return Err(LATER);
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
            details: BTreeMap::new(),
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
        // A correction counts where its event does, wherever the account has moved since.
        if event.corrects.is_none() {
            let from = |level: Uuid| self.counts_from(level, &event.resource, event.occurred_at);
            let path = self.path(event.account);
            event.counts_from = path.iter().map(|level| (*level, from(*level))).collect();
        }
        let levels = event.levels();
        let (resource, scope) = (event.resource.clone(), event.scope.clone());
        let ask = Ask {
            account: event.account,
            under: Some(&levels),
            resource: &resource,
            scope: scope.as_ref(),
            amount: event.amount,
            kinds: CONSUMABLE,
            context: happened.context,
            at: now,
        };
        let before = self.with_grace(&ask);
        let mut draws = Vec::new();
        for level in &levels {
            match event.corrects {
                Some(original) if event.amount < 0 => {
                    draws.extend(self.given_back(original, *level, -event.amount, now));
                }
                original => {
                    let event_id = original.unwrap_or(event.id);
                    let past = Ask {
                        at: event.occurred_at,
                        ..ask
                    };
                    draws.extend(self.draws(&past, event_id, *level, happened.ends, now));
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
