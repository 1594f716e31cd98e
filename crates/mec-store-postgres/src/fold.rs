//! A batch's changes, folded: what happened to a row twice is written once, and all rows of a table
//! are written together.

mod accounts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mec_core::account::ExternalKey;
use mec_core::change::{AccountMove, Change, GraceClock, LimitKey};
use mec_core::entitlement::{Entitlement, EntitlementAudit};
use mec_core::grant::{Draw, Grant};
use mec_core::lease::Lease;
use mec_core::ledger::Event;
use mec_core::plan::Subscription;
use mec_core::reservation::{Reservation, ReservationStatus};
use mec_core::{AccountId, Code, Namespace, Quantity, Timestamp};
use mec_store::{CommitError, CommitSet, Granularity, TreeCommit};
use rustc_hash::FxHashMap;
use uuid::Uuid;

pub(crate) use accounts::{FoldedAccount, FoldedLink};

/// The numbers of `open_holds.kind`.
pub(crate) const LEASE: i64 = 0;
pub(crate) const RESERVATION: i64 = 1;

/// An entitlement after the batch.
pub(crate) struct FoldedEntitlement {
    /// The version that stands in the database; none for a new one.
    pub replaces: Option<u32>,
    pub new: Arc<Entitlement>,
    pub conditions_changed: bool,
}

/// A row of the audit.
pub(crate) struct AuditRow {
    pub namespace: Namespace,
    pub old: Option<Arc<Entitlement>>,
    pub new: Arc<Entitlement>,
    pub audit: EntitlementAudit,
}

/// What holds something at a level.
pub(crate) struct HoldRow {
    pub tree: Uuid,
    pub resource: Code,
    pub scope: Option<Code>,
    pub amount: i128,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// What of the level's grants is held.
    pub grants: Vec<mec_core::reservation::GrantHold>,
}

/// What makes a bucket one: namespace, level, resource, drawn for, scope, granularity, start.
pub(crate) type BucketKey = (Namespace, AccountId, Code, String, String, i64, Timestamp);
/// Whose own total of what.
pub(crate) type OwnKey = (Namespace, AccountId, Code, String);

/// All rows that a batch writes.
#[derive(Default)]
pub(crate) struct Folded {
    pub accounts: BTreeMap<(Namespace, AccountId), FoldedAccount>,
    pub parents: BTreeSet<(Namespace, AccountId)>,
    pub moves: Vec<(Namespace, Uuid, AccountMove)>,
    pub links: BTreeMap<(Namespace, ExternalKey), FoldedLink>,
    pub entitlements: BTreeMap<(Namespace, Uuid), FoldedEntitlement>,
    pub audits: Vec<AuditRow>,
    pub subscriptions: BTreeMap<(Namespace, Uuid), Arc<Subscription>>,
    pub events: Vec<Arc<Event>>,
    pub buckets: BTreeMap<BucketKey, i128>,
    pub own_totals: BTreeMap<OwnKey, i128>,
    pub scopes: BTreeSet<(Namespace, Uuid, Code, Code)>,
    pub grants: BTreeMap<(Namespace, Uuid), Grant>,
    pub draws: Vec<(Namespace, Uuid, Uuid, i128)>,
    pub remaining: BTreeMap<(Namespace, Uuid), i128>,
    pub reservations: BTreeMap<(Namespace, Uuid), Arc<Reservation>>,
    pub leases: BTreeMap<(Namespace, Uuid), Arc<Lease>>,
    pub holds: BTreeMap<(Namespace, AccountId, i64, Uuid), Option<HoldRow>>,
    pub grace: Vec<((Namespace, LimitKey), Option<GraceClock>)>,
    /// How many holds were put or taken in each tree, with its last moment.
    pub held: BTreeMap<(Namespace, Uuid), (Timestamp, i64)>,
}

fn refused(command: usize, reason: String, overflow: bool) -> CommitError {
    CommitError::Refused {
        command: Some(command),
        reason,
        overflow,
    }
}

impl Folded {
    pub(crate) fn of(set: &CommitSet) -> Result<Self, CommitError> {
        let mut folded = Self::default();
        let mut draws = FxHashMap::default();
        for (command, tree, change) in set.changes() {
            folded.add(tree, command, change, &mut draws)?;
        }
        Ok(folded)
    }

    fn add(
        &mut self,
        tree: &TreeCommit,
        command: usize,
        change: &Change,
        draws: &mut FxHashMap<(Uuid, Uuid), usize>,
    ) -> Result<(), CommitError> {
        let namespace = &tree.namespace;
        let of = |id: Uuid| (namespace.clone(), id);
        match change {
            Change::AccountCreated(account) => self.create_account(tree, command, account)?,
            Change::AccountUpdated(account) => self.update_account(tree, account),
            Change::ExternalIdLinked(link) => self.link(namespace, command, link)?,
            Change::ExternalIdUnlinked(link) => self.unlink(namespace, link),
            Change::AccountMoved(moved) => {
                if moved.to_tree != tree.head.tree_id {
                    let reason = format!("the account moves into the tree {}", moved.to_tree);
                    return Err(refused(command, reason, false));
                }
                let row = (namespace.clone(), tree.head.tree_id, moved.clone());
                self.moves.push(row);
            }
            Change::EntitlementPut { old, new, audit } => {
                self.put_entitlement(namespace, command, old.as_ref(), new)?;
                self.audits.push(AuditRow {
                    namespace: namespace.clone(),
                    old: old.clone(),
                    new: new.clone(),
                    audit: audit.clone(),
                });
            }
            Change::SubscriptionPut(subscription) => {
                let key = of(subscription.subscription_id);
                self.subscriptions.insert(key, subscription.clone());
            }
            Change::EventRecorded { event, .. } => {
                if event.namespace_id != *namespace {
                    let reason = format!("the event {} is of another namespace", event.event_id);
                    return Err(refused(command, reason, false));
                }
                self.events.push(event.clone());
            }
            Change::UsageAdded {
                level,
                resource,
                scope,
                drawn_for,
                bucket,
                amount,
            } => {
                let drawn_for = drawn_for.as_ref().map_or("", |code| code);
                let mut of_scope = |scope: &str| {
                    for granularity in Granularity::ALL {
                        let start = match granularity {
                            Granularity::Minute => *bucket,
                            other => other.floor(*bucket),
                        };
                        let key = (
                            namespace.clone(),
                            *level,
                            resource.clone(),
                            drawn_for.to_owned(),
                            scope.to_owned(),
                            granularity.stored(),
                            start,
                        );
                        add(self.buckets.entry(key).or_default(), *amount, command)?;
                    }
                    Ok::<_, CommitError>(())
                };
                of_scope("")?;
                if let Some(scope) = scope {
                    of_scope(scope)?;
                }
            }
            Change::OwnTotalAdded {
                level,
                resource,
                scope,
                amount,
            } => {
                let scope = scope.as_ref().map_or("", |code| code).to_owned();
                let key = (namespace.clone(), *level, resource.clone(), scope);
                add(self.own_totals.entry(key).or_default(), *amount, command)?;
            }
            Change::ScopeSeen { resource, scope } => {
                let tree = tree.head.tree_id;
                let seen = (namespace.clone(), tree, resource.clone(), scope.clone());
                self.scopes.insert(seen);
            }
            Change::GrantPut(grant) => {
                self.remaining.remove(&of(grant.grant_id));
                self.grants.insert(of(grant.grant_id), grant.clone());
            }
            Change::Drawn {
                event_id,
                draw,
                grant_remaining,
            } => self.draw(namespace, *event_id, draw, *grant_remaining, draws),
            Change::ReservationPut {
                reservation,
                amount,
                levels,
            } => self.put_reservation(tree, reservation, *amount, levels),
            Change::LeasePut { lease, levels } => self.put_lease(tree, lease, levels),
            Change::GraceClock { limit, clock } => {
                let key = (namespace.clone(), limit.clone());
                self.grace.retain(|(held, _)| *held != key);
                self.grace.push((key, *clock));
            }
        }
        Ok(())
    }

    fn put_entitlement(
        &mut self,
        namespace: &Namespace,
        command: usize,
        old: Option<&Arc<Entitlement>>,
        new: &Arc<Entitlement>,
    ) -> Result<(), CommitError> {
        let changed = old.is_none_or(|old| old.conditions != new.conditions);
        let key = (namespace.clone(), new.entitlement_id);
        let Some(held) = self.entitlements.get_mut(&key) else {
            let row = FoldedEntitlement {
                replaces: old.map(|old| old.version),
                new: new.clone(),
                conditions_changed: changed,
            };
            self.entitlements.insert(key, row);
            return Ok(());
        };
        if old.map(|old| old.version) != Some(held.new.version) {
            let id = new.entitlement_id;
            let reason = format!("the entitlement {id} is not at the version that was read");
            return Err(refused(command, reason, false));
        }
        held.new = new.clone();
        held.conditions_changed |= changed;
        Ok(())
    }

    fn draw(
        &mut self,
        namespace: &Namespace,
        event: Uuid,
        draw: &Draw,
        remaining: i128,
        draws: &mut FxHashMap<(Uuid, Uuid), usize>,
    ) {
        let next = self.draws.len();
        let at = *draws.entry((event, draw.grant_id)).or_insert(next);
        match self.draws.get_mut(at) {
            Some((_, _, _, amount)) => *amount = amount.saturating_add(draw.amount),
            None => {
                let row = (namespace.clone(), event, draw.grant_id, draw.amount);
                self.draws.push(row);
            }
        }
        let key = (namespace.clone(), draw.grant_id);
        match self.grants.get_mut(&key) {
            Some(grant) => grant.remaining = remaining,
            None => {
                self.remaining.insert(key, remaining);
            }
        }
    }

    fn put_reservation(
        &mut self,
        tree: &TreeCommit,
        reservation: &Arc<Reservation>,
        amount: i128,
        levels: &[AccountId],
    ) {
        for level in levels {
            let own = reservation.grant_holds.iter();
            let own = own.filter(|hold| hold.level == *level).cloned().collect();
            let row = (reservation.status == ReservationStatus::Open).then(|| HoldRow {
                tree: tree.head.tree_id,
                resource: reservation.resource_type_code.clone(),
                scope: reservation.resource_scope.clone(),
                amount,
                created_at: reservation.created_at,
                expires_at: reservation.expires_at,
                grants: own,
            });
            self.hold(tree, *level, RESERVATION, reservation.reservation_id, row);
        }
        let key = (tree.namespace.clone(), reservation.reservation_id);
        self.reservations.insert(key, reservation.clone());
    }

    fn put_lease(&mut self, tree: &TreeCommit, lease: &Arc<Lease>, levels: &[AccountId]) {
        for level in levels {
            let row = lease.released_at.is_none().then(|| HoldRow {
                tree: tree.head.tree_id,
                resource: lease.resource_type_code.clone(),
                scope: lease.resource_scope.clone(),
                amount: Quantity::from_int(i64::from(lease.slots)).micros(),
                created_at: lease.acquired_at,
                expires_at: lease.expires_at,
                grants: Vec::new(),
            });
            self.hold(tree, *level, LEASE, lease.lease_id, row);
        }
        let key = (tree.namespace.clone(), lease.lease_id);
        self.leases.insert(key, lease.clone());
    }

    fn hold(
        &mut self,
        tree: &TreeCommit,
        level: AccountId,
        kind: i64,
        id: Uuid,
        row: Option<HoldRow>,
    ) {
        let of = (tree.namespace.clone(), tree.head.tree_id);
        let (_, count) = self.held.entry(of).or_insert((tree.head.last_at, 0));
        *count = count.saturating_add(1);
        self.holds
            .insert((tree.namespace.clone(), level, kind, id), row);
    }
}

fn add(sum: &mut i128, amount: i128, command: usize) -> Result<(), CommitError> {
    let overflow = || refused(command, "a sum would overflow".to_owned(), true);
    *sum = sum.checked_add(amount).ok_or_else(overflow)?;
    Ok(())
}
