//! What answers tell beside the decision: the `RateLimit` fields, what each limit saw, and whether a
//! call is a repetition.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{Hands, TestApp, service};
use uuid::Uuid;

struct World {
    app: TestApp,
    acme: Uuid,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start_by(Hands::at("2026-11-24T10:00:30Z"));
        let acme = app.starter("acme").await;
        Self { app, acme }
    }

    async fn entitle(&self, mut row: Value) {
        row["account_id"] = json!(self.acme);
        let row = row.to_string();
        let answer = self.app.post("/api/entitlements", &service(), row).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    }

    /// Asserts what the fields of an answer say; none where they are left out.
    #[track_caller]
    fn tells(&self, answer: &support::Answer, policy: Option<&str>, left: Option<&str>) {
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let told = (
            answer.header("ratelimit-policy"),
            answer.header("ratelimit"),
        );
        assert_eq!(told, (policy, left), "{}", answer.text);
    }

    async fn check(&self, resource: &str, quantity: Value) -> support::Answer {
        let asked = json!({"p_external_id": "acme", "p_resource_type": resource, "p_requested_qty": quantity});
        self.app.rpc("check_entitlement", asked).await
    }

    async fn consume(&self, key: &str, resource: &str, quantity: Value) -> support::Answer {
        let used = json!({"p_external_id": "acme", "p_resource_type": resource, "p_quantity": quantity, "p_idempotency_key": key});
        self.app.rpc("consume", used).await
    }
}

#[tokio::test]
async fn the_rate_limit_fields_tell_what_is_left_after_the_request() {
    let world = World::new().await;
    // November has 30 days, of which 6 and 13:59:30 are left.
    let policy = Some("\"quota\";q=100;w=2592000");
    let runs = "benchmark_runs";
    let told = world.check(runs, json!(30)).await;
    world.tells(&told, policy, Some("\"quota\";r=70;t=568770"));
    let told = world.check(runs, json!(0)).await;
    world.tells(&told, policy, Some("\"quota\";r=100;t=568770"));
    let told = world.check(runs, json!(101)).await;
    world.tells(&told, policy, Some("\"quota\";r=100;t=568770"));
    let told = world.consume("a", runs, json!(40)).await;
    world.tells(&told, policy, Some("\"quota\";r=60;t=568770"));
    let told = world.consume("b", runs, json!(61)).await;
    world.tells(&told, policy, Some("\"quota\";r=60;t=568770"));
    let told = world.check(runs, json!(60)).await;
    world.tells(&told, policy, Some("\"quota\";r=0;t=568770"));
}

#[tokio::test]
async fn the_rate_limit_fields_are_whole_numbers_of_the_entitlements_unit() {
    let world = World::new().await;
    let policy = Some("\"quota\";q=25;w=2592000");
    let told = world.consume("a", "gpu_hours", json!("0.5")).await;
    world.tells(&told, policy, Some("\"quota\";r=24;t=568770"));
    let told = world.check("gpu_hours", json!(1)).await;
    world.tells(&told, policy, Some("\"quota\";r=23;t=568770"));
    let told = world.check("server_configs", json!(1)).await;
    world.tells(&told, Some("\"quota\";q=2"), Some("\"quota\";r=1"));
}

#[tokio::test]
async fn without_a_quantity_there_are_no_rate_limit_fields() {
    let world = World::new().await;
    world
        .entitle(json!({"resource_type_code": "llm_tokens", "limit_kind_code": "cumulative"}))
        .await;
    world
        .entitle(json!({"resource_type_code": "platform_access", "limit_kind_code": "time_access"}))
        .await;
    for resource in [
        "llm_tokens",
        "platform_access",
        "ai_models",
        "no_such_thing",
    ] {
        let told = world.check(resource, json!(1)).await;
        world.tells(&told, None, None);
    }
}

#[tokio::test]
async fn explained_answers_tell_what_each_limit_saw() {
    let world = World::new().await;
    let row = json!({"account_type_code": "user", "external_id": "ada", "parent_account_id": world.acme, "account_id": Uuid::new_v4()});
    world
        .app
        .post("/api/accounts", &service(), row.to_string())
        .await;
    let own = json!({"account_id": row["account_id"], "resource_type_code": "benchmark_runs", "resource_scope": "eu",
        "limit_kind_code": "cumulative", "quantity_allowed": 5, "window_type_code": "calendar_day"});
    world
        .app
        .post("/api/entitlements", &service(), own.to_string())
        .await;
    world.consume("a", "benchmark_runs", json!(90)).await.ok();
    let explain = async |scope: Option<&str>| {
        let asked = json!({"p_external_id": "ada", "p_resource_type": "benchmark_runs", "p_requested_qty": 6,
            "p_resource_scope": scope, "p_explain": true});
        world.app.rpc("check_entitlement", asked).await.ok()
    };
    let told = explain(Some("eu")).await;
    let limits = told["limits"].as_array().unwrap();
    let seen: Vec<Value> = limits
        .iter()
        .map(|limit| {
            json!([
                limit["level"],
                limit["account_id"],
                limit["resource_scope"],
                limit["window_type"],
                limit["used"],
                limit["allowed"],
                limit["decision"],
                limit["code"],
                limit["window_end"]
            ])
        })
        .collect();
    let expected = json!([
        [
            0,
            row["account_id"],
            "eu",
            "calendar_day",
            0,
            5,
            "deny",
            "limit_reached",
            "2026-11-25T00:00:00+00:00"
        ],
        [
            1,
            world.acme,
            null,
            "calendar_month",
            90,
            100,
            "warn",
            "warn_threshold",
            "2026-12-01T00:00:00+00:00"
        ],
    ]);
    assert_eq!(json!(seen), expected);
    assert_eq!(
        limits[0]["entitlement_ids"],
        json!([told["entitlement_id"]])
    );
    let plain = json!({"p_external_id": "ada", "p_resource_type": "benchmark_runs"});
    assert_eq!(
        world
            .app
            .rpc("check_entitlement", plain)
            .await
            .ok()
            .get("limits"),
        None
    );

    // A level that has lapsed denies, and what the other limits saw is told all the same.
    let lapsed = json!({"account_id": row["account_id"], "resource_type_code": "gpu_hours",
        "limit_kind_code": "cumulative", "quantity_allowed": 5, "status": "suspended"});
    world
        .app
        .post("/api/entitlements", &service(), lapsed.to_string())
        .await;
    let asked = json!({"p_external_id": "ada", "p_resource_type": "gpu_hours", "p_explain": true});
    let told = world.app.rpc("check_entitlement", asked).await.ok();
    assert_eq!(told["code"], "entitlement_suspended");
    assert_eq!(told["limits"][0]["allowed"], 25, "{told}");
}

#[tokio::test]
async fn the_same_call_in_other_words_is_a_repetition() {
    let world = World::new().await;
    let first = json!({"p_idempotency_key": "k", "p_external_id": "acme", "p_resource_type": "gpu_hours",
        "p_quantity": 1.5, "p_details": {"a": "1"}});
    let answer = world.app.rpc("meter_consumption", first.clone()).await;
    let same = [
        ("p_quantity", json!("1.50")),
        ("p_quantity", json!("15e-1")),
        ("p_unit_code", Value::Null),
        ("p_occurred_at", Value::Null),
        ("p_details", json!({"a": 1})),
    ];
    for (name, value) in same {
        let mut again = first.clone();
        again[name] = value;
        let again = world.app.rpc("meter_consumption", again).await;
        assert_eq!(
            again.header("idempotency-replayed"),
            Some("true"),
            "{name}: {}",
            again.text
        );
        assert_eq!(again.text, answer.text);
    }
    let mut by_id = first.clone();
    by_id.as_object_mut().unwrap().remove("p_external_id");
    by_id["p_account_id"] = json!(world.acme);
    let by_id = world.app.rpc("meter_consumption", by_id).await;
    assert_eq!(
        by_id.header("idempotency-replayed"),
        Some("true"),
        "{}",
        by_id.text
    );
    let other = [
        ("p_quantity", json!(1.51)),
        ("p_resource_scope", json!("eu")),
        ("p_details", Value::Null),
        ("p_details", json!({"a": "1", "b": "2"})),
    ];
    for (name, value) in other {
        let mut again = first.clone();
        again[name] = value;
        let again = world.app.rpc("meter_consumption", again).await;
        again.error(409, "idempotency_conflict");
    }
}

#[tokio::test]
async fn a_deny_leaves_its_key_free() {
    let world = World::new().await;
    for rpc in ["consume", "reserve"] {
        let call = json!({"p_idempotency_key": rpc, "p_external_id": "acme", "p_resource_type": "llm_tokens", "p_quantity": 5});
        for _ in 0..2 {
            let denied = world.app.rpc(rpc, call.clone()).await;
            assert_eq!(denied.header("idempotency-replayed"), None);
            assert_eq!(denied.ok()["decision"], "deny");
        }
    }
    world
        .entitle(json!({"resource_type_code": "llm_tokens", "limit_kind_code": "cumulative", "quantity_allowed": 10}))
        .await;
    for rpc in ["consume", "reserve"] {
        // Other arguments than the denied ones: nothing of them was kept.
        let call = json!({"p_idempotency_key": rpc, "p_external_id": "acme", "p_resource_type": "llm_tokens", "p_quantity": 4});
        let granted = world.app.rpc(rpc, call.clone()).await;
        assert_eq!(granted.header("idempotency-replayed"), None);
        let granted = granted.ok();
        assert_eq!(granted["decision"], "allow");
        let again = world.app.rpc(rpc, call).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.ok(), granted);
    }
}

#[tokio::test]
async fn an_inventory_that_is_already_so_keeps_its_key_all_the_same() {
    let world = World::new().await;
    let set = async |key: &str, quantity: i64| {
        let call = json!({"p_idempotency_key": key, "p_external_id": "acme",
            "p_resource_type": "server_configs", "p_quantity": quantity});
        world.app.rpc("set_inventory", call).await
    };
    assert_eq!(set("zero", 0).await.ok(), Value::Null);
    world.consume("one", "server_configs", json!(1)).await.ok();
    let again = set("zero", 0).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.ok(), Value::Null);
    set("zero", 2).await.error(409, "idempotency_conflict");
    let asked = json!({"p_external_id": "acme", "p_resource_type": "server_configs"});
    assert_eq!(world.app.rpc("get_usage", asked).await.ok(), 1);
}
