//! The main story through the engine on the embedded store, by a clock that the test moves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::ops;
use mec_core::{Command, Quantity, Refusal};
use mec_engine::{EngineError, Target};
use serde_json::Value;
use support::World;
use uuid::Uuid;

#[tokio::test]
async fn a_starter_plan_counts_denies_replays_and_survives_a_restart() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    assert_eq!(world.provision(acme, "starter").await, "5");
    let before = world.check(acme, "benchmark_runs").await;
    assert_eq!(
        (
            &before["decision"],
            &before["quantity_used"],
            &before["quantity_allowed"]
        ),
        (&"allow".into(), &0.into(), &100.into())
    );
    world.meter(acme, "m1", 1).await;
    assert_eq!(
        world.check(acme, "benchmark_runs").await["quantity_used"],
        1
    );
    let first = world.meter(acme, "m2", 99).await;
    let again = world.meter(acme, "m2", 99).await;
    assert_eq!((first.body, again.replayed), (again.body, true));
    let denied = world.check(acme, "benchmark_runs").await;
    assert_eq!(
        (&denied["decision"], &denied["code"]),
        (&"deny".into(), &"limit_reached".into())
    );
    assert_eq!(
        (&denied["quantity_used"], &denied["resets_at"]),
        (&100.into(), &"2026-12-01T00:00:00+00:00".into())
    );
    assert_eq!(world.provision(acme, "starter").await, "5");
    assert_eq!(
        world.check(acme, "benchmark_runs").await["quantity_allowed"],
        100
    );

    let world = world.restart().await;
    assert_eq!(
        world.check(acme, "benchmark_runs").await["quantity_used"],
        100
    );
    assert!(world.meter(acme, "m2", 99).await.replayed);
    world.pass(7 * 86_400);
    assert_eq!(
        world.check(acme, "benchmark_runs").await["quantity_used"],
        0,
        "a new month"
    );
    world.engine.close().await;
    let report = mec_store_sqlite::verify(world.dir.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 2));
}

#[tokio::test]
async fn leases_are_exclusive_and_free_at_their_expiry() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    world.provision(acme, "starter").await;
    let mut last = 0;
    for ttl in [60, 120, 180] {
        let lease = world.acquire(acme, ttl).await;
        assert_eq!(lease["success"], true);
        let token = lease["fencing_token"].as_u64().unwrap();
        assert!(token > last);
        last = token;
    }
    let fourth = world.acquire(acme, 60).await;
    assert_eq!(
        (&fourth["success"], &fourth["code"]),
        (&false.into(), &"limit_reached".into())
    );
    assert_eq!(fourth["resets_at"], "2026-11-24T10:01:00+00:00");
    world.pass(59);
    assert_eq!(world.acquire(acme, 60).await["success"], false);
    world.pass(1);
    assert_eq!(world.acquire(acme, 60).await["success"], true);
}

#[tokio::test]
async fn both_the_user_s_cap_and_the_organization_s_pool_hold() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    world.provision(acme, "starter").await;
    let user = world.account(Some(acme), "user").await;
    let create = ops::entitlement::CreateEntitlement {
        entitlement_id: None,
        resource: "benchmark_runs".into(),
        scope: None,
        limit_kind: LimitKind::Cumulative,
        quantity_allowed: Some(Quantity::from_int(10)),
        unit: None,
        effective_start: None,
        effective_end: None,
        window_type: Some("calendar_day".into()),
        window_anchor: None,
        usage_from: None,
        priority: 0,
        status: EntitlementStatus::Active,
        conditions: Vec::new(),
    };
    world
        .call(
            Target::Account(user),
            None,
            Command::CreateEntitlement(create),
        )
        .await
        .unwrap();
    for n in 0..10 {
        assert_ne!(
            world.consume(user, &format!("u{n}")).await["decision"],
            "deny"
        );
    }
    let denied = world.consume(user, "u10").await;
    assert_eq!(
        (&denied["decision"], &denied["event_id"]),
        (&"deny".into(), &Value::Null)
    );
    assert_eq!(denied["resets_at"], "2026-11-25T00:00:00+00:00");
    assert_eq!(
        world.check(acme, "benchmark_runs").await["quantity_used"],
        10
    );
    world.meter(acme, "rest", 90).await;
    world.pass(86_400);
    let denied = world.consume(user, "u10").await;
    assert_eq!(
        (&denied["decision"], &denied["resets_at"]),
        (&"deny".into(), &"2026-12-01T00:00:00+00:00".into())
    );
}

#[tokio::test]
async fn a_hundred_callers_at_one_limit_get_exactly_what_is_left() {
    let world = Arc::new(World::new());
    let acme = world.account(None, "organization").await;
    world.provision(acme, "starter").await;
    let tasks: Vec<_> = (0..150)
        .map(|n| {
            let world = world.clone();
            tokio::spawn(async move {
                world.consume(acme, &format!("k{n}")).await["decision"] != "deny"
            })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += u32::from(task.await.unwrap());
    }
    assert_eq!(granted, 100);
    assert_eq!(
        world.check(acme, "benchmark_runs").await["quantity_used"],
        100
    );
}

#[tokio::test]
async fn a_key_with_other_arguments_conflicts_and_what_is_unknown_is_said_so() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    world.provision(acme, "starter").await;
    world.meter(acme, "m", 1).await;
    let other = ops::meter::Meter {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::from_int(2),
        unit: None,
        occurred_at: None,
        period_start: None,
        period_end: None,
        details: BTreeMap::new(),
    };
    let error = world
        .call(Target::Account(acme), Some("m"), Command::Meter(other))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        EngineError::Refused(Refusal::IdempotencyConflict)
    ));
    let unknown = world.check(Uuid::now_v7(), "benchmark_runs").await;
    assert_eq!(
        (&unknown["decision"], &unknown["code"]),
        (&"deny".into(), &"account_not_found".into())
    );
    assert_eq!(
        world.check(acme, "nothing").await["code"],
        "unknown_resource_type"
    );
}
