//! Writing what a batch changes: rows as they are, counters summed up first.

use mec_core::account::Account;
use mec_core::book::TreeHead;
use mec_core::change::{Change, LimitKey};
use mec_core::entitlement::{Entitlement, EntitlementAudit};
use mec_core::grant::{Draw, Grant};
use mec_core::lease::Lease;
use mec_core::ledger::Event;
use mec_core::plan::Subscription;
use mec_core::reservation::{Reservation, ReservationStatus};
use mec_core::usage::CounterKey;
use mec_core::{Namespace, Quantity, Timestamp};
use mec_store::{CommitError, CommitSet, DecisionRow, KeyRow, TreeCommit, key_hash};
use rusqlite::{Connection, Params, params};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::convert::{held_text, joined, millionths, or_empty, pair};
use crate::errors::commit_error;
use crate::load::{DAY, HOUR, MINUTE, TOTAL};
use crate::sql;

type Sql<T> = rusqlite::Result<T>;
/// A counter of a level, as its identity in the store.
pub(crate) type CounterOf = (Namespace, Uuid, CounterKey);
/// So many counter ids are remembered; beyond it all are looked up anew.
const MAX_COUNTERS: usize = 200_000;

/// Counter ids that are committed, so that a hot counter is not looked up in every batch.
#[derive(Default)]
pub(crate) struct CounterIds {
    known: FxHashMap<CounterOf, i64>,
}

struct Bucket {
    amount: i128,
    command: usize,
}

struct Writer<'a> {
    connection: &'a Connection,
    counters: &'a CounterIds,
    fresh: FxHashMap<CounterOf, i64>,
    buckets: FxHashMap<(i64, i64, i64), Bucket>,
    now: Timestamp,
}

/// Writes a batch into the open transaction.
pub(crate) fn write(
    connection: &Connection,
    counters: &mut CounterIds,
    set: &CommitSet,
    now: Timestamp,
) -> Result<(), CommitError> {
    let mut writer = Writer {
        connection,
        counters,
        fresh: FxHashMap::default(),
        buckets: FxHashMap::default(),
        now,
    };
    for tree in &set.trees {
        writer
            .head(tree)
            .map_err(|error| commit_error(error, None))?;
        for (command, change) in &tree.changes {
            writer
                .change(tree, *command, change)
                .map_err(|error| commit_error(error, Some(*command)))?;
        }
    }
    writer.flush_buckets()?;
    for key in &set.keys {
        writer
            .key(key)
            .map_err(|error| commit_error(error, Some(key.command)))?;
    }
    for decision in &set.decisions {
        writer
            .decision(decision)
            .map_err(|error| commit_error(error, None))?;
    }
    let fresh = writer.fresh;
    if counters.known.len().saturating_add(fresh.len()) > MAX_COUNTERS {
        counters.known.clear();
    }
    counters.known.extend(fresh);
    Ok(())
}

impl CounterIds {
    /// Forgets all, after a transaction that may have made some was rolled back.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

impl Writer<'_> {
    fn run(&self, sql: &str, values: impl Params) -> Sql<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }

    fn head(&self, tree: &TreeCommit) -> Sql<()> {
        let TreeHead {
            tree_id,
            chain_id,
            chain_seq,
            chain_hash,
            fencing_token,
            last_at,
            version,
        } = &tree.head;
        let sql = if tree.is_new {
            sql::TREE_INSERT
        } else {
            sql::TREE_UPDATE_BY_ID
        };
        let values = params![
            tree.namespace.as_str(),
            tree_id.as_bytes(),
            chain_id.as_bytes(),
            *chain_seq as i64,
            chain_hash,
            *fencing_token as i64,
            last_at.as_micros(),
            *version as i64
        ];
        self.run(sql, values).map(drop)
    }

    fn change(&mut self, tree: &TreeCommit, command: usize, change: &Change) -> Sql<()> {
        let ns = tree.namespace.as_str();
        match change {
            Change::AccountCreated(account) => self.create_account(ns, tree.head.tree_id, account),
            Change::AccountUpdated(account) => self.update_account(ns, account),
            Change::EntitlementPut { old, new, audit } => {
                self.entitlement(ns, old.as_deref(), new, audit)
            }
            Change::SubscriptionPut(subscription) => self.subscription(ns, subscription),
            Change::EventRecorded { event, .. } => self.event(event),
            Change::UsageAdded {
                level,
                resource,
                scope,
                drawn_for,
                bucket,
                amount,
            } => {
                let mut key = CounterKey {
                    resource: resource.clone(),
                    scope: None,
                    drawn_for: drawn_for.clone(),
                };
                self.usage(
                    &tree.namespace,
                    *level,
                    key.clone(),
                    *bucket,
                    *amount,
                    command,
                )?;
                if scope.is_some() {
                    key.scope = scope.clone();
                    self.usage(&tree.namespace, *level, key, *bucket, *amount, command)?;
                }
                Ok(())
            }
            Change::OwnTotalAdded {
                level,
                resource,
                scope,
                amount,
            } => {
                let (whole, micros) = pair(*amount);
                let values = params![
                    ns,
                    level.as_bytes(),
                    resource,
                    or_empty(scope),
                    whole,
                    micros
                ];
                self.run(sql::OWN_TOTAL_ADD_BY_LEVEL, values).map(drop)
            }
            Change::ScopeSeen { resource, scope } => self
                .run(
                    sql::SCOPE_INSERT,
                    params![ns, tree.head.tree_id.as_bytes(), resource, scope],
                )
                .map(drop),
            Change::GrantPut(grant) => self.grant(ns, grant),
            Change::Drawn {
                event_id,
                draw,
                grant_remaining,
            } => self.drawn(ns, *event_id, draw, *grant_remaining),
            Change::ReservationPut {
                reservation,
                amount,
                levels,
            } => self.reservation(tree, reservation, *amount, levels),
            Change::LeasePut { lease, levels } => self.lease(tree, lease, levels),
            Change::GraceClock { limit, clock } => {
                let LimitKey {
                    level,
                    resource,
                    kind,
                    window_type,
                    scope,
                } = limit;
                let key = params![
                    ns,
                    level.as_bytes(),
                    resource,
                    kind.as_str(),
                    window_type,
                    or_empty(scope)
                ];
                let Some(clock) = clock else {
                    return self.run(sql::GRACE_CLOCK_DELETE_BY_LIMIT, key).map(drop);
                };
                let values = params![
                    ns,
                    level.as_bytes(),
                    resource,
                    kind.as_str(),
                    window_type,
                    or_empty(scope),
                    clock.since.as_micros(),
                    clock.window_start.map(Timestamp::as_micros)
                ];
                self.run(sql::GRACE_CLOCK_UPSERT_BY_LIMIT, values).map(drop)
            }
        }
    }

    fn create_account(&self, ns: &str, owner: Uuid, account: &Account) -> Sql<()> {
        let metadata = serde_json::to_string(&account.metadata).unwrap_or_else(|_| "{}".to_owned());
        let values = params![
            ns,
            account.account_id.as_bytes(),
            account.account_type_code,
            account.parent_account_id.map(Uuid::into_bytes),
            owner.as_bytes(),
            account.external_id,
            account.display_name,
            account.email,
            account.timezone,
            metadata,
            account.status.as_str(),
            account.created_at.as_micros(),
            account.updated_at.as_micros()
        ];
        self.run(sql::ACCOUNT_INSERT, values)?;
        if let Some(parent) = account.parent_account_id {
            self.run(
                sql::ACCOUNT_MARK_PARENT_BY_ID,
                params![ns, parent.as_bytes()],
            )?;
        }
        Ok(())
    }

    fn update_account(&self, ns: &str, account: &Account) -> Sql<()> {
        let metadata = serde_json::to_string(&account.metadata).unwrap_or_else(|_| "{}".to_owned());
        let values = params![
            ns,
            account.account_id.as_bytes(),
            account.account_type_code,
            account.external_id,
            account.display_name,
            account.email,
            account.timezone,
            metadata,
            account.status.as_str(),
            account.updated_at.as_micros()
        ];
        self.run(sql::ACCOUNT_UPDATE_BY_ID, values).map(drop)
    }

    fn entitlement(
        &self,
        ns: &str,
        old: Option<&Entitlement>,
        new: &Entitlement,
        audit: &EntitlementAudit,
    ) -> Sql<()> {
        let id = new.entitlement_id.as_bytes();
        let values = params![
            ns,
            id,
            new.account_id.as_bytes(),
            new.resource_type_code,
            new.resource_scope,
            new.limit_kind_code.as_str(),
            new.quantity_allowed.map(millionths),
            new.unit_code,
            new.effective_start.as_micros(),
            new.effective_end.map(Timestamp::as_micros),
            new.window_type_code,
            new.window_anchor.map(Timestamp::as_micros),
            new.plan_id,
            new.template_id.map(Uuid::into_bytes),
            new.subscription_id.map(Uuid::into_bytes),
            new.usage_from.map(Timestamp::as_micros),
            new.priority,
            new.status.as_str(),
            new.version,
            new.superseded_by.map(Uuid::into_bytes),
            new.created_at.as_micros(),
            new.updated_at.as_micros()
        ];
        match old {
            None => self.run(sql::ENTITLEMENT_INSERT, values)?,
            Some(old) => {
                let mut update = self
                    .connection
                    .prepare_cached(sql::ENTITLEMENT_UPDATE_BY_ID)?;
                for (index, value) in values.iter().enumerate() {
                    update.raw_bind_parameter(index + 1, value)?;
                }
                update.raw_bind_parameter(23, old.version)?;
                update.raw_execute()?
            }
        };
        self.run(
            sql::ENTITLEMENT_CONDITION_DELETE_BY_ENTITLEMENT,
            params![ns, id],
        )?;
        for (position, condition) in new.conditions.iter().enumerate() {
            let values = params![
                ns,
                id,
                position as i64,
                condition.key,
                condition.op.as_str(),
                condition.value
            ];
            self.run(sql::ENTITLEMENT_CONDITION_INSERT, values)?;
        }
        let json = |entitlement: &Entitlement| serde_json::to_string(entitlement).ok();
        let values = params![
            ns,
            audit.audit_id.as_bytes(),
            id,
            audit.operation,
            old.and_then(json),
            json(new),
            audit.changed_by,
            audit.changed_at.as_micros()
        ];
        self.run(sql::ENTITLEMENT_AUDIT_INSERT, values).map(drop)
    }

    fn subscription(&self, ns: &str, subscription: &Subscription) -> Sql<()> {
        let values = params![
            ns,
            subscription.subscription_id.as_bytes(),
            subscription.account_id.as_bytes(),
            subscription.plan_id,
            subscription.external_id,
            subscription.status.as_str(),
            subscription.quantity,
            subscription.current_period_start.as_micros(),
            subscription.current_period_end.map(Timestamp::as_micros),
            subscription.cancel_at.map(Timestamp::as_micros),
            subscription.created_at.as_micros(),
            subscription.updated_at.as_micros()
        ];
        self.run(sql::SUBSCRIPTION_UPSERT_BY_ID, values).map(drop)
    }

    fn event(&self, event: &Event) -> Sql<()> {
        let ns = event.namespace_id.as_str();
        let values = params![
            ns,
            event.event_id.as_bytes(),
            event.idempotency_key,
            event.account_id.as_bytes(),
            event.resource_type_code,
            event.resource_scope,
            millionths(event.quantity),
            event.unit_code,
            event.occurred_at.as_micros(),
            event.period_start.map(Timestamp::as_micros),
            event.period_end.map(Timestamp::as_micros),
            event.corrects_event_id.map(Uuid::into_bytes),
            event.created_at.as_micros(),
            event.owner_account_id.as_bytes(),
            joined(&event.recorded_under),
            event.chain_id.as_bytes(),
            event.chain_seq as i64,
            event.chain_hash
        ];
        self.run(sql::EVENT_INSERT, values)?;
        for (key, value) in &event.details {
            self.run(
                sql::EVENT_DETAIL_INSERT,
                params![ns, event.event_id.as_bytes(), key, value],
            )?;
        }
        Ok(())
    }

    fn usage(
        &mut self,
        ns: &Namespace,
        level: Uuid,
        key: CounterKey,
        bucket: Timestamp,
        amount: i128,
        command: usize,
    ) -> Sql<()> {
        let counter = self.counter((ns.clone(), level, key))?;
        let spans = [
            (TOTAL, 0),
            (DAY, bucket.floor_day().as_micros()),
            (HOUR, bucket.floor_hour().as_micros()),
            (MINUTE, bucket.as_micros()),
        ];
        for (granularity, start) in spans {
            let held = self
                .buckets
                .entry((counter, granularity, start))
                .or_insert(Bucket { amount: 0, command });
            held.amount = held.amount.saturating_add(amount);
            held.command = command;
        }
        Ok(())
    }

    fn counter(&mut self, of: CounterOf) -> Sql<i64> {
        if let Some(id) = self.counters.known.get(&of).or_else(|| self.fresh.get(&of)) {
            return Ok(*id);
        }
        let (ns, level, key) = &of;
        let id = match crate::load::counter_id(self.connection, ns, *level, key)? {
            Some(id) => id,
            None => {
                let names = (or_empty(&key.drawn_for), or_empty(&key.scope));
                self.run(
                    sql::COUNTER_INSERT,
                    params![
                        ns.as_str(),
                        key.resource,
                        level.as_bytes(),
                        names.0,
                        names.1
                    ],
                )?;
                self.connection.last_insert_rowid()
            }
        };
        self.fresh.insert(of, id);
        Ok(id)
    }

    /// In the order of the keys, so that neighbours on one page are written together.
    fn flush_buckets(&mut self) -> Result<(), CommitError> {
        let mut buckets: Vec<_> = self.buckets.drain().collect();
        buckets.sort_unstable_by_key(|(key, _)| *key);
        let statement = self.connection.prepare_cached(sql::BUCKET_ADD_BY_COUNTER);
        let mut statement = statement.map_err(|error| commit_error(error, None))?;
        for ((counter, granularity, start), bucket) in buckets {
            let (whole, micros) = pair(bucket.amount);
            let added = statement.execute(params![counter, granularity, start, whole, micros]);
            added.map_err(|error| commit_error(error, Some(bucket.command)))?;
        }
        Ok(())
    }

    fn grant(&self, ns: &str, grant: &Grant) -> Sql<()> {
        let (whole, micros) = pair(grant.remaining);
        let values = params![
            ns,
            grant.grant_id.as_bytes(),
            grant.account_id.as_bytes(),
            grant.resource_type_code,
            grant.resource_scope,
            grant.window_type_code,
            millionths(grant.quantity),
            grant.unit_code,
            whole,
            micros,
            grant.priority,
            grant.expires_at.map(Timestamp::as_micros),
            grant.reason,
            grant.voided_at.map(Timestamp::as_micros),
            grant.created_at.as_micros()
        ];
        self.run(sql::GRANT_UPSERT_BY_ID, values).map(drop)
    }

    fn drawn(&self, ns: &str, event_id: Uuid, draw: &Draw, remaining: i128) -> Sql<()> {
        let grant = draw.grant_id.as_bytes();
        let (whole, micros) = pair(draw.amount);
        self.run(
            sql::GRANT_DRAW_UPSERT_BY_EVENT,
            params![ns, event_id.as_bytes(), grant, whole, micros],
        )?;
        let (whole, micros) = pair(remaining);
        self.run(
            sql::GRANT_UPDATE_REMAINING_BY_ID,
            params![ns, grant, whole, micros],
        )
        .map(drop)
    }

    fn reservation(
        &self,
        tree: &TreeCommit,
        reservation: &Reservation,
        amount: i128,
        levels: &[Uuid],
    ) -> Sql<()> {
        let ns = tree.namespace.as_str();
        let held = held_text(&reservation.grant_holds);
        let values = params![
            ns,
            reservation.reservation_id.as_bytes(),
            reservation.account_id.as_bytes(),
            reservation.resource_type_code,
            reservation.resource_scope,
            millionths(reservation.quantity),
            reservation.unit_code,
            reservation.created_at.as_micros(),
            reservation.expires_at.as_micros(),
            reservation.status.as_str(),
            reservation.event_id.map(Uuid::into_bytes),
            reservation.committed_quantity.map(millionths),
            held
        ];
        self.run(sql::RESERVATION_UPSERT_BY_ID, values)?;
        let open = reservation.status == ReservationStatus::Open;
        let what = (&reservation.resource_type_code, &reservation.resource_scope);
        let when = (reservation.created_at, reservation.expires_at);
        self.holds(
            tree,
            levels,
            1,
            reservation.reservation_id,
            open.then_some(amount),
            what,
            when,
            &held,
        )
    }

    fn lease(&self, tree: &TreeCommit, lease: &Lease, levels: &[Uuid]) -> Sql<()> {
        let ns = tree.namespace.as_str();
        let values = params![
            ns,
            lease.lease_id.as_bytes(),
            lease.account_id.as_bytes(),
            lease.resource_type_code,
            lease.resource_scope,
            lease.slots,
            lease.fencing_token as i64,
            lease.acquired_at.as_micros(),
            lease.expires_at.as_micros(),
            lease.last_heartbeat.as_micros(),
            lease.released_at.map(Timestamp::as_micros),
            lease.session_token,
            lease.session_metadata,
            lease.ttl_seconds,
            lease.decision
        ];
        self.run(sql::LEASE_UPSERT_BY_ID, values)?;
        let slots = lease
            .is_live(self.now)
            .then(|| Quantity::from_int(i64::from(lease.slots)).micros());
        let what = (&lease.resource_type_code, &lease.resource_scope);
        self.holds(
            tree,
            levels,
            0,
            lease.lease_id,
            slots,
            what,
            (lease.acquired_at, lease.expires_at),
            "[]",
        )
    }

    #[allow(clippy::too_many_arguments, reason = "one row's columns")]
    fn holds(
        &self,
        tree: &TreeCommit,
        levels: &[Uuid],
        kind: i64,
        id: Uuid,
        held: Option<i128>,
        (resource, scope): (&mec_core::Code, &Option<mec_core::Code>),
        (created_at, expires_at): (Timestamp, Timestamp),
        grants: &str,
    ) -> Sql<()> {
        let ns = tree.namespace.as_str();
        for level in levels {
            let Some(amount) = held else {
                self.run(
                    sql::OPEN_HOLD_DELETE_BY_LEVEL,
                    params![ns, level.as_bytes(), kind, id.as_bytes()],
                )?;
                continue;
            };
            let (whole, micros) = pair(amount);
            let values = params![
                ns,
                level.as_bytes(),
                kind,
                id.as_bytes(),
                tree.head.tree_id.as_bytes(),
                resource,
                scope,
                whole,
                micros,
                created_at.as_micros(),
                expires_at.as_micros(),
                grants
            ];
            self.run(sql::OPEN_HOLD_UPSERT_BY_LEVEL, values)?;
        }
        if held.is_some() {
            // What has ended of the same tree goes along, so that the table holds what is open.
            let values = params![ns, tree.head.tree_id.as_bytes(), self.now.as_micros(), 100];
            self.run(sql::OPEN_HOLD_DELETE_BY_EXPIRY, values)?;
        }
        Ok(())
    }

    fn key(&self, key: &KeyRow) -> Sql<()> {
        let values = params![
            key.namespace.as_str(),
            key_hash(&key.key).to_be_bytes(),
            key.key,
            key.stored.rpc,
            key.stored.args_hash,
            key.stored.event_id.map(Uuid::into_bytes),
            key.stored.answer,
            key.created_at.as_micros()
        ];
        self.run(sql::KEY_INSERT, values).map(drop)
    }

    fn decision(&self, row: &DecisionRow) -> Sql<()> {
        let text = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.to_string());
        let values = params![
            row.namespace.as_str(),
            row.decision_id.as_bytes(),
            row.account_id.as_bytes(),
            row.resource_type_code,
            row.resource_scope,
            millionths(row.requested_quantity),
            row.unit_code,
            row.decision,
            row.code,
            row.reason,
            row.rule_id.map(Uuid::into_bytes),
            row.entitlement_id.map(Uuid::into_bytes),
            text(row.usage_at_decision),
            text(row.limit_at_decision),
            text(row.percent_used),
            row.request_id,
            row.decided_at.as_micros()
        ];
        self.run(sql::DECISION_INSERT, values).map(drop)
    }
}
