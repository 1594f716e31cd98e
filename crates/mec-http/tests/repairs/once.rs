//! What must happen exactly once.

use super::{RUNS, check, create, of_acme, use_runs};
use crate::support::TestApp;
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn repair_01_a_repeated_key_is_an_answer() {
    let app = TestApp::start();
    app.starter("acme").await;
    for (rpc, resource) in [
        ("meter_consumption", RUNS),
        ("consume", RUNS),
        ("reserve", RUNS),
        ("grant_credit", RUNS),
        ("set_inventory", "server_configs"),
    ] {
        let call = |quantity: Value| {
            of_acme(
                resource,
                json!({"p_idempotency_key": rpc, "p_quantity": quantity}),
            )
        };
        let first = app.rpc(rpc, call(json!(2))).await;
        assert_eq!(
            (first.status.as_u16(), first.header("idempotency-replayed")),
            (200, None),
            "{rpc}"
        );
        for quantity in [json!(2), json!("2.0"), json!(2e0)] {
            let again = app.rpc(rpc, call(quantity)).await;
            assert_eq!(again.header("idempotency-replayed"), Some("true"), "{rpc}");
            assert_eq!(
                (again.status, &again.text),
                (first.status, &first.text),
                "{rpc}"
            );
        }
        app.rpc(rpc, call(json!(3)))
            .await
            .error(409, "idempotency_conflict");
    }
    assert_eq!(app.usage("acme").await, 4);
    // One space of keys over all calls.
    let other = use_runs(&app, "consume", "meter_consumption", 2).await;
    other.error(409, "idempotency_conflict");
}

/// Sends the same call, each with a key of its own, from many tasks at once; counts the grants.
async fn granted_of_many(app: &Arc<TestApp>, rpc: &'static str, call: Value) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..30 {
        let (app, mut call) = (app.clone(), call.clone());
        if rpc != "acquire_lease" {
            call["p_idempotency_key"] =
                json!(format!("{rpc} {} {number}", call["p_resource_type"]));
        }
        tasks.spawn(async move { app.rpc(rpc, call).await.ok()["decision"] != "deny" });
    }
    tasks
        .join_all()
        .await
        .into_iter()
        .filter(|granted| *granted)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repair_02_the_last_unit_and_the_last_slot_go_to_exactly_one() {
    let app = Arc::new(TestApp::start());
    app.starter("acme").await;
    use_runs(&app, "meter_consumption", "m", 98).await.ok();
    let one = of_acme(RUNS, json!({"p_quantity": 1}));
    assert_eq!(
        granted_of_many(&app, "consume", of_acme(RUNS, json!({"p_quantity": 2}))).await,
        1
    );
    assert_eq!(granted_of_many(&app, "reserve", one.clone()).await, 0);
    let grant = json!({"p_idempotency_key": "g", "p_quantity": 1});
    app.rpc("grant_credit", of_acme(RUNS, grant)).await.ok();
    assert_eq!(granted_of_many(&app, "reserve", one).await, 1);
    let users = of_acme("concurrent_users", json!({"p_slots": 2}));
    assert_eq!(granted_of_many(&app, "acquire_lease", users).await, 1);
    let configs = of_acme("server_configs", json!({"p_quantity": 2}));
    assert_eq!(
        granted_of_many(
            &app,
            "consume",
            json!({"p_external_id": "acme", "p_resource_type": "server_instances", "p_quantity": 3})
        )
        .await,
        3
    );
    assert_eq!(granted_of_many(&app, "reserve", configs).await, 1);
}

#[tokio::test]
async fn repair_08_provisioning_a_plan_again_doubles_nothing() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    let plan = json!({"p_account_id": acme, "p_plan_id": "starter"});
    for _ in 0..3 {
        assert_eq!(app.rpc("provision_plan", plan.clone()).await.ok(), 5);
    }
    assert_eq!(check(&app, RUNS, 1).await["quantity_allowed"], 100);
    let second = json!({"p_account_id": acme, "p_plan_id": "pro"});
    let refused = app
        .rpc("provision_plan", second)
        .await
        .error(409, "plan_conflict");
    assert!(
        refused["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("change_plan"))
    );
}

#[tokio::test]
async fn repair_13_a_top_up_adds_to_the_plans_quota() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    let grant = json!({"p_idempotency_key": "g", "p_quantity": 10});
    app.rpc("grant_credit", of_acme(RUNS, grant)).await.ok();
    let told = check(&app, RUNS, 110).await;
    assert_eq!(
        (&told["decision"], &told["quantity_remaining"]),
        (&json!("allow"), &json!(110))
    );
    let row = json!({"account_id": acme, "resource_type_code": RUNS, "limit_kind_code": "cumulative",
        "quantity_allowed": 20, "window_type_code": "calendar_month"});
    assert_eq!(create(&app, "entitlements", row).await.status.as_u16(), 201);
    assert_eq!(check(&app, RUNS, 130).await["decision"], "allow");
    assert_eq!(check(&app, RUNS, 131).await["decision"], "deny");
}
