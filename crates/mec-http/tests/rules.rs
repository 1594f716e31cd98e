//! The rules of limits, grants, reservations, inventories and plans, each seen from outside, by a
//! clock that the test moves.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::{Hands, TestApp, post, service};
use uuid::Uuid;

struct World {
    app: TestApp,
    clock: Arc<Hands>,
    acme: Uuid,
}

impl World {
    async fn new() -> Self {
        let clock = Hands::at("2026-11-24T10:00:30Z");
        let app = TestApp::start_by(clock.clone());
        let acme = app.starter("acme").await;
        Self { app, clock, acme }
    }

    async fn ask(&self, rpc: &str, mut arguments: Value) -> Value {
        let arguments_of_acme = arguments.as_object_mut().unwrap();
        arguments_of_acme.insert("p_external_id".to_owned(), "acme".into());
        self.app.rpc(rpc, arguments).await.ok()
    }

    async fn runs(&self, rpc: &str, key: &str, quantity: i64) -> Value {
        let of = json!({"p_idempotency_key": key, "p_resource_type": "benchmark_runs", "p_quantity": quantity});
        self.ask(rpc, of).await
    }

    /// Used, reserved and remaining of the deciding limit.
    async fn state(&self, resource: &str) -> (i64, i64, i64) {
        let asked = json!({"p_resource_type": resource, "p_requested_qty": 0});
        let told = self.ask("check_entitlement", asked).await;
        let of = |field: &str| told[field].as_i64().unwrap();
        (
            of("quantity_used"),
            of("quantity_reserved"),
            of("quantity_remaining"),
        )
    }

    async fn entitle(&self, mut row: Value) {
        row["account_id"] = json!(self.acme);
        let answer = self
            .app
            .post("/api/entitlements", &service(), row.to_string())
            .await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    }

    async fn verified(self) -> u64 {
        self.app.engine.close().await;
        let report = mec_store_sqlite::verify(self.app.folder.path(), &mut |_| {}).unwrap();
        assert_eq!(report.problem, None);
        report.events
    }
}

#[tokio::test]
async fn a_taken_id_leaves_the_tree_that_has_it_untouched() {
    let world = World::new().await;
    let lease = json!({"p_resource_type": "concurrent_users"});
    let first = world.ask("acquire_lease", lease.clone()).await;
    world.runs("meter_consumption", "a", 1).await;
    let row = json!({"account_id": world.acme, "account_type_code": "organization"}).to_string();
    let refused = world.app.post("/api/accounts", &service(), row).await;
    refused.error(409, "already_exists");
    let second = world.ask("acquire_lease", lease).await;
    assert!(second["fencing_token"].as_u64().unwrap() > first["fencing_token"].as_u64().unwrap());
    world.runs("meter_consumption", "b", 1).await;
    assert_eq!(world.verified().await, 2);
}

#[tokio::test]
async fn many_at_one_new_id_make_one_account() {
    let app = TestApp::start();
    let row = json!({"account_type_code": "organization", "external_id": "new"}).to_string();
    let mut calls = Vec::new();
    for _ in 0..20 {
        let request = post("/api/accounts", &service());
        let request = request.body(row.clone().into()).unwrap();
        calls.push(app.send(request));
    }
    let answers = futures_join(calls).await;
    let made = answers.iter().filter(|status| **status == 201).count();
    let refused = answers.iter().filter(|status| **status == 409).count();
    assert_eq!((made, refused), (1, 19));
}

async fn futures_join(calls: Vec<impl Future<Output = support::Answer>>) -> Vec<u16> {
    let mut waiting: Vec<_> = calls.into_iter().map(Box::pin).map(Some).collect();
    let mut answers = vec![0; waiting.len()];
    std::future::poll_fn(|context| {
        let mut all = true;
        for (call, answer) in waiting.iter_mut().zip(&mut answers) {
            if let Some(pending) = call {
                match pending.as_mut().poll(context) {
                    std::task::Poll::Ready(done) => {
                        *answer = done.status.as_u16();
                        *call = None;
                    }
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    answers
}

#[tokio::test]
async fn a_grant_lifts_the_limit_is_drawn_and_given_back() {
    let world = World::new().await;
    let grant =
        json!({"p_idempotency_key": "g", "p_resource_type": "benchmark_runs", "p_quantity": 10});
    let grant = world.ask("grant_credit", grant).await;
    assert_eq!(world.state("benchmark_runs").await, (0, 0, 110));
    let event = world.runs("consume", "c", 105).await;
    assert_eq!(
        (&event["quantity_used"], &event["quantity_remaining"]),
        (&json!(100), &json!(5))
    );
    assert_eq!(world.state("benchmark_runs").await, (100, 0, 5));
    let correct =
        json!({"p_idempotency_key": "x", "p_event_id": event["event_id"], "p_quantity": 102});
    world.app.rpc("correct_consumption", correct).await.ok();
    assert_eq!(world.state("benchmark_runs").await, (100, 0, 8));
    let voided = world
        .app
        .rpc("void_grant", json!({"p_grant_id": grant}))
        .await;
    assert_eq!(voided.ok(), 8);
    assert_eq!(world.state("benchmark_runs").await, (100, 0, 0));
    assert_eq!(world.runs("consume", "d", 1).await["decision"], "deny");
    let used = json!({"p_resource_type": "benchmark_runs"});
    assert_eq!(world.ask("get_usage", used).await, 102);
    assert_eq!(world.verified().await, 2);
}

#[tokio::test]
async fn an_open_reservation_holds_quota_and_grants() {
    let world = World::new().await;
    world.runs("meter_consumption", "m", 95).await;
    let grant =
        json!({"p_idempotency_key": "g", "p_resource_type": "benchmark_runs", "p_quantity": 5});
    world.ask("grant_credit", grant).await;
    let held = world.runs("reserve", "r", 8).await;
    assert_eq!(world.state("benchmark_runs").await, (95, 8, 2));
    assert_eq!(world.runs("consume", "c", 3).await["decision"], "deny");
    // A fact is recorded whatever is held; the grant stays the reservation's.
    world.runs("meter_consumption", "n", 7).await;
    assert_eq!(world.state("benchmark_runs").await.0, 100);
    let commit = json!({"p_reservation_id": held["reservation_id"]});
    world
        .app
        .rpc("commit_reservation", commit.clone())
        .await
        .ok();
    assert_eq!(world.state("benchmark_runs").await, (105, 0, 0));
    let again = world.app.rpc("commit_reservation", commit).await;
    assert_eq!(again.status.as_u16(), 200);
    let used = json!({"p_resource_type": "benchmark_runs"});
    assert_eq!(world.ask("get_usage", used).await, 110);
    assert_eq!(world.verified().await, 3);
}

#[tokio::test]
async fn an_unfinished_reservation_ends_by_itself_and_a_late_commit_says_so() {
    let world = World::new().await;
    let held = world.runs("reserve", "r", 100).await;
    world.clock.pass(299);
    assert_eq!(world.runs("consume", "c", 1).await["decision"], "deny");
    world.clock.pass(1);
    assert_eq!(world.runs("consume", "c", 1).await["decision"], "allow");
    let commit = json!({"p_reservation_id": held["reservation_id"]});
    let late = world.app.rpc("commit_reservation", commit).await;
    assert_eq!(late.header("mec-late"), Some("true"));
    late.ok();
    assert_eq!(world.state("benchmark_runs").await, (101, 0, 0));
}

#[tokio::test]
async fn a_cap_for_one_scope_holds_inside_the_cap_for_all() {
    let world = World::new().await;
    world
        .entitle(json!({"resource_type_code": "benchmark_runs", "resource_scope": "model:a",
            "limit_kind_code": "cumulative", "quantity_allowed": 10, "window_type_code": "calendar_month"}))
        .await;
    let consume = |key: &str, scope: &str, quantity: i64| {
        world.ask(
            "consume",
            json!({"p_idempotency_key": key, "p_resource_type": "benchmark_runs",
                   "p_resource_scope": scope, "p_quantity": quantity}),
        )
    };
    assert_ne!(consume("1", "model:a", 10).await["decision"], "deny");
    assert_eq!(consume("2", "model:a", 1).await["quantity_allowed"], 10);
    assert_ne!(consume("3", "model:b", 90).await["decision"], "deny");
    let denied = consume("4", "model:b", 1).await;
    assert_eq!(
        (&denied["decision"], &denied["quantity_allowed"]),
        (&json!("deny"), &json!(100))
    );
}

#[tokio::test]
async fn an_inventory_goes_up_and_down_and_never_below_zero() {
    let world = World::new().await;
    let configs = |rpc: &'static str, key: &str, quantity: i64| {
        let of = json!({"p_idempotency_key": key, "p_external_id": "acme",
                        "p_resource_type": "server_configs", "p_quantity": quantity});
        world.app.rpc(rpc, of)
    };
    assert_eq!(configs("consume", "1", 2).await.ok()["decision"], "allow");
    assert_eq!(configs("consume", "2", 1).await.ok()["decision"], "deny");
    assert_eq!(configs("consume", "3", -1).await.ok()["decision"], "allow");
    configs("consume", "4", -2)
        .await
        .error(422, "inventory_below_zero");
    assert!(configs("set_inventory", "5", 5).await.ok().is_string());
    assert!(configs("set_inventory", "6", 5).await.ok().is_null());
    let asked = json!({"p_resource_type": "server_configs"});
    assert_eq!(world.ask("get_usage", asked.clone()).await, 5);
    assert_eq!(
        world.ask("check_entitlement", asked).await["decision"],
        "deny"
    );
    assert_eq!(world.verified().await, 3);
}

#[tokio::test]
async fn a_rolling_window_frees_up_when_it_says() {
    let world = World::new().await;
    world
        .entitle(
            json!({"resource_type_code": "llm_tokens", "limit_kind_code": "cumulative",
            "quantity_allowed": 10, "window_type_code": "rolling_24h"}),
        )
        .await;
    let tokens = |key: &str, quantity: i64| {
        world.ask(
            "consume",
            json!({"p_idempotency_key": key, "p_resource_type": "llm_tokens", "p_quantity": quantity}),
        )
    };
    assert_eq!(tokens("1", 6).await["decision"], "allow");
    world.clock.pass(3600);
    assert_eq!(tokens("2", 4).await["decision"], "allow");
    let denied = tokens("3", 1).await;
    assert_eq!(denied["resets_at"], "2026-11-25T10:01:00+00:00");
    assert_eq!(
        tokens("4", 7).await["resets_at"],
        "2026-11-25T11:01:00+00:00"
    );
    assert_eq!(tokens("5", 11).await["resets_at"], Value::Null);
    // 22 hours, 59 minutes and 59 seconds on it is 10:00:29 of the next day, a second before the end.
    world.clock.pass(23 * 3600 + 29);
    assert_eq!(tokens("6", 1).await["decision"], "deny");
    world.clock.pass(1);
    assert_eq!(tokens("7", 6).await["decision"], "allow");
    assert_eq!(
        tokens("8", 1).await["resets_at"],
        "2026-11-25T11:01:00+00:00"
    );
}

#[tokio::test]
async fn a_change_of_plan_keeps_usage_or_starts_anew_at_the_very_moment() {
    let world = World::new().await;
    let before = world.runs("consume", "a", 50).await;
    let change = |from: &str, to: &str, carry: bool| {
        world.ask(
            "change_plan",
            json!({"p_from_plan_id": from, "p_to_plan_id": to, "p_carry_over": carry}),
        )
    };
    assert_eq!(change("starter", "pro", true).await, 10);
    assert_eq!(change("starter", "pro", true).await, 0);
    assert_eq!(world.state("benchmark_runs").await, (50, 0, 450));
    world.clock.pass(1);
    change("pro", "enterprise", false).await;
    assert_eq!(world.state("benchmark_runs").await, (0, 0, 5000));
    world.runs("consume", "b", 3).await;
    let correct =
        json!({"p_idempotency_key": "x", "p_event_id": before["event_id"], "p_quantity": 0});
    world.app.rpc("correct_consumption", correct).await.ok();
    assert_eq!(world.state("benchmark_runs").await, (3, 0, 4997));
    assert_eq!(world.verified().await, 3);
}

#[tokio::test]
async fn several_entitlements_of_one_limit_add_up_and_a_higher_priority_overrides() {
    let world = World::new().await;
    let more = |priority: i64| {
        json!({"resource_type_code": "benchmark_runs", "limit_kind_code": "cumulative",
               "quantity_allowed": 20, "window_type_code": "calendar_month", "priority": priority})
    };
    world.entitle(more(0)).await;
    assert_eq!(world.state("benchmark_runs").await, (0, 0, 120));
    world.entitle(more(7)).await;
    assert_eq!(world.state("benchmark_runs").await, (0, 0, 20));
}

#[tokio::test]
async fn sums_are_in_the_smallest_unit_and_exact() {
    let world = World::new().await;
    for (key, quantity, unit) in [
        ("1", json!(90), "minutes"),
        ("2", json!("0.000001"), "hours"),
    ] {
        world
            .ask(
                "meter_consumption",
                json!({"p_idempotency_key": key, "p_resource_type": "gpu_hours",
                       "p_quantity": quantity, "p_unit_code": unit}),
            )
            .await;
    }
    let used = json!({"p_external_id": "acme", "p_resource_type": "gpu_hours"});
    assert_eq!(world.app.rpc("get_usage", used).await.text, "1.500001");
}

#[tokio::test]
async fn a_suspended_account_is_not_served_but_its_facts_are_recorded() {
    let app = TestApp::start();
    let row =
        json!({"account_type_code": "organization", "external_id": "acme", "status": "suspended"});
    app.post("/api/accounts", &service(), row.to_string()).await;
    let runs = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    let told = app.rpc("check_entitlement", runs.clone()).await.ok();
    assert_eq!(told["code"], "account_suspended");
    let fact = json!({"p_idempotency_key": "k", "p_external_id": "acme",
                      "p_resource_type": "benchmark_runs", "p_quantity": 2});
    app.rpc("meter_consumption", fact).await.ok();
    assert_eq!(app.rpc("get_usage", runs).await.ok(), 2);
}
