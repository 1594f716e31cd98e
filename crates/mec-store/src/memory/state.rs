//! What the store in memory holds, by namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mec_core::account::{Account, ExternalKey};
use mec_core::book::TreeHead;
use mec_core::catalogue::{Lookups, ResourceType};
use mec_core::change::{GraceClock, LimitKey};
use mec_core::entitlement::Entitlement;
use mec_core::grant::{Draw, Grant};
use mec_core::lease::Lease;
use mec_core::ledger::Event;
use mec_core::plan::{Plan, Subscription};
use mec_core::reservation::Reservation;
use mec_core::rule::Rule;
use mec_core::usage::CounterKey;
use mec_core::{AccountId, Code, Namespace, Timestamp};
use uuid::Uuid;

use crate::{ApiKey, DecisionRow, Expired, KeyRow, KeyState, Locator, Place, Retention, key_hash};

/// Everything, by namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) lookups: Arc<Lookups>,
    pub(super) spaces: BTreeMap<Namespace, Space>,
    pub(super) api_keys: Vec<ApiKey>,
}

/// Everything of one namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct Space {
    pub(super) catalogue_version: u64,
    pub(super) resource_types: Vec<ResourceType>,
    pub(super) plans: Vec<Plan>,
    pub(super) rules: Vec<Rule>,
    pub(super) accounts: BTreeMap<AccountId, Arc<Account>>,
    pub(super) links: BTreeMap<ExternalKey, AccountId>,
    pub(super) entitlements: BTreeMap<Uuid, Arc<Entitlement>>,
    pub(super) subscriptions: BTreeMap<Uuid, Arc<Subscription>>,
    pub(super) events: Vec<(Arc<Event>, i128)>,
    pub(super) usage: Vec<Used>,
    pub(super) own_totals: Vec<(AccountId, Code, Option<Code>, i128)>,
    pub(super) scopes: BTreeSet<(Uuid, Code, Code)>,
    pub(super) grants: BTreeMap<Uuid, Grant>,
    pub(super) draws: Vec<(Uuid, Draw)>,
    pub(super) reservations: BTreeMap<Uuid, (Arc<Reservation>, i128, Vec<AccountId>)>,
    pub(super) leases: BTreeMap<Uuid, (Arc<Lease>, Vec<AccountId>)>,
    pub(super) grace: Vec<(LimitKey, GraceClock)>,
    pub(super) heads: BTreeMap<Uuid, TreeHead>,
    pub(super) keys: Vec<KeyRow>,
    pub(super) decisions: Vec<DecisionRow>,
}

/// One amount that was added to the counters of a level.
#[derive(Clone, Debug)]
pub(super) struct Used {
    pub(super) level: AccountId,
    pub(super) resource: Code,
    pub(super) scope: Option<Code>,
    pub(super) drawn_for: Option<Code>,
    pub(super) bucket: Timestamp,
    pub(super) amount: i128,
}

impl Used {
    /// Whether it belongs to a counter of a level.
    pub(super) fn counts(&self, level: AccountId, counter: &CounterKey) -> bool {
        self.level == level
            && self.resource == counter.resource
            && self.drawn_for == counter.drawn_for
            && (counter.scope.is_none() || self.scope == counter.scope)
    }
}

impl State {
    /// A copy of a namespace's rows; empty where it has none.
    pub(super) fn space(&self, namespace: &Namespace) -> Space {
        self.spaces.get(namespace).cloned().unwrap_or_default()
    }

    /// Drops what has passed its time. The audit is not kept in memory, so nothing of it can go.
    pub(super) fn apply_retention(&mut self, retention: &Retention) -> Expired {
        let mut dropped = Expired::default();
        for space in self.spaces.values_mut() {
            space.decisions.retain(|row| {
                let goes = row.decided_at < retention.decisions_before
                    && dropped.decisions < retention.most;
                dropped.decisions += usize::from(goes);
                !goes
            });
            for key in &mut space.keys {
                let is_old = key.created_at < retention.answers_before;
                let goes =
                    is_old && key.stored.answer.is_some() && dropped.answers < retention.most;
                if goes {
                    key.stored.answer = None;
                    dropped.answers += 1;
                }
            }
        }
        dropped
    }

    pub(super) fn space_mut(&mut self, namespace: &Namespace) -> &mut Space {
        self.spaces.entry(namespace.clone()).or_default()
    }
}

impl Space {
    pub(super) fn key(&self, hash: u128) -> KeyState {
        let found = self.keys.iter().find(|row| key_hash(&row.key) == hash);
        found.map_or(KeyState::Free, |row| KeyState::Taken(row.stored.clone()))
    }

    /// The accounts from an account up to its owner.
    pub(super) fn ancestors(&self, account: AccountId) -> Vec<AccountId> {
        let parent = |account: &Arc<Account>| {
            account
                .parent_account_id
                .and_then(|id| self.accounts.get(&id))
        };
        std::iter::successors(self.accounts.get(&account), |account| parent(account))
            .map(|a| a.account_id)
            .collect()
    }

    /// Every account below an account, itself included.
    pub(super) fn subtree(&self, root: AccountId) -> Vec<AccountId> {
        let is_below = |id: &&AccountId| self.ancestors(**id).contains(&root);
        self.accounts.keys().filter(is_below).copied().collect()
    }

    pub(super) fn levels_below(&self, root: AccountId) -> usize {
        let depth = |id: AccountId| self.ancestors(id).len();
        let deepest = self.subtree(root).into_iter().map(depth).max();
        deepest.map_or(0, |deepest| deepest.saturating_sub(depth(root)))
    }

    pub(super) fn locate(&self, locator: &Locator) -> Option<Place> {
        let account = match locator {
            Locator::Account(id) => Some(*id),
            Locator::External(external_id) => {
                let named =
                    |account: &&Arc<Account>| account.external_id.as_ref() == Some(external_id);
                let linked = |(key, _): &(&ExternalKey, _)| key.external_id == *external_id;
                self.accounts
                    .values()
                    .find(named)
                    .map(|account| account.account_id)
                    .or_else(|| self.links.iter().find(linked).map(|(_, account)| *account))
            }
            Locator::Lease(id) => self.leases.get(id).map(|(lease, _)| lease.account_id),
            Locator::Reservation(id) => self
                .reservations
                .get(id)
                .map(|(reservation, ..)| reservation.account_id),
            Locator::Event(id) => self.event(*id).map(|(event, _)| event.account_id),
            Locator::Entitlement(id) => self.entitlements.get(id).map(|e| e.account_id),
            Locator::Grant(id) => self.grants.get(id).map(|grant| grant.account_id),
        };
        account.and_then(|account| {
            Some(Place {
                account,
                tree: *self.ancestors(account).last()?,
            })
        })
    }

    pub(super) fn event(&self, id: Uuid) -> Option<&(Arc<Event>, i128)> {
        self.events.iter().find(|(event, _)| event.event_id == id)
    }
}
