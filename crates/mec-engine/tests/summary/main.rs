//! What the summary of an account tells, against what a check tells of the same limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod given;
#[path = "../support/mod.rs"]
mod support;

use given::{
    entitled, give, grant, meter, reserve, summary_of, summary_within, told, with_all_kinds, work,
};
use mec_core::account::AccountStatus;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::ops;
use mec_core::ops::summary::LimitState;
use mec_core::{Command, Quantity, Timestamp};
use mec_engine::{EngineError, MAX_SUMMARIES, Target};
use serde_json::{Value, json};
use support::World;
use uuid::Uuid;

#[tokio::test]
async fn a_summary_tells_each_limit_of_an_account_in_order_before_and_after_a_restart() {
    let world = World::new();
    let acme = with_all_kinds(&world).await;
    let expected = json!([
        [
            "api_requests",
            "cumulative",
            "rolling_24h",
            1000,
            300,
            0,
            0,
            700,
            30,
            "2026-11-24T12:35:00+00:00"
        ],
        [
            "benchmark_runs",
            "cumulative",
            "calendar_month",
            100,
            30,
            5,
            20,
            85,
            30,
            "2026-12-01T00:00:00+00:00"
        ],
        [
            "concurrent_users",
            "concurrency",
            "none",
            4,
            1,
            0,
            0,
            3,
            25,
            "2026-11-24T10:01:00+00:00"
        ],
        [
            "gpu_hours",
            "cumulative",
            "calendar_day",
            null,
            7,
            0,
            0,
            null,
            null,
            null
        ],
        [
            "platform_access",
            "time_access",
            "none",
            null,
            0,
            0,
            0,
            null,
            null,
            null
        ],
        [
            "server_configs",
            "inventory",
            "none",
            3,
            2,
            0,
            0,
            1,
            66.666667,
            null
        ],
    ]);
    assert_eq!(json!(told(&world, acme).await), expected);
    let world = world.restart().await;
    assert_eq!(json!(told(&world, acme).await), expected);
    world.engine.close().await;
}

#[tokio::test]
async fn a_summary_reads_what_checks_read_and_the_next_one_nothing() {
    let world = World::new();
    let acme = with_all_kinds(&world).await;
    let world = world.restart().await;
    for resource in [
        "api_requests",
        "benchmark_runs",
        "concurrent_users",
        "gpu_hours",
        "platform_access",
        "server_configs",
    ] {
        world.check(acme, resource).await;
    }
    let [loads, commands, logged] = work(&world);
    let first = told(&world, acme).await;
    // Of the rolling window the minutes of the hour that leaves it first, as a check that denies reads them.
    assert_eq!(work(&world), [loads + 1, commands + 1, logged]);
    assert_eq!(told(&world, acme).await, first);
    assert_eq!(work(&world), [loads + 1, commands + 1, logged]);
    meter(&world, acme, "benchmark_runs", 3, "2026-11-24T10:00:00Z").await;
    let [loads, commands, _] = work(&world);
    assert_eq!(told(&world, acme).await[1][4], 33);
    assert_eq!(work(&world), [loads, commands, logged]);
    world.engine.close().await;
}

#[tokio::test]
async fn each_account_tells_its_own_limits_with_the_usage_below_it() {
    let world = World::new();
    let month = || {
        entitled(
            "benchmark_runs",
            LimitKind::Cumulative,
            Some("calendar_month"),
            Some(10),
        )
    };
    let acme = world.account(None, "organization").await;
    let team = world.account(Some(acme), "team").await;
    let user = world.account(Some(team), "user").await;
    let other = world.account(None, "organization").await;
    give(&world, acme, month()).await;
    give(&world, team, month()).await;
    give(&world, other, month()).await;
    for (account, quantity) in [(acme, 1), (team, 2), (user, 4)] {
        meter(
            &world,
            account,
            "benchmark_runs",
            quantity,
            "2026-11-24T10:00:00Z",
        )
        .await;
    }
    let used = |states: Vec<LimitState>| -> Vec<(Uuid, Quantity)> {
        states
            .iter()
            .map(|s| (s.account_id, s.quantity_used))
            .collect()
    };
    let [all, below] = [7, 6].map(Quantity::from_int);
    let unknown = Uuid::now_v7();
    let world = world.restart().await;
    for _ in ["from the store", "from memory"] {
        let asked = vec![team, unknown, user, acme, other];
        let everything = vec![(team, below), (acme, all), (other, Quantity::ZERO)];
        assert_eq!(used(summary_of(&world, asked.clone()).await), everything);
        let guarded = summary_within(&world, asked.clone(), Some(team))
            .await
            .unwrap();
        assert_eq!(used(guarded), [(team, below)]);
        assert!(
            summary_within(&world, asked, Some(user))
                .await
                .unwrap()
                .is_empty()
        );
    }
    let set = ops::account::SetStatus {
        status: AccountStatus::Suspended,
    };
    let command = Command::SetAccountStatus(set);
    world
        .call(Target::Account(acme), None, command)
        .await
        .unwrap();
    assert_eq!(used(summary_of(&world, vec![acme]).await), [(acme, all)]);
    assert!(summary_of(&world, vec![acme; MAX_SUMMARIES]).await.len() == MAX_SUMMARIES);
    let too_many = summary_within(&world, vec![acme; MAX_SUMMARIES + 1], None).await;
    assert!(
        matches!(too_many, Err(EngineError::Refused(refusal)) if refusal.code() == "invalid_value")
    );
    world.engine.close().await;
}

#[tokio::test]
async fn a_limit_is_told_while_its_entitlements_are_in_force_without_a_context() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    let month = || {
        entitled(
            "benchmark_runs",
            LimitKind::Cumulative,
            Some("calendar_month"),
            Some(10),
        )
    };
    let only_if = |key: &str, value: &str| Condition {
        key: key.to_owned(),
        op: ConditionOp::Eq,
        value: Some(value.to_owned()),
    };
    let until = |end: &str| Some(Timestamp::parse(end).unwrap());
    for entitlement in [
        ops::entitlement::CreateEntitlement {
            status: EntitlementStatus::Suspended,
            ..month()
        },
        ops::entitlement::CreateEntitlement {
            effective_end: until("2026-11-24T09:00:00Z"),
            ..month()
        },
        ops::entitlement::CreateEntitlement {
            effective_start: until("2026-11-24T10:05:00Z"),
            ..month()
        },
        ops::entitlement::CreateEntitlement {
            conditions: vec![only_if("region", "eu")],
            ..month()
        },
    ] {
        give(&world, acme, entitlement).await;
    }
    assert!(summary_of(&world, vec![acme]).await.is_empty());
    let of_organizations = vec![only_if("mec.account_type", "organization")];
    let first = give(
        &world,
        acme,
        ops::entitlement::CreateEntitlement {
            conditions: of_organizations,
            ..month()
        },
    )
    .await;
    world.pass(1);
    let second = give(&world, acme, month()).await;
    let [state] = summary_of(&world, vec![acme]).await.try_into().unwrap();
    assert_eq!(
        (state.entitlement_id, state.entitlement_ids),
        (Some(first), vec![first, second])
    );
    assert_eq!(state.quantity_allowed, Some(Quantity::from_int(20)));
    assert_eq!((&*state.unit_code, state.plan_id), ("count", None));
    world.pass(300);
    let [state] = summary_of(&world, vec![acme]).await.try_into().unwrap();
    assert_eq!(state.quantity_allowed, Some(Quantity::from_int(30)));
    assert_eq!(world.provision(acme, "starter").await, "5");
    let states = summary_of(&world, vec![acme]).await;
    let of_plan = states
        .iter()
        .filter(|state| state.plan_id.as_deref() == Some("starter"));
    assert_eq!((states.len(), of_plan.count()), (5, 4));
    world.engine.close().await;
}

#[tokio::test]
async fn grants_without_an_entitlement_are_limits_of_each_scope_that_they_lift() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    grant(&world, acme, "benchmark_runs", 5, None).await;
    grant(&world, acme, "benchmark_runs", 3, Some("eu")).await;
    let figures = |states: Vec<LimitState>| -> Vec<Value> {
        let row = |s: &LimitState| {
            assert_eq!((s.entitlement_id, s.entitlement_ids.len()), (None, 0));
            json!([
                s.resource_scope,
                s.quantity_allowed,
                s.quantity_granted,
                s.quantity_remaining,
                s.percent_used
            ])
        };
        states.iter().map(row).collect()
    };
    let expected = [json!([null, 0, 5, 5, 100]), json!(["eu", 0, 8, 8, 100])];
    assert_eq!(figures(summary_of(&world, vec![acme]).await), expected);
    let scoped = ops::entitlement::CreateEntitlement {
        scope: Some("us".into()),
        ..entitled(
            "benchmark_runs",
            LimitKind::Cumulative,
            Some("calendar_month"),
            Some(10),
        )
    };
    let entitlement = give(&world, acme, scoped).await;
    let states = summary_of(&world, vec![acme]).await;
    let of_us = states
        .iter()
        .find(|s| s.resource_scope.as_deref() == Some("us"))
        .unwrap();
    assert_eq!((states.len(), of_us.entitlement_id), (3, Some(entitlement)));
    assert_eq!(of_us.quantity_granted, Quantity::from_int(5));
    world.engine.close().await;
}

#[tokio::test]
async fn a_rolling_limit_frees_up_next_when_a_reservation_ends_or_usage_leaves() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    let rolling = entitled(
        "api_requests",
        LimitKind::Cumulative,
        Some("rolling_24h"),
        Some(10),
    );
    give(&world, acme, rolling).await;
    assert_eq!(told(&world, acme).await[0][9], Value::Null);
    meter(&world, acme, "api_requests", 12, "2026-11-24T09:58:00Z").await;
    assert_eq!(told(&world, acme).await[0][9], "2026-11-25T09:59:00+00:00");
    assert_eq!(told(&world, acme).await[0][7], 0);
    world.pass(24 * 3600);
    assert_eq!(told(&world, acme).await[0][4], 0);
    reserve(&world, acme, "api_requests", 1).await;
    assert_eq!(told(&world, acme).await[0][9], "2026-11-25T10:10:00+00:00");
    world.engine.close().await;
}
