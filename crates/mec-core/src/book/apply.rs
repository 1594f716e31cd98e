//! Applying changes: the only way a Book changes, after a decision, in replay and in recovery alike.

use std::sync::Arc;

use smallvec::SmallVec;
use uuid::Uuid;

use super::lost::{self, LostChange};
use super::{Book, Part};
use crate::change::Change;
use crate::entitlement::{Entitlement, EntitlementStatus};
use crate::grant::{Draw, Grant};
use crate::holds::{Hold, HoldKind};
use crate::ids::AccountId;
use crate::lease::Lease;
use crate::plan::SubscriptionStatus;
use crate::reservation::{Reservation, ReservationStatus};
use crate::time::Timestamp;

impl Book {
    /// Applies the changes of a command that was decided at `now`: all of them, or none where one
    /// would be lost.
    pub fn apply(&mut self, changes: &[Change], now: Timestamp) -> Result<(), LostChange> {
        if let Some(account) = lost::first_lost(self, changes) {
            return Err(LostChange { account });
        }
        for change in changes {
            self.apply_one(change, now);
        }
        self.uncommitted.extend_from_slice(changes);
        self.head.last_at = self.head.last_at.max(now);
        Ok(())
    }

    fn apply_one(&mut self, change: &Change, now: Timestamp) {
        match change {
            Change::AccountCreated(account) => {
                let part = Part::new(account.clone(), self.head.tree_id);
                self.parts.insert(account.account_id, Arc::new(part));
            }
            // What stands where has changed for a whole subtree and for the levels above it, before
            // and after: all of it is loaded anew.
            Change::AccountMoved(_) => {
                self.parts.clear();
                self.is_outdated = true;
            }
            Change::AccountUpdated(account) => self.with_part(account.account_id, |part| {
                part.zone = account.zone();
                part.account = account.clone();
            }),
            Change::ExternalIdLinked(link) => {
                self.links.insert(link.key.clone(), Some(link.account_id));
            }
            Change::ExternalIdUnlinked(link) => {
                self.links.insert(link.key.clone(), None);
            }
            Change::EntitlementPut { new, .. } => self.put_entitlement(new),
            Change::SubscriptionPut(subscription) => {
                self.with_part(subscription.account_id, |part| {
                    part.subscriptions
                        .retain(|s| s.subscription_id != subscription.subscription_id);
                    if subscription.status != SubscriptionStatus::Canceled {
                        part.subscriptions.push(subscription.clone());
                    }
                })
            }
            Change::EventRecorded { event, amount } => {
                self.head.chain_seq = event.chain_seq;
                self.head.chain_hash = event.chain_hash;
                if let Some(Some(facts)) = event
                    .corrects_event_id
                    .and_then(|id| self.events.get_mut(&id))
                {
                    facts.net = facts.net.saturating_add(*amount);
                }
            }
            Change::UsageAdded {
                level,
                resource,
                scope,
                drawn_for,
                bucket,
                amount,
            } => self.with_part(*level, |part| {
                part.add_usage(
                    resource,
                    scope.as_ref(),
                    drawn_for.as_ref(),
                    *bucket,
                    *amount,
                );
            }),
            Change::OwnTotalAdded {
                level,
                resource,
                scope,
                amount,
            } => self.with_part(*level, |part| {
                if let Some(total) = part.own_totals.get_mut(&(resource.clone(), scope.clone())) {
                    *total = total.saturating_add(*amount);
                }
            }),
            Change::ScopeSeen { resource, scope } => self.with_part(self.head.tree_id, |part| {
                if let Some(scopes) = part.scopes.get_mut(resource) {
                    Arc::make_mut(scopes).insert(scope.clone());
                }
            }),
            Change::GrantPut(grant) => self.put_grant(grant),
            Change::Drawn {
                event_id,
                draw,
                grant_remaining,
            } => self.draw(*event_id, draw, *grant_remaining),
            Change::ReservationPut {
                reservation,
                amount,
                levels,
            } => self.put_reservation(reservation, *amount, levels, now),
            Change::LeasePut { lease, levels } => self.put_lease(lease, levels, now),
            Change::GraceClock { limit, clock } => self.with_part(limit.level, |part| {
                match clock {
                    Some(clock) => part.grace.insert(limit.clone(), *clock),
                    None => part.grace.remove(limit),
                };
            }),
        }
    }

    /// Changes a part. A part that is not held is left to the store: [`lost::first_lost`] has looked
    /// that no change is lost by that.
    fn with_part(&mut self, id: AccountId, change: impl FnOnce(&mut Part)) {
        if let Some(part) = self.part_mut(id) {
            change(part);
        }
    }

    fn put_entitlement(&mut self, new: &Arc<Entitlement>) {
        let id = new.entitlement_id;
        let stays = new.status != EntitlementStatus::Superseded || new.splits_a_minute();
        self.with_part(new.account_id, |part| {
            part.entitlements.retain(|e| e.entitlement_id != id);
            if stays {
                part.entitlements.push(new.clone());
            }
        });
        if stays {
            self.superseded.remove(&id);
        } else {
            self.superseded.insert(id, Some(new.clone()));
        }
    }

    fn put_grant(&mut self, grant: &Grant) {
        self.closed_grants.remove(&grant.grant_id);
        for facts in self.events.values_mut().flatten() {
            facts.see_grant(grant);
        }
        self.with_part(grant.account_id, |part| {
            part.grants.retain(|g| g.grant_id != grant.grant_id);
            if !part.had_grants(&grant.resource_type_code, &grant.window_type_code) {
                part.granted_ever.push((
                    grant.resource_type_code.clone(),
                    grant.window_type_code.clone(),
                ));
            }
            if grant.is_open() {
                part.grants.push(grant.clone());
                part.grants.sort_by_key(Grant::draw_order);
            }
        });
        if !grant.is_open() {
            self.closed_grants
                .insert(grant.grant_id, Some(grant.clone()));
        }
    }

    fn draw(&mut self, event_id: Uuid, draw: &Draw, remaining: i128) {
        if let Some(Some(facts)) = self.events.get_mut(&event_id) {
            facts.add_draw(draw);
        }
        let open = self.part_mut(draw.level).and_then(|part| {
            part.grants
                .iter()
                .find(|g| g.grant_id == draw.grant_id)
                .cloned()
        });
        let closed = || self.closed_grants.get(&draw.grant_id).cloned().flatten();
        if let Some(mut grant) = open.or_else(closed) {
            grant.remaining = remaining;
            self.put_grant(&grant);
        }
    }

    fn put_reservation(
        &mut self,
        reservation: &Arc<Reservation>,
        amount: i128,
        levels: &[AccountId],
        now: Timestamp,
    ) {
        let open = reservation.status == ReservationStatus::Open && now < reservation.expires_at;
        for level in levels {
            self.with_part(*level, |part| {
                let set = part.hold_set(HoldKind::Reservation, &reservation.resource_type_code);
                if open {
                    let held = reservation
                        .grant_holds
                        .iter()
                        .filter(|held| held.level == *level);
                    set.insert(Hold {
                        id: reservation.reservation_id,
                        scope: reservation.resource_scope.clone(),
                        amount,
                        created_at: reservation.created_at,
                        expires_at: reservation.expires_at,
                        grants: held
                            .map(|held| (held.window_type_code.clone(), held.amount))
                            .collect(),
                    });
                } else {
                    set.remove(reservation.expires_at, reservation.reservation_id);
                }
                set.trim(now);
            });
        }
        self.with_part(reservation.account_id, |part| {
            if open {
                part.reservations
                    .insert(reservation.reservation_id, reservation.clone());
            } else {
                part.reservations.remove(&reservation.reservation_id);
            }
        });
        if !open {
            self.closed_reservations
                .insert(reservation.reservation_id, Some(reservation.clone()));
        }
    }

    fn put_lease(&mut self, lease: &Arc<Lease>, levels: &[AccountId], now: Timestamp) {
        let before = self
            .parts
            .get(&lease.account_id)
            .and_then(|part| part.leases.get(&lease.lease_id))
            .map(|l| l.expires_at);
        for level in levels {
            self.with_part(*level, |part| {
                let set = part.hold_set(HoldKind::Lease, &lease.resource_type_code);
                if let Some(before) = before {
                    set.remove(before, lease.lease_id);
                }
                if lease.is_live(now) {
                    set.insert(Hold {
                        id: lease.lease_id,
                        scope: lease.resource_scope.clone(),
                        amount: crate::Quantity::from_int(i64::from(lease.slots)).micros(),
                        created_at: lease.acquired_at,
                        expires_at: lease.expires_at,
                        grants: SmallVec::new(),
                    });
                }
                set.trim(now);
            });
        }
        self.head.fencing_token = self.head.fencing_token.max(lease.fencing_token);
        self.with_part(lease.account_id, |part| {
            part.remove_own_lease(lease.lease_id);
            if lease.is_live(now) {
                part.put_own_lease(lease.clone());
            }
        });
    }
}
