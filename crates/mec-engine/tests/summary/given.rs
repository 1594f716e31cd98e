//! Accounts with limits, what is used of them, and what is told.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::ops;
use mec_core::ops::summary::LimitState;
use mec_core::{Command, Namespace, Quantity, Timestamp};
use mec_engine::{Consistency, EngineError, Target};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{self, World};

const ENTITLED: &str = "2026-11-01T00:00:00Z";

/// An entitlement of a resource, kind, window type and quantity, in force since the month's beginning.
pub fn entitled(
    resource: &str,
    limit_kind: LimitKind,
    window_type: Option<&str>,
    quantity: Option<i64>,
) -> ops::entitlement::CreateEntitlement {
    ops::entitlement::CreateEntitlement {
        entitlement_id: None,
        resource: resource.into(),
        scope: None,
        limit_kind,
        quantity_allowed: quantity.map(Quantity::from_int),
        unit: None,
        effective_start: Some(Timestamp::parse(ENTITLED).unwrap()),
        effective_end: None,
        window_type: window_type.map(Into::into),
        window_anchor: None,
        usage_from: None,
        priority: 0,
        status: EntitlementStatus::Active,
        conditions: Vec::new(),
    }
}

pub async fn give(
    world: &World,
    account: Uuid,
    entitlement: ops::entitlement::CreateEntitlement,
) -> Uuid {
    let command = Command::CreateEntitlement(entitlement);
    let outcome = world.call(Target::Account(account), None, command).await;
    outcome.unwrap().made.unwrap()
}

pub async fn meter(world: &World, account: Uuid, resource: &str, quantity: i64, at: &str) {
    let meter = ops::meter::Meter {
        resource: resource.into(),
        scope: None,
        quantity: Quantity::from_int(quantity),
        unit: None,
        occurred_at: Some(Timestamp::parse(at).unwrap()),
        period_start: None,
        period_end: None,
        details: BTreeMap::new(),
    };
    let key = Uuid::now_v7().to_string();
    world
        .call(Target::Account(account), Some(&key), Command::Meter(meter))
        .await
        .unwrap();
}

pub async fn reserve(world: &World, account: Uuid, resource: &str, quantity: i64) {
    let reserve = ops::reserve::Reserve {
        resource: resource.into(),
        scope: None,
        quantity: Quantity::from_int(quantity),
        unit: None,
        context: BTreeMap::new(),
        ttl_seconds: 600,
    };
    let command = Command::Reserve(reserve);
    let told = world.call(Target::Account(account), None, command).await;
    assert_eq!(support::json(&told.unwrap())["decision"], "allow");
}

pub async fn grant(
    world: &World,
    account: Uuid,
    resource: &str,
    quantity: i64,
    scope: Option<&str>,
) {
    let grant = ops::grant::GrantCredit {
        grant_id: None,
        resource: resource.into(),
        scope: scope.map(Into::into),
        quantity: Quantity::from_int(quantity),
        window_type: Some("calendar_month".into()),
        priority: 0,
        expires_at: None,
        reason: None,
    };
    let command = Command::GrantCredit(grant);
    world
        .call(Target::Account(account), None, command)
        .await
        .unwrap();
}

pub async fn summary_of(world: &World, accounts: Vec<Uuid>) -> Vec<LimitState> {
    summary_within(world, accounts, None).await.unwrap()
}

pub async fn summary_within(
    world: &World,
    accounts: Vec<Uuid>,
    guard: Option<Uuid>,
) -> Result<Vec<LimitState>, EngineError> {
    let namespace = Namespace::default_namespace();
    let summary = world
        .engine
        .usage_summary(&namespace, accounts, guard, Consistency::Bounded);
    summary.await
}

/// The figures of a limit in the order of their columns.
pub fn figures(state: &LimitState) -> Value {
    json!([
        state.resource_type_code,
        state.limit_kind_code,
        state.window_type_code,
        state.quantity_allowed,
        state.quantity_used,
        state.quantity_reserved,
        state.quantity_granted,
        state.quantity_remaining,
        state.percent_used,
        state.resets_at,
    ])
}

pub async fn told(world: &World, account: Uuid) -> Vec<Value> {
    let states = summary_of(world, vec![account]).await;
    states.iter().map(figures).collect()
}

/// An account with a limit of each kind, most of them used.
pub async fn with_all_kinds(world: &World) -> Uuid {
    use LimitKind::{Concurrency, Cumulative, Inventory, TimeAccess};
    let acme = world.account(None, "organization").await;
    for entitlement in [
        entitled(
            "benchmark_runs",
            Cumulative,
            Some("calendar_month"),
            Some(100),
        ),
        entitled("api_requests", Cumulative, Some("rolling_24h"), Some(1000)),
        entitled("gpu_hours", Cumulative, Some("calendar_day"), None),
        entitled("concurrent_users", Concurrency, None, Some(4)),
        entitled("server_configs", Inventory, None, Some(3)),
        entitled("platform_access", TimeAccess, None, None),
    ] {
        give(world, acme, entitlement).await;
    }
    meter(world, acme, "benchmark_runs", 30, "2026-11-02T00:00:00Z").await;
    meter(world, acme, "api_requests", 250, "2026-11-23T12:34:56Z").await;
    meter(world, acme, "api_requests", 50, "2026-11-24T09:00:00Z").await;
    meter(world, acme, "gpu_hours", 7, "2026-11-24T01:00:00Z").await;
    meter(world, acme, "server_configs", 2, "2026-11-24T01:00:00Z").await;
    assert_eq!(world.acquire(acme, 60).await["success"], true);
    reserve(world, acme, "benchmark_runs", 5).await;
    grant(world, acme, "benchmark_runs", 20, None).await;
    acme
}

/// How often the store was asked for parts and sums, what the Journal took, and what was logged.
pub fn work(world: &World) -> [u64; 3] {
    let stats = world.engine.stats();
    [&stats.loads, &stats.commands, &stats.decisions_logged]
        .map(|count| count.load(Ordering::SeqCst))
}
