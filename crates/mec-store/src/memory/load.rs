//! What a Book needs, found by looking at everything.

use std::sync::Arc;

use mec_core::book::PartRows;
use mec_core::catalogue::Lookups;
use mec_core::entitlement::EntitlementStatus;
use mec_core::holds::{Hold, HoldKind};
use mec_core::ledger::EventFacts;
use mec_core::need::{Loaded, Need};
use mec_core::plan::SubscriptionStatus;
use mec_core::reservation::ReservationStatus;
use mec_core::usage::CounterKey;
use mec_core::{AccountId, Code, Quantity, Timestamp};
use uuid::Uuid;

use super::state::Space;

impl Space {
    pub(super) fn load(
        &self,
        tree: Uuid,
        need: &Need,
        now: Timestamp,
        lookups: &Lookups,
    ) -> Loaded {
        match need {
            Need::Part(id) => Loaded::Part(self.part(*id, now).map(Box::new)),
            Need::Sum {
                level,
                counter,
                from,
                to,
            } => Loaded::Sum(self.sum(*level, counter, *from, *to)),
            Need::Rolling {
                level,
                counter,
                from_hour,
                minutes_of,
            } => {
                let next_hour = minutes_of.saturating_add_micros(Timestamp::MICROS_PER_HOUR);
                Loaded::Rolling {
                    hours: self.amounts(
                        *level,
                        counter,
                        |bucket| bucket >= *from_hour,
                        Timestamp::floor_hour,
                    ),
                    minutes: self.amounts(
                        *level,
                        counter,
                        |bucket| bucket >= *minutes_of && bucket < next_hour,
                        |bucket| bucket,
                    ),
                }
            }
            Need::Scopes(resource) => {
                let seen = self
                    .scopes
                    .iter()
                    .filter(|(of, r, _)| *of == tree && r == resource);
                Loaded::Scopes(seen.map(|(_, _, scope)| scope.clone()).collect())
            }
            Need::OwnTotal {
                level,
                resource,
                scope,
            } => Loaded::OwnTotal(
                self.own_total(*level, resource, scope.as_ref())
                    .unwrap_or_default(),
            ),
            Need::Event(id) => Loaded::Event(self.facts(*id, lookups).map(Box::new)),
            Need::Reservation(id) => {
                Loaded::Reservation(self.reservations.get(id).map(|(row, ..)| row.clone()))
            }
            Need::Entitlement(id) => Loaded::Entitlement(self.entitlements.get(id).cloned()),
            Need::Linked(key) => Loaded::Linked(self.links.get(key).copied()),
            Need::Grant(id) => Loaded::Grant(self.grants.get(id).cloned()),
            Need::LevelsBelow(id) => Loaded::LevelsBelow(self.levels_below(*id)),
        }
    }

    fn part(&self, id: AccountId, now: Timestamp) -> Option<PartRows> {
        let account = self.accounts.get(&id)?.clone();
        let tree_id = *self.ancestors(id).last()?;
        let ended_by = self.heads.get(&tree_id).map_or(now, |head| head.last_at);
        let now = ended_by.min(now);
        let entitlements = self
            .entitlements
            .values()
            .filter(|e| e.account_id == id)
            .filter(|e| e.status != EntitlementStatus::Superseded || e.splits_a_minute());
        let subscriptions = self
            .subscriptions
            .values()
            .filter(|s| s.account_id == id && s.status != SubscriptionStatus::Canceled);
        let grants = self.grants.values().filter(|grant| grant.account_id == id);
        let mut granted_ever: Vec<(Code, Code)> = grants
            .clone()
            .map(|g| (g.resource_type_code.clone(), g.window_type_code.clone()))
            .collect();
        granted_ever.sort();
        granted_ever.dedup();
        let leases = self
            .leases
            .values()
            .map(|(lease, _)| lease)
            .filter(|lease| lease.account_id == id && lease.is_live(now));
        let reservations = self
            .reservations
            .values()
            .map(|(reservation, ..)| reservation);
        let open = reservations.filter(|r| {
            r.account_id == id && r.status == ReservationStatus::Open && now < r.expires_at
        });
        Some(PartRows {
            account,
            tree_id,
            entitlements: entitlements.cloned().collect(),
            subscriptions: subscriptions.cloned().collect(),
            grants: grants.filter(|grant| grant.is_open()).cloned().collect(),
            granted_ever,
            leases: leases.cloned().collect(),
            reservations: open.cloned().collect(),
            holds: self.holds(id, now),
            grace: self
                .grace
                .iter()
                .filter(|(limit, _)| limit.level == id)
                .cloned()
                .collect(),
        })
    }

    fn holds(&self, level: AccountId, now: Timestamp) -> Vec<(HoldKind, Code, Hold)> {
        let leases = self
            .leases
            .values()
            .filter(|(lease, levels)| levels.contains(&level) && lease.is_live(now))
            .map(|(lease, _)| {
                let hold = Hold {
                    id: lease.lease_id,
                    scope: lease.resource_scope.clone(),
                    amount: Quantity::from_int(i64::from(lease.slots)).micros(),
                    created_at: lease.acquired_at,
                    expires_at: lease.expires_at,
                    grants: std::iter::empty().collect(),
                };
                (HoldKind::Lease, lease.resource_type_code.clone(), hold)
            });
        let open = self
            .reservations
            .values()
            .filter(|(reservation, _, levels)| {
                levels.contains(&level)
                    && reservation.status == ReservationStatus::Open
                    && now < reservation.expires_at
            });
        let reservations = open.map(|(reservation, amount, _)| {
            let grants = reservation
                .grant_holds
                .iter()
                .filter(|hold| hold.level == level);
            let hold = Hold {
                id: reservation.reservation_id,
                scope: reservation.resource_scope.clone(),
                amount: *amount,
                created_at: reservation.created_at,
                expires_at: reservation.expires_at,
                grants: grants
                    .map(|hold| (hold.window_type_code.clone(), hold.amount))
                    .collect(),
            };
            (
                HoldKind::Reservation,
                reservation.resource_type_code.clone(),
                hold,
            )
        });
        leases.chain(reservations).collect()
    }

    pub(super) fn sum(
        &self,
        level: AccountId,
        counter: &CounterKey,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> i128 {
        let within = |bucket: Timestamp| {
            from.is_none_or(|from| from <= bucket) && to.is_none_or(|to| bucket < to)
        };
        self.usage
            .iter()
            .filter(|used| used.counts(level, counter) && within(used.bucket))
            .map(|used| used.amount)
            .sum()
    }

    fn amounts(
        &self,
        level: AccountId,
        counter: &CounterKey,
        within: impl Fn(Timestamp) -> bool,
        start: impl Fn(Timestamp) -> Timestamp,
    ) -> Vec<(Timestamp, i128)> {
        let mut sums = std::collections::BTreeMap::new();
        for used in self
            .usage
            .iter()
            .filter(|used| used.counts(level, counter) && within(used.bucket))
        {
            *sums.entry(start(used.bucket)).or_default() += used.amount;
        }
        sums.into_iter().collect()
    }

    /// The total; none beyond an `i128`.
    pub(super) fn own_total(
        &self,
        level: AccountId,
        resource: &Code,
        scope: Option<&Code>,
    ) -> Option<i128> {
        let mut own = self
            .own_totals
            .iter()
            .filter(|(l, r, s, _)| *l == level && r == resource && s.as_ref() == scope);
        own.try_fold(0_i128, |sum, (.., amount)| sum.checked_add(*amount))
    }

    fn facts(&self, id: Uuid, lookups: &Lookups) -> Option<EventFacts> {
        let base = |event: &Arc<mec_core::ledger::Event>| {
            let factor = lookups
                .units
                .get(&event.unit_code)
                .map_or(1, |unit| unit.base_factor);
            event.quantity.micros() * i128::from(factor)
        };
        let (event, _) = self.event(id)?;
        let corrections = self
            .events
            .iter()
            .filter(|(event, _)| event.corrects_event_id == Some(id));
        let net = base(event) + corrections.map(|(event, _)| base(event)).sum::<i128>();
        let mut facts = EventFacts {
            event: event.as_ref().clone(),
            net,
            draws: Vec::new(),
        };
        for (_, draw) in self.draws.iter().filter(|(event, _)| *event == id) {
            facts.add_draw(draw);
        }
        facts.draws.retain(|draw| draw.amount > 0);
        Some(facts)
    }
}
