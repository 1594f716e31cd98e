//! What the sums should be, by the ledger and the draws from grants.

use std::collections::BTreeMap;

use mec_core::ledger::Event;
use mec_core::usage::CounterKey;
use mec_core::{AccountId, Code, Namespace, Timestamp};
use rusqlite::{Connection, Row};
use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::convert::{at, code, id, namespace, optional_code};
use crate::counter::Name;
use crate::values::all;
use crate::{amount, sql};

/// Amounts by whole minute. Only minutes are kept: hours, days and totals follow from them.
pub(super) type Minutes = BTreeMap<Timestamp, i128>;

/// Whose own total of what: account, resource, exact scope.
pub(super) type Own = (Namespace, AccountId, Code, Option<Code>);

/// What the sums should be.
pub(super) struct Expected {
    pub(super) counters: FxHashMap<Name, Minutes>,
    pub(super) own_totals: FxHashMap<Own, i128>,
    inventories: FxHashSet<(Namespace, Code)>,
}

impl Expected {
    pub(super) fn new(connection: &Connection) -> rusqlite::Result<Self> {
        let read = |row: &Row<'_>| Ok((namespace(row, 0)?, code(row, 1)?));
        let inventories = all(connection, sql::RESOURCE_TYPE_SELECT_INVENTORIES, [], read)?;
        Ok(Self {
            counters: FxHashMap::default(),
            own_totals: FxHashMap::default(),
            inventories: inventories.into_iter().collect(),
        })
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

    /// Adds what events drew from grants, at the account that holds the grant.
    pub(super) fn add_draws(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(sql::GRANT_DRAW_SELECT_ALL)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let level: Uuid = id(row, 1)?;
            let (resource, scope, window_type) =
                (code(row, 2)?, optional_code(row, 3)?, code(row, 4)?);
            let amount = amount::read(row, 6)?;
            self.add(
                &namespace(row, 0)?,
                level,
                &resource,
                &scope,
                Some(&window_type),
                at(row, 5)?,
                amount,
            );
        }
        Ok(())
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
        let mut name = Name {
            namespace: namespace.clone(),
            level,
            key,
        };
        let mut add = |name: Name| {
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
