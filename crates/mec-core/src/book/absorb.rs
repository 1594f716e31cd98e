//! Taking in what was loaded from the store, and adding to it what the batch has not committed yet.

use std::sync::Arc;

use super::{Book, Part};
use crate::change::Change;
use crate::need::{Loaded, Need};
use crate::usage::{CounterKey, RangeSum};

impl Book {
    /// Takes in what was loaded for a need. False when it cannot be taken in: the account of a part
    /// does not exist or has moved within the batch, or a sum is of a part that is not held.
    pub fn absorb(&mut self, need: &Need, loaded: Loaded) -> bool {
        match (need, loaded) {
            (Need::Part(_), Loaded::Part(None)) => return false,
            (Need::Part(_), Loaded::Part(_)) if self.is_outdated => return false,
            (Need::Part(id), Loaded::Part(Some(rows))) => {
                self.parts.insert(*id, Arc::new(Part::from_rows(*rows)));
            }
            (
                Need::Sum {
                    level,
                    counter,
                    from,
                    to,
                },
                Loaded::Sum(sum),
            ) => {
                let mut range = RangeSum {
                    from: *from,
                    to: *to,
                    sum,
                };
                for (bucket, amount) in self.uncommitted_usage(*level, counter) {
                    range.add(bucket, amount);
                }
                return self.fill_part(*level, |part| {
                    part.counter_mut(counter.clone()).absorb_sum(range);
                });
            }
            (
                Need::Rolling {
                    level,
                    counter,
                    from_hour,
                    minutes_of,
                },
                Loaded::Rolling { hours, minutes },
            ) => {
                let since = self.uncommitted_usage(*level, counter);
                let hours = hours
                    .into_iter()
                    .chain(since.iter().map(|(at, amount)| (at.floor_hour(), *amount)));
                let minutes = minutes.into_iter().chain(
                    since
                        .iter()
                        .copied()
                        .filter(|(at, _)| at.floor_hour() == *minutes_of),
                );
                let (hours, minutes): (Vec<_>, Vec<_>) = (
                    hours.filter(|(at, _)| at >= from_hour).collect(),
                    minutes.collect(),
                );
                return self.fill_part(*level, |part| {
                    part.counter_mut(counter.clone()).absorb_rolling(
                        *from_hour,
                        hours,
                        *minutes_of,
                        minutes,
                    );
                });
            }
            (Need::Scopes(resource), Loaded::Scopes(mut scopes)) => {
                for change in &self.uncommitted {
                    if let Change::ScopeSeen {
                        resource: seen,
                        scope,
                    } = change
                        && seen == resource
                    {
                        scopes.insert(scope.clone());
                    }
                }
                return self.fill_part(self.head.tree_id, |part| {
                    part.absorb_scopes(resource.clone(), scopes);
                });
            }
            (
                Need::OwnTotal {
                    level,
                    resource,
                    scope,
                },
                Loaded::OwnTotal(mut total),
            ) => {
                for change in &self.uncommitted {
                    if let Change::OwnTotalAdded {
                        level: l,
                        resource: r,
                        scope: s,
                        amount,
                    } = change
                        && (l, r, s) == (level, resource, scope)
                    {
                        total = total.saturating_add(*amount);
                    }
                }
                return self.fill_part(*level, |part| {
                    part.absorb_own_total(resource.clone(), scope.clone(), total);
                });
            }
            (Need::Event(id), Loaded::Event(facts)) => {
                self.events.insert(*id, facts.map(|facts| *facts));
                self.replay_event(*id);
            }
            (Need::Reservation(id), Loaded::Reservation(mut reservation)) => {
                for change in &self.uncommitted {
                    if let Change::ReservationPut {
                        reservation: put, ..
                    } = change
                        && put.reservation_id == *id
                    {
                        reservation = Some(put.clone());
                    }
                }
                self.closed_reservations.insert(*id, reservation);
            }
            (Need::Grant(id), Loaded::Grant(mut grant)) => {
                for change in &self.uncommitted {
                    match change {
                        Change::GrantPut(put) if put.grant_id == *id => grant = Some(put.clone()),
                        Change::Drawn {
                            draw,
                            grant_remaining,
                            ..
                        } if draw.grant_id == *id => {
                            if let Some(grant) = &mut grant {
                                grant.remaining = *grant_remaining;
                            }
                        }
                        _ => {}
                    }
                }
                self.closed_grants.insert(*id, grant);
            }
            (Need::Entitlement(id), Loaded::Entitlement(mut entitlement)) => {
                for change in &self.uncommitted {
                    if let Change::EntitlementPut { new, .. } = change
                        && new.entitlement_id == *id
                    {
                        entitlement = Some(new.clone());
                    }
                }
                self.superseded.insert(*id, entitlement);
            }
            (Need::Linked(key), Loaded::Linked(mut account)) => {
                for change in &self.uncommitted {
                    match change {
                        Change::ExternalIdLinked(link) if link.key == *key => {
                            account = Some(link.account_id);
                        }
                        Change::ExternalIdUnlinked(link) if link.key == *key => account = None,
                        _ => {}
                    }
                }
                self.links.insert(key.clone(), account);
            }
            (Need::LevelsBelow(id), Loaded::LevelsBelow(levels)) => {
                self.levels_below.insert(*id, levels);
            }
            // A store that answers another question than the asked one is treated as answering nothing.
            _ => return false,
        }
        true
    }

    fn fill_part(&mut self, id: crate::AccountId, fill: impl FnOnce(&mut Part)) -> bool {
        self.part_mut(id).map(fill).is_some()
    }

    fn uncommitted_usage(
        &self,
        of: crate::AccountId,
        counter: &CounterKey,
    ) -> Vec<(crate::Timestamp, i128)> {
        let matches = |change: &Change| match change {
            Change::UsageAdded {
                level,
                resource,
                scope,
                drawn_for,
                bucket,
                amount,
            } => {
                let same = *level == of
                    && *resource == counter.resource
                    && *drawn_for == counter.drawn_for;
                (same && (counter.scope.is_none() || *scope == counter.scope))
                    .then_some((*bucket, *amount))
            }
            _ => None,
        };
        self.uncommitted.iter().filter_map(matches).collect()
    }

    fn replay_event(&mut self, id: uuid::Uuid) {
        let Some(Some(facts)) = self.events.get_mut(&id) else {
            return;
        };
        for change in &self.uncommitted {
            match change {
                Change::EventRecorded { event, amount } if event.corrects_event_id == Some(id) => {
                    facts.net = facts.net.saturating_add(*amount);
                }
                Change::Drawn { event_id, draw, .. } if *event_id == id => facts.add_draw(draw),
                Change::GrantPut(grant) => facts.see_grant(grant),
                _ => {}
            }
        }
    }
}
