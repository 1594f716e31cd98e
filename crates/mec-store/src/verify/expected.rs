//! What the sums should be, by the ledger and the draws from grants.

use std::collections::BTreeMap;

use mec_core::ledger::Event;
use mec_core::usage::CounterKey;
use mec_core::{AccountId, Code, Namespace, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::counters::CounterName;

/// Amounts by whole minute. Only minutes are kept: hours, days and totals follow from them.
pub(super) type Minutes = BTreeMap<Timestamp, i128>;

/// Whose own total of what: account, resource, exact scope.
pub type Own = (Namespace, AccountId, Code, Option<Code>);

/// What an event drew from a grant.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Whose.
    pub namespace: Namespace,
    /// The account that holds the grant.
    pub level: AccountId,
    /// The event's resource.
    pub resource: Code,
    /// The event's scope.
    pub scope: Option<Code>,
    /// The window type of the grant.
    pub window_type: Code,
    /// When the event occurred.
    pub occurred_at: Timestamp,
    /// How much, in the base unit.
    pub amount: i128,
}

/// What the sums should be.
pub(super) struct Expected {
    pub(super) counters: FxHashMap<CounterName, Minutes>,
    pub(super) own_totals: FxHashMap<Own, i128>,
    inventories: FxHashSet<(Namespace, Code)>,
}

impl Expected {
    pub(super) fn new(inventories: impl IntoIterator<Item = (Namespace, Code)>) -> Self {
        Self {
            counters: FxHashMap::default(),
            own_totals: FxHashMap::default(),
            inventories: inventories.into_iter().collect(),
        }
    }

    /// Adds an event at the account that used it and at those it was recorded under.
    pub(super) fn add_event(&mut self, event: &Event, factor: i128) {
        let amount = event.quantity.micros().saturating_mul(factor);
        let (resource, scope) = (&event.resource_type_code, &event.resource_scope);
        for level in std::iter::once(&event.account_id).chain(&event.recorded_under) {
            self.add(
                &event.namespace_id,
                *level,
                resource,
                scope,
                None,
                event.occurred_at,
                amount,
            );
        }
        if self
            .inventories
            .contains(&(event.namespace_id.clone(), resource.clone()))
        {
            let own = (
                event.namespace_id.clone(),
                event.account_id,
                resource.clone(),
                scope.clone(),
            );
            let total = self.own_totals.entry(own).or_default();
            *total = total.saturating_add(amount);
        }
    }

    /// Adds what an event drew from a grant, at the account that holds the grant.
    pub(super) fn add_draw(&mut self, drawn: &Drawn) {
        self.add(
            &drawn.namespace,
            drawn.level,
            &drawn.resource,
            &drawn.scope,
            Some(&drawn.window_type),
            drawn.occurred_at,
            drawn.amount,
        );
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "what identifies a counter, when and how much"
    )]
    fn add(
        &mut self,
        namespace: &Namespace,
        level: AccountId,
        resource: &Code,
        scope: &Option<Code>,
        drawn_for: Option<&Code>,
        at: Timestamp,
        amount: i128,
    ) {
        let key = CounterKey {
            resource: resource.clone(),
            scope: None,
            drawn_for: drawn_for.cloned(),
        };
        let mut name = CounterName {
            namespace: namespace.clone(),
            level,
            key,
        };
        let mut add = |name: CounterName| {
            let sum = self
                .counters
                .entry(name)
                .or_default()
                .entry(at.floor_minute())
                .or_default();
            *sum = sum.saturating_add(amount);
        };
        add(name.clone());
        if scope.is_some() {
            name.key.scope.clone_from(scope);
            add(name);
        }
    }
}
