//! Rows and commits that the cases begin with.

use std::collections::BTreeMap;
use std::sync::Arc;

use mec_core::account::{Account, AccountStatus};
use mec_core::book::{PartRows, TreeHead};
use mec_core::change::Change;
use mec_core::condition::Condition;
use mec_core::entitlement::{Entitlement, EntitlementAudit, EntitlementStatus, LimitKind};
use mec_core::grant::Grant;
use mec_core::lease::Lease;
use mec_core::ledger::Event;
use mec_core::need::{Loaded, Need};
use mec_core::plan::{Subscription, SubscriptionStatus};
use mec_core::reservation::{Reservation, ReservationStatus};
use mec_core::usage::CounterKey;
use mec_core::{Code, Namespace, Quantity, Timestamp};
use uuid::Uuid;

use crate::{Batch, CommitError, CommitSet, Store, TreeCommit};

/// 2026-03-01T12:00:30Z: the present of every case.
pub const NOW: Timestamp = Timestamp::from_micros(1_772_366_430_000_000);
/// The owner of the tree of most cases.
pub const OWNER: Uuid = Uuid::from_u128(0x10);
/// An account below the owner.
pub const TEAM: Uuid = Uuid::from_u128(0x20);
/// An account below the team.
pub const USER: Uuid = Uuid::from_u128(0x30);
/// One whole unit in millionths.
pub const ONE: i128 = 1_000_000;
/// A resource of the seeded catalogue that is metered.
pub const RESOURCE: &str = "gpu_hours";

pub fn namespace() -> Namespace {
    Namespace::default_namespace()
}

pub fn other_namespace() -> Namespace {
    Namespace::parse("other").unwrap()
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn code(text: &str) -> Code {
    Code::from(text)
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn seconds_later(seconds: i64) -> Timestamp {
    NOW.saturating_add_secs(seconds)
}

pub fn account(account_id: Uuid, parent_account_id: Option<Uuid>) -> Account {
    Account {
        account_id,
        account_type_code: code("organization"),
        parent_account_id,
        external_id: None,
        display_name: Some("An account".into()),
        email: None,
        timezone: Some("Europe/Berlin".into()),
        metadata: BTreeMap::from([("colour".into(), "\"blue\"".into())]),
        status: AccountStatus::Active,
        created_at: NOW,
        updated_at: NOW,
    }
}

pub fn created(account: Account) -> Change {
    Change::AccountCreated(Arc::new(account))
}

pub fn entitlement(number: u128, account_id: Uuid) -> Entitlement {
    Entitlement {
        entitlement_id: id(number),
        account_id,
        resource_type_code: code(RESOURCE),
        resource_scope: None,
        limit_kind_code: LimitKind::Cumulative,
        quantity_allowed: Some(Quantity::from_micros(12_345_678)),
        unit_code: code("hours"),
        effective_start: NOW,
        effective_end: Some(seconds_later(86_400)),
        window_type_code: code("calendar_month"),
        window_anchor: Some(NOW),
        plan_id: Some(code("pro")),
        template_id: Some(id(7)),
        subscription_id: Some(id(8)),
        usage_from: Some(NOW),
        priority: -3,
        status: EntitlementStatus::Active,
        version: 1,
        superseded_by: None,
        created_at: NOW,
        updated_at: NOW,
        conditions: Vec::new(),
    }
}

pub fn condition(
    key: &str,
    op: mec_core::condition::ConditionOp,
    value: Option<&str>,
) -> Condition {
    Condition {
        key: key.into(),
        op,
        value: value.map(Into::into),
    }
}

pub fn entitlement_put(old: Option<&Entitlement>, new: &Entitlement, audit: u128) -> Change {
    Change::EntitlementPut {
        old: old.cloned().map(Arc::new),
        new: Arc::new(new.clone()),
        audit: EntitlementAudit {
            audit_id: id(audit),
            operation: if old.is_some() { "UPDATE" } else { "INSERT" },
            changed_by: "somebody".into(),
            changed_at: NOW,
        },
    }
}

pub fn subscription(number: u128, account_id: Uuid) -> Subscription {
    Subscription {
        subscription_id: id(number),
        account_id,
        plan_id: code("pro"),
        external_id: Some("sub_1".into()),
        status: SubscriptionStatus::Trialing,
        quantity: 5,
        current_period_start: NOW,
        current_period_end: Some(seconds_later(60)),
        cancel_at: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

pub fn grant(number: u128, account_id: Uuid, remaining: i128) -> Grant {
    Grant {
        grant_id: id(number),
        account_id,
        resource_type_code: code(RESOURCE),
        resource_scope: Some(code("eu")),
        window_type_code: code("calendar_month"),
        quantity: Quantity::from_int(10),
        unit_code: code("hours"),
        remaining,
        priority: 4,
        expires_at: Some(seconds_later(100)),
        reason: Some("sorry".into()),
        voided_at: None,
        created_at: NOW,
    }
}

pub fn lease(number: u128, account_id: Uuid, ttl_seconds: i64) -> Lease {
    Lease {
        lease_id: id(number),
        account_id,
        resource_type_code: code("concurrent_users"),
        resource_scope: Some(code("eu")),
        slots: 2,
        fencing_token: 17,
        acquired_at: NOW,
        expires_at: seconds_later(ttl_seconds),
        last_heartbeat: NOW,
        released_at: None,
        session_token: Some("session".into()),
        session_metadata: Some("{\"a\":1}".into()),
        ttl_seconds,
        decision: "{\"decision\":\"allow\",\"code\":\"within_entitlement\",\"reason\":\"Within entitlement\"}".into(),
    }
}

pub fn reservation(number: u128, account_id: Uuid) -> Reservation {
    Reservation {
        reservation_id: id(number),
        account_id,
        resource_type_code: code(RESOURCE),
        resource_scope: None,
        quantity: Quantity::from_int(3),
        unit_code: code("hours"),
        created_at: NOW,
        expires_at: seconds_later(300),
        status: ReservationStatus::Open,
        event_id: None,
        committed_quantity: None,
        grant_holds: Vec::new(),
    }
}

/// An event of an account with what it was recorded under; quantity in hours, so 60 base units each.
pub fn event(
    number: u128,
    account_id: Uuid,
    above: &[Uuid],
    hours: i64,
    occurred_at: Timestamp,
) -> Event {
    Event {
        event_id: id(number),
        idempotency_key: Some(format!("key-{number}")),
        namespace_id: namespace(),
        account_id,
        resource_type_code: code(RESOURCE),
        resource_scope: None,
        quantity: Quantity::from_int(hours),
        unit_code: code("hours"),
        occurred_at,
        period_start: None,
        period_end: None,
        corrects_event_id: None,
        created_at: NOW,
        owner_account_id: OWNER,
        recorded_under: above.to_vec(),
        chain_id: OWNER,
        chain_seq: 1,
        chain_hash: [9; 32],
        details: BTreeMap::new(),
    }
}

/// The changes of an event: the row, and its usage at every level.
pub fn recorded(event: Event) -> Vec<Change> {
    let amount = event.quantity.micros()
        * if &*event.unit_code == "minutes" {
            1
        } else {
            60
        };
    let levels = std::iter::once(event.account_id).chain(event.recorded_under.iter().copied());
    let mut changes: Vec<Change> = levels
        .map(|level| Change::UsageAdded {
            level,
            resource: event.resource_type_code.clone(),
            scope: event.resource_scope.clone(),
            drawn_for: None,
            bucket: event.occurred_at.floor_minute(),
            amount,
        })
        .collect();
    changes.push(Change::EventRecorded {
        event: Arc::new(event),
        amount,
    });
    changes
}

pub fn used(level: Uuid, scope: Option<&str>, bucket: Timestamp, amount: i128) -> Change {
    Change::UsageAdded {
        level,
        resource: code(RESOURCE),
        scope: scope.map(code),
        drawn_for: None,
        bucket,
        amount,
    }
}

pub fn counter(scope: Option<&str>) -> CounterKey {
    CounterKey {
        resource: code(RESOURCE),
        scope: scope.map(code),
        drawn_for: None,
    }
}

/// The changes of one tree, each of a command of its own.
pub fn tree(
    namespace: &Namespace,
    tree_id: Uuid,
    is_new: bool,
    changes: Vec<Change>,
) -> TreeCommit {
    let mut head = TreeHead::new(tree_id, 0);
    head.last_at = NOW;
    head.version = 1;
    TreeCommit {
        namespace: namespace.clone(),
        head,
        is_new,
        changes: changes.into_iter().enumerate().collect(),
    }
}

pub async fn commit_set<S: Store>(store: &S, set: CommitSet) -> Result<(), CommitError> {
    store.begin(0, &[], &[]).await.unwrap().commit(set).await
}

/// Commits changes to the tree of [`OWNER`] in the namespace `default`.
pub async fn try_commit<S: Store>(
    store: &S,
    is_new: bool,
    changes: Vec<Change>,
) -> Result<(), CommitError> {
    let trees = vec![tree(&namespace(), OWNER, is_new, changes)];
    commit_set(
        store,
        CommitSet {
            trees,
            ..CommitSet::default()
        },
    )
    .await
}

/// Commits changes to the tree of [`OWNER`], which must work.
pub async fn commit<S: Store>(store: &S, changes: Vec<Change>) {
    try_commit(store, false, changes).await.unwrap();
}

/// Commits nothing but a tree's now.
pub async fn touch<S: Store>(store: &S, last_at: Timestamp) {
    let mut touched = tree(&namespace(), OWNER, false, Vec::new());
    touched.head.last_at = last_at;
    let set = CommitSet {
        trees: vec![touched],
        ..CommitSet::default()
    };
    commit_set(store, set).await.unwrap();
}

/// Makes the tree of most cases: owner, team, user.
pub async fn family<S: Store>(store: &S) {
    let accounts = [
        account(OWNER, None),
        account(TEAM, Some(OWNER)),
        account(USER, Some(TEAM)),
    ];
    try_commit(store, true, accounts.map(created).into())
        .await
        .unwrap();
}

pub async fn load<S: Store>(store: &S, namespace: &Namespace, need: Need) -> Loaded {
    let mut batch = store.begin(0, &[], &[]).await.unwrap();
    batch
        .load(namespace, OWNER, &[need])
        .await
        .unwrap()
        .remove(0)
}

pub async fn part<S: Store>(store: &S, account: Uuid) -> PartRows {
    match load(store, &namespace(), Need::Part(account)).await {
        Loaded::Part(Some(rows)) => *rows,
        other => panic!("{other:?}"),
    }
}

pub async fn sum<S: Store>(
    store: &S,
    level: Uuid,
    counter: CounterKey,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> i128 {
    match load(
        store,
        &namespace(),
        Need::Sum {
            level,
            counter,
            from,
            to,
        },
    )
    .await
    {
        Loaded::Sum(sum) => sum,
        other => panic!("{other:?}"),
    }
}
