//! What an event does besides being counted: it draws from grants, gives back to them, and moves the
//! grace clocks.

use std::collections::BTreeMap;

use mec_core::entitlement::LimitKind;
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Code, Timestamp};
use uuid::Uuid;

use super::limits::{Ask, Limit};
use super::naive::{Draw, Grant, Naive, Reservation};

impl Naive {
    /// The limits that keep a clock: those of a resource for which a rule gives grace, whichever rule
    /// the write itself is judged by.
    pub fn with_grace(&self, ask: &Ask<'_>) -> Vec<Limit> {
        let gives_grace = |rule: &Rule| {
            rule.is_active
                && *rule.resource_type_code == **ask.resource
                && rule.limit_action_code == LimitAction::Grace
        };
        let mut limits = self.limits(ask).0;
        let any = self.rules.iter().any(gives_grace);
        limits.retain(|limit| any && limit.allowed.is_some());
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

    /// What was granted just now must lie within every limit that blocks.
    pub fn assert_within(&self, ask: &Ask<'_>) {
        if ask.amount <= 0 {
            return;
        }
        for limit in self.limits(ask).0 {
            let rule = self.rule(&limit, ask);
            let blocks = rule.is_none_or(|r| r.limit_action_code == LimitAction::Block);
            let over = limit.allowed.is_some() && limit.left() < 0;
            let (name, left) = (
                limit.name(ask.resource),
                limit.allowed.map(|_| limit.left()),
            );
            assert!(!(blocks && over), "{name:?} was passed: {left:?} left");
        }
    }

    /// What an event takes from the grants of a level: for each window type the largest excess.
    pub fn draws(
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
    pub fn given_back(
        &self,
        original: Uuid,
        level: Uuid,
        amount: i128,
        now: Timestamp,
    ) -> Vec<Draw> {
        let mut taken: Vec<(&Grant, i128)> = Vec::new();
        for draw in self.draws.iter().filter(|draw| draw.event == original) {
            let grant = self.grants.iter().find(|g| g.id == draw.grant).unwrap();
            match taken.iter_mut().find(|(of, _)| of.id == grant.id) {
                Some((_, sum)) => *sum += draw.amount,
                None => taken.push((grant, draw.amount)),
            }
        }
        taken.retain(|(grant, sum)| grant.account == level && *sum > 0);
        taken.reverse();
        let lapsed = |grant: &Grant| grant.expires_at.is_some_and(|end| end <= now);
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
