//! A part: everything about one account that decisions need.

use std::collections::HashSet;
use std::sync::Arc;

use imbl::OrdMap;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::account::Account;
use crate::change::{GraceClock, LimitKey};
use crate::entitlement::Entitlement;
use crate::grant::Grant;
use crate::holds::{Hold, HoldKind, HoldSet};
use crate::ids::{AccountId, Code, TreeId};
use crate::lease::Lease;
use crate::plan::Subscription;
use crate::reservation::Reservation;
use crate::time::Timestamp;
use crate::usage::{Counter, CounterKey};
use crate::window::Zone;

/// What a store knows of an account, as rows.
#[derive(Clone, Debug)]
pub struct PartRows {
    /// The account.
    pub account: Arc<Account>,
    /// The tree that it stands in.
    pub tree_id: TreeId,
    /// Its entitlements; superseded ones only where they split a minute.
    pub entitlements: Vec<Arc<Entitlement>>,
    /// Its subscriptions that are not canceled.
    pub subscriptions: Vec<Arc<Subscription>>,
    /// Its grants with something left that are not voided; lapsed ones, too.
    pub grants: Vec<Grant>,
    /// Resources and window types of all grants that it ever had.
    pub granted_ever: Vec<(Code, Code)>,
    /// Its own leases that are live.
    pub leases: Vec<Arc<Lease>>,
    /// Its own reservations that are open.
    pub reservations: Vec<Arc<Reservation>>,
    /// The holds of its whole subtree, itself included.
    pub holds: Vec<(HoldKind, Code, Hold)>,
    /// The grace clocks of its limits.
    pub grace: Vec<(LimitKey, GraceClock)>,
}

/// Everything about one account that decisions need.
#[derive(Clone, Debug)]
pub struct Part {
    /// The account.
    pub account: Arc<Account>,
    /// The tree that it stands in.
    pub tree_id: TreeId,
    /// The zone of its calendar windows.
    pub zone: Zone,
    /// Its entitlements; superseded ones only where they split a minute.
    pub entitlements: Vec<Arc<Entitlement>>,
    /// Its subscriptions that are not canceled.
    pub subscriptions: Vec<Arc<Subscription>>,
    /// Its open grants in the order in which they are drawn.
    pub grants: Vec<Grant>,
    /// Its own live leases.
    pub leases: OrdMap<Uuid, Arc<Lease>>,
    /// Its own open reservations.
    pub reservations: OrdMap<Uuid, Arc<Reservation>>,
    pub(super) granted_ever: Vec<(Code, Code)>,
    sessions: OrdMap<(Code, Option<Code>, String), Uuid>,
    holds: Vec<(HoldKind, Code, HoldSet)>,
    counters: FxHashMap<CounterKey, Counter>,
    pub(super) own_totals: FxHashMap<(Code, Option<Code>), i128>,
    pub(super) grace: FxHashMap<LimitKey, GraceClock>,
    pub(super) scopes: FxHashMap<Code, Arc<HashSet<Code>>>,
}

impl Part {
    /// A part from a store's rows.
    pub fn from_rows(rows: PartRows) -> Self {
        let mut part = Self {
            zone: rows.account.zone(),
            account: rows.account,
            tree_id: rows.tree_id,
            entitlements: rows.entitlements,
            subscriptions: rows.subscriptions,
            grants: rows.grants,
            granted_ever: rows.granted_ever,
            leases: OrdMap::new(),
            reservations: rows
                .reservations
                .into_iter()
                .map(|r| (r.reservation_id, r))
                .collect(),
            sessions: OrdMap::new(),
            holds: Vec::new(),
            counters: FxHashMap::default(),
            own_totals: FxHashMap::default(),
            grace: rows.grace.into_iter().collect(),
            scopes: FxHashMap::default(),
        };
        part.grants.sort_by_key(Grant::draw_order);
        for lease in rows.leases {
            part.put_own_lease(lease);
        }
        for (kind, resource, hold) in rows.holds {
            part.hold_set(kind, &resource).insert(hold);
        }
        part
    }

    /// A new account's part: nothing has happened yet, so nothing need be loaded.
    pub fn new(account: Arc<Account>, tree_id: TreeId) -> Self {
        Self::from_rows(PartRows {
            account,
            tree_id,
            entitlements: Vec::new(),
            subscriptions: Vec::new(),
            grants: Vec::new(),
            granted_ever: Vec::new(),
            leases: Vec::new(),
            reservations: Vec::new(),
            holds: Vec::new(),
            grace: Vec::new(),
        })
    }

    /// Its account's id.
    pub fn id(&self) -> AccountId {
        self.account.account_id
    }

    /// A counter, if anything of it is held.
    pub fn counter(&self, key: &CounterKey) -> Option<&Counter> {
        self.counters.get(key)
    }

    /// A counter to load into.
    pub fn counter_mut(&mut self, key: CounterKey) -> &mut Counter {
        self.counters.entry(key).or_default()
    }

    /// Whether grants of a resource and window type were ever given here; if not, nothing was drawn.
    pub fn had_grants(&self, resource: &str, window_type: &str) -> bool {
        self.granted_ever
            .iter()
            .any(|(r, w)| &**r == resource && &**w == window_type)
    }

    /// The holds of a kind and resource in the account's whole subtree.
    pub fn holds(&self, kind: HoldKind, resource: &str) -> Option<&HoldSet> {
        self.holds
            .iter()
            .find(|(k, r, _)| *k == kind && &**r == resource)
            .map(|(_, _, set)| set)
    }

    /// The slots held in the account's whole subtree, by resource.
    pub fn leased(&self) -> impl Iterator<Item = (&Code, &HoldSet)> {
        let of_leases = |(kind, _, _): &&(HoldKind, Code, HoldSet)| *kind == HoldKind::Lease;
        self.holds
            .iter()
            .filter(of_leases)
            .map(|(_, resource, set)| (resource, set))
    }

    /// The live lease of a session, if it has one.
    pub fn session(
        &self,
        resource: &Code,
        scope: Option<&Code>,
        token: &str,
        now: Timestamp,
    ) -> Option<&Arc<Lease>> {
        let key = (resource.clone(), scope.cloned(), token.to_owned());
        self.sessions
            .get(&key)
            .and_then(|id| self.leases.get(id))
            .filter(|lease| lease.is_live(now))
    }

    /// The account's own total of an inventory in exactly this scope, if it is held.
    pub fn own_total(&self, resource: &Code, scope: Option<&Code>) -> Option<i128> {
        self.own_totals
            .get(&(resource.clone(), scope.cloned()))
            .copied()
    }

    /// Takes in an own total that was loaded.
    pub fn absorb_own_total(&mut self, resource: Code, scope: Option<Code>, total: i128) {
        self.own_totals.insert((resource, scope), total);
    }

    /// The scopes the tree has used of a resource, if they are held. Held by the owner's part only.
    pub fn scopes(&self, resource: &str) -> Option<&HashSet<Code>> {
        self.scopes.get(resource).map(|set| &**set)
    }

    /// Takes in the scopes of a resource that were loaded.
    pub fn absorb_scopes(&mut self, resource: Code, scopes: HashSet<Code>) {
        self.scopes.insert(resource, Arc::new(scopes));
    }

    /// The grace clock of a limit, if it runs.
    pub fn grace_clock(&self, limit: &LimitKey) -> Option<GraceClock> {
        self.grace.get(limit).copied()
    }

    /// When the first hold ends that has not been trimmed yet.
    pub fn first_expiry(&self) -> Option<Timestamp> {
        self.holds
            .iter()
            .filter_map(|(_, _, set)| set.first_expiry())
            .min()
    }

    /// Removes the holds, leases and reservations that have ended by now.
    pub fn trim(&mut self, now: Timestamp) {
        for (_, _, set) in &mut self.holds {
            set.trim(now);
        }
        let ended: Vec<Uuid> = self
            .leases
            .values()
            .filter(|lease| !lease.is_live(now))
            .map(|lease| lease.lease_id)
            .collect();
        for id in ended {
            self.remove_own_lease(id);
        }
        let ended: Vec<Uuid> = self
            .reservations
            .values()
            .filter(|r| r.expires_at <= now)
            .map(|r| r.reservation_id)
            .collect();
        for id in ended {
            self.reservations.remove(&id);
        }
    }

    /// The start of the finest bucket for something that happened at a moment: its whole minute, or
    /// the moment within it from which an entitlement here counts anew, of those that are known.
    pub fn bucket(
        &self,
        resource: &str,
        occurred_at: Timestamp,
        is_known: impl Fn(&Entitlement) -> bool,
    ) -> Timestamp {
        let minute = occurred_at.floor_minute();
        self.entitlements
            .iter()
            .filter(|e| &*e.resource_type_code == resource && is_known(e))
            .filter_map(|e| e.usage_from)
            .filter(|from| minute < *from && *from <= occurred_at)
            .max()
            .unwrap_or(minute)
    }

    pub(super) fn hold_set(&mut self, kind: HoldKind, resource: &Code) -> &mut HoldSet {
        let found = self
            .holds
            .iter()
            .position(|(k, r, _)| *k == kind && r == resource);
        let at = found.unwrap_or_else(|| {
            self.holds
                .push((kind, resource.clone(), HoldSet::default()));
            self.holds.len() - 1
        });
        #[allow(
            clippy::indexing_slicing,
            reason = "the position was just found or made"
        )]
        &mut self.holds[at].2
    }

    pub(super) fn put_own_lease(&mut self, lease: Arc<Lease>) {
        if let Some(token) = &lease.session_token {
            let key = (
                lease.resource_type_code.clone(),
                lease.resource_scope.clone(),
                token.clone(),
            );
            self.sessions.insert(key, lease.lease_id);
        }
        self.leases.insert(lease.lease_id, lease);
    }

    pub(super) fn remove_own_lease(&mut self, id: Uuid) {
        let Some(lease) = self.leases.remove(&id) else {
            return;
        };
        if let Some(token) = &lease.session_token {
            let key = (
                lease.resource_type_code.clone(),
                lease.resource_scope.clone(),
                token.clone(),
            );
            if self.sessions.get(&key) == Some(&id) {
                self.sessions.remove(&key);
            }
        }
    }

    pub(super) fn add_usage(
        &mut self,
        resource: &Code,
        scope: Option<&Code>,
        drawn_for: Option<&Code>,
        bucket: Timestamp,
        amount: i128,
    ) {
        let mut key = CounterKey {
            resource: resource.clone(),
            scope: None,
            drawn_for: drawn_for.cloned(),
        };
        if let Some(counter) = self.counters.get_mut(&key) {
            counter.add(bucket, amount);
        }
        if scope.is_some() {
            key.scope = scope.cloned();
            if let Some(counter) = self.counters.get_mut(&key) {
                counter.add(bucket, amount);
            }
        }
    }
}
