//! How long things are kept: answers, decisions, and what tells who a person is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::ops;
use mec_core::{Command, Namespace, Quantity, Refusal};
use mec_engine::{Consistency, EngineConfig, EngineError, Request, RetentionPolicy, Target};
use serde_json::Value;
use support::{World, json};
use uuid::Uuid;

const DAY: i64 = 86_400;

#[tokio::test]
async fn after_its_time_a_replay_carries_the_event_id_and_a_code() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    world.provision(acme, "starter").await;
    let first = world.consume(acme, "k").await;
    world.pass(90 * DAY);
    let policy = RetentionPolicy::default();
    let run = world.engine.apply_retention(policy, 9).await.unwrap();
    assert_eq!(run.dropped.answers, 0, "not older than 90 days");
    assert_eq!(world.consume(acme, "k").await, first);
    world.pass(1);
    let run = world.engine.apply_retention(policy, 9).await.unwrap();
    assert_eq!((run.dropped.answers, run.is_done), (1, true));
    for world in [&world, &world] {
        let replay = world.consume(acme, "k").await;
        assert_eq!(replay["event_id"], first["event_id"]);
        assert_eq!(replay["code"], "replayed");
    }
    let world = world.restart().await;
    assert_eq!(
        world.consume(acme, "k").await["event_id"],
        first["event_id"]
    );
    world.engine.close().await;
    let report = mec_store_sqlite::verify(world.dir.path(), &mut |_| {}).unwrap();
    assert_eq!((report.problem, report.events), (None, 1));
}

#[tokio::test]
async fn a_run_ends_after_its_steps_and_the_next_goes_on() {
    let world = World::new();
    let acme = world.account(None, "organization").await;
    world.provision(acme, "enterprise").await;
    let meter = ops::meter::Meter {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        occurred_at: None,
        period_start: None,
        period_end: None,
        details: BTreeMap::new(),
    };
    // One more than a step drops.
    let requests = (0..2_001).map(|number| Request {
        namespace: Namespace::default_namespace(),
        target: Target::Account(acme),
        command: Command::Meter(meter.clone()),
        key: Some(format!("k{number}").into()),
        by: "test".into(),
        guard: None,
        request_id: None,
        consistency: Consistency::Bounded,
    });
    let outcomes = world.engine.call_all(requests.collect()).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    world.pass(91 * DAY);
    let policy = RetentionPolicy::default();
    for (expected, is_done) in [(2_000, false), (1, true), (0, true)] {
        let run = world.engine.apply_retention(policy, 1).await.unwrap();
        assert_eq!((run.dropped.answers, run.is_done), (expected, is_done));
    }
}

#[tokio::test]
async fn nothing_is_kept_for_less_than_a_day() {
    let world = World::new();
    let policy = RetentionPolicy {
        audit_days: 0,
        ..RetentionPolicy::default()
    };
    match world.engine.apply_retention(policy, 9).await {
        Err(EngineError::Refused(refusal)) => {
            assert_eq!(refusal, Refusal::bad_value("audit_days", "at least 1 day"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn erasing_a_person_blanks_who_it_was_and_keeps_what_was_used() {
    let world = World::new();
    let person = Uuid::now_v7();
    let create = ops::account::CreateAccount {
        account_id: person,
        account_type: "user".into(),
        parent: None,
        external_id: Some("u-1".into()),
        display_name: Some("Ada".into()),
        email: Some("ada@example.org".into()),
        timezone: None,
        metadata: BTreeMap::from([("shoe".into(), "\"38\"".into())]),
        status: AccountStatus::Active,
    };
    let create = Command::CreateAccount(create);
    world
        .call(Target::NewTree(person), None, create)
        .await
        .unwrap();
    world.provision(person, "starter").await;
    world.meter(person, "m", 3).await;
    let erase = async || {
        let target = Target::External("u-1".into());
        json(
            &world
                .call(target, None, Command::EraseAccount)
                .await
                .unwrap(),
        )
    };
    let erased = erase().await;
    for (column, value) in [
        ("display_name", Value::Null),
        ("email", Value::Null),
        ("metadata", serde_json::json!({})),
        ("external_id", "u-1".into()),
    ] {
        assert_eq!(erased[column], value, "{column}");
    }
    world.pass(1);
    assert_eq!(erase().await, erased);
    assert_eq!(
        world.check(person, "benchmark_runs").await["quantity_used"],
        3
    );
    let file = world.dir.path().join("mec.db");
    world.engine.close().await;
    let shown = std::process::Command::new("sqlite3")
        .arg(file)
        .arg("SELECT display_name, email, metadata, external_id FROM accounts;")
        .output()
        .expect("the tests need sqlite3: apt-get install sqlite3");
    assert_eq!(String::from_utf8_lossy(&shown.stdout), "||{}|u-1\n");
}

#[tokio::test]
async fn a_tree_uses_no_more_scopes_than_are_set() {
    let config = EngineConfig {
        max_scopes: 2,
        ..EngineConfig::default()
    };
    let world = World::with(config);
    let acme = world.account(None, "organization").await;
    let meter = async |key: &str, scope: &str| {
        let meter = ops::meter::Meter {
            resource: "benchmark_runs".into(),
            scope: Some(scope.into()),
            quantity: Quantity::ONE,
            unit: None,
            occurred_at: None,
            period_start: None,
            period_end: None,
            details: BTreeMap::new(),
        };
        let metered = world.call(Target::Account(acme), Some(key), Command::Meter(meter));
        metered.await.map(|outcome| outcome.body)
    };
    for (key, scope) in [("1", "a"), ("2", "b"), ("3", "a")] {
        meter(key, scope).await.unwrap();
    }
    match meter("4", "c").await {
        Err(EngineError::Refused(refusal)) => {
            assert_eq!(refusal, Refusal::TooManyScopes { limit: 2 });
        }
        other => panic!("{other:?}"),
    }
}
