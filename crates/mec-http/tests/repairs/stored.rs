//! What is stored is evaluated, and not summed anew.

use super::{RUNS, check, of_acme, put_rules, rule, service_of, use_runs};
use crate::support::{Hands, SECRET, TestApp};
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::LimitKind;
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Namespace, Quantity};
use mec_engine::{Engine, EngineConfig, RisingIds};
use mec_http::{App, router};
use mec_store::memory::MemoryStore;
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The loads of a first check after a start, and those of the next hundred.
async fn loads_of_checks(events: usize) -> (u64, u64) {
    let app = TestApp::start();
    app.starter("acme").await;
    for number in 0..events / 1000 {
        let event = |index: usize| {
            of_acme(
                RUNS,
                json!({"p_idempotency_key": format!("{number} {index}"), "p_quantity": 1, "p_resource_scope": format!("s{}", index % 50)}),
            )
        };
        let many: Vec<Value> = (0..1000).map(event).collect();
        app.rpc("meter_consumptions", json!({ "p_events": many }))
            .await
            .ok();
    }
    app.engine.close().await;
    let TestApp {
        folder,
        engine,
        router: served,
    } = app;
    drop((engine, served));
    let clock = Hands::at("2026-11-24T10:00:30Z");
    let config = SqliteConfig {
        data_dir: folder.path().to_owned(),
        ..SqliteConfig::default()
    };
    let store = Arc::new(SqliteStore::open(&config, clock.clone(), &mut RisingIds).unwrap());
    let engine = Engine::start(store, clock, RisingIds, EngineConfig::default()).unwrap();
    let engine = Arc::new(engine);
    let app = TestApp {
        router: router(App::new(engine.clone(), SECRET.to_owned().into())),
        engine,
        folder,
    };
    let loads = || app.engine.stats().loads.load(Ordering::Relaxed);
    assert_eq!(check(&app, RUNS, 1).await["decision"], "deny");
    let first = loads();
    for _ in 0..100 {
        check(&app, RUNS, 1).await;
    }
    assert_eq!(
        app.engine.stats().checks_in_memory.load(Ordering::Relaxed),
        100
    );
    (first, loads() - first)
}

#[tokio::test]
async fn repair_06_the_cost_of_a_check_does_not_grow_with_the_ledger() {
    let few = loads_of_checks(1_000).await;
    assert_eq!(few.1, 0);
    assert_eq!(loads_of_checks(6_000).await, few);
}

/// An application whose store tells what decisions were logged.
fn in_memory(clock: &Arc<Hands>) -> (TestApp, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new(clock.clone(), &mut RisingIds));
    let config = EngineConfig::default();
    let engine = Engine::start(store.clone(), clock.clone(), RisingIds, config).unwrap();
    let engine = Arc::new(engine);
    let app = TestApp {
        router: router(App::new(engine.clone(), SECRET.to_owned().into())),
        engine,
        folder: tempfile::tempdir().unwrap(),
    };
    (app, store)
}

/// Five above the limit for an hour, for who is in the EU.
fn grace_in_the_eu() -> Rule {
    let in_eu = Condition {
        key: "region".to_owned(),
        op: ConditionOp::Eq,
        value: Some("eu".to_owned()),
    };
    Rule {
        grace_quantity: Quantity::parse("5").ok(),
        grace_window_hours: Some(1),
        conditions: vec![in_eu],
        ..rule(LimitAction::Grace, LimitKind::Cumulative, RUNS)
    }
}

#[tokio::test]
async fn repair_07_conditions_and_grace_windows_are_evaluated() {
    let clock = Hands::at("2026-11-24T10:00:30Z");
    let (app, _) = in_memory(&clock);
    put_rules(&app.engine, "default", vec![grace_in_the_eu()]).await;
    app.starter("acme").await;
    use_runs(&app, "meter_consumption", "m", 100).await.ok();
    let ask = async |region: &str, quantity: i64| {
        let asked = json!({"p_requested_qty": quantity, "p_context": {"region": region}});
        let told = app
            .rpc("check_entitlement", of_acme(RUNS, asked))
            .await
            .ok();
        told["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(ask("us", 1).await, "limit_reached");
    assert_eq!(ask("eu", 5).await, "within_grace");
    assert_eq!(ask("eu", 6).await, "grace_exceeded");
    let above = json!({"p_idempotency_key": "c", "p_quantity": 1, "p_context": {"region": "eu"}});
    let above = app.rpc("consume", of_acme(RUNS, above)).await.ok();
    assert_eq!(above["decision"], "grace");
    clock.pass(3600);
    assert_eq!(ask("eu", 1).await, "within_grace");
    clock.pass(1);
    assert_eq!(ask("eu", 1).await, "grace_exceeded");
    let undone =
        json!({"p_idempotency_key": "x", "p_event_id": above["event_id"], "p_quantity": 0});
    app.rpc("correct_consumption", undone).await.ok();
    assert_eq!(ask("eu", 1).await, "within_grace");
}

#[tokio::test]
async fn repair_07_rules_are_a_namespaces_own_and_a_change_is_obeyed_at_once() {
    let app = TestApp::start();
    let one = |action| vec![rule(action, LimitKind::Cumulative, RUNS)];
    for namespace in ["a", "b"] {
        put_rules(&app.engine, namespace, one(LimitAction::Block)).await;
        let token = service_of(namespace);
        let row = json!({"account_type_code": "organization", "external_id": "acme"}).to_string();
        app.post("/api/accounts", &token, row).await;
        let plan = json!({"p_external_id": "acme", "p_plan_id": "starter"}).to_string();
        app.post("/api/rpc/provision_plan", &token, plan).await.ok();
    }
    let ask = async |namespace: &str| {
        let asked = of_acme(RUNS, json!({"p_requested_qty": 101})).to_string();
        let told = app
            .post("/api/rpc/check_entitlement", &service_of(namespace), asked)
            .await;
        told.ok()["decision"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (ask("a").await.as_str(), ask("b").await.as_str()),
        ("deny", "deny")
    );
    put_rules(&app.engine, "b", one(LimitAction::Overage)).await;
    assert_eq!(
        (ask("a").await.as_str(), ask("b").await.as_str()),
        ("deny", "overage")
    );
}

#[tokio::test]
async fn repair_07_units_convert_and_corrections_count() {
    let app = TestApp::start();
    app.starter("acme").await;
    let half = json!({"p_idempotency_key": "u", "p_quantity": 30, "p_unit_code": "minutes"});
    let event = app
        .rpc("meter_consumption", of_acme("gpu_hours", half))
        .await
        .ok();
    assert_eq!(check(&app, "gpu_hours", 1).await["quantity_used"], 0.5);
    let correct = json!({"p_idempotency_key": "x", "p_event_id": event, "p_quantity": 15});
    app.rpc("correct_consumption", correct).await.ok();
    assert_eq!(check(&app, "gpu_hours", 1).await["quantity_used"], 0.25);
}

#[tokio::test]
async fn repair_07_every_decision_but_a_granted_write_is_logged() {
    let (app, store) = in_memory(&Hands::at("2026-11-24T10:00:30Z"));
    app.starter("acme").await;
    check(&app, RUNS, 1).await;
    check(&app, RUNS, 101).await;
    use_runs(&app, "consume", "a", 80).await.ok();
    use_runs(&app, "consume", "b", 21).await.ok();
    use_runs(&app, "reserve", "c", 22).await.ok();
    check(&app, "no_such_thing", 1).await;
    app.engine.close().await;
    let logged = store.decisions(&Namespace::default_namespace());
    let told: Vec<(&str, i64)> = logged
        .iter()
        .map(|row| {
            (
                row.code,
                i64::try_from(row.requested_quantity.floor_int()).unwrap(),
            )
        })
        .collect();
    let expected = [
        ("within_entitlement", 1),
        ("limit_reached", 101),
        ("limit_reached", 21),
        ("limit_reached", 22),
        ("unknown_resource_type", 1),
    ];
    assert_eq!(told, expected);
}
