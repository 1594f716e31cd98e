//! The repairs of the plan's design, one test or more each, as a client sees them. Two concern the
//! other store: TRUNCATE (17), whose counterparts here stand in the embedded store's
//! `tests/guards.rs`, and connections that are pooled with a caller's claims (18), which exist there
//! alone; here one connection serves many callers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "repairs/callers.rs"]
mod callers;
#[path = "repairs/decisions.rs"]
mod decisions;
#[path = "repairs/once.rs"]
mod once;
#[path = "repairs/plan.rs"]
mod plan;
#[path = "repairs/stored.rs"]
mod stored;
mod support;

use mec_core::entitlement::LimitKind;
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Namespace, Timestamp, seed};
use mec_engine::{Engine, RisingIds};
use mec_http::{Claims, Role};
use mec_store::CatalogueDraft;
use serde_json::{Value, json};
use support::{Answer, TestApp, claims, service, sign};
use uuid::Uuid;

pub const RUNS: &str = "benchmark_runs";

/// A call about the account `acme`.
pub fn of_acme(resource: &str, more: Value) -> Value {
    let mut arguments = json!({"p_external_id": "acme", "p_resource_type": resource});
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

pub async fn check(app: &TestApp, resource: &str, quantity: i64) -> Value {
    let asked = of_acme(resource, json!({ "p_requested_qty": quantity }));
    app.rpc("check_entitlement", asked).await.ok()
}

pub async fn use_runs(app: &TestApp, rpc: &str, key: &str, quantity: i64) -> Answer {
    let used = json!({"p_idempotency_key": key, "p_quantity": quantity});
    app.rpc(rpc, of_acme(RUNS, used)).await
}

pub async fn create(app: &TestApp, resource: &str, row: Value) -> Answer {
    app.post(&format!("/api/{resource}"), &service(), row.to_string())
        .await
}

/// A rule with this action and nothing else said.
pub fn rule(action: LimitAction, kind: LimitKind, resource: &str) -> Rule {
    Rule {
        rule_id: Uuid::new_v4(),
        rule_name: format!("{} {resource}", action.as_str()),
        resource_type_code: resource.into(),
        resource_scope: None,
        limit_kind_code: kind,
        limit_action_code: action,
        warn_at_percent: None,
        grace_quantity: None,
        grace_window_hours: None,
        overage_multiplier: None,
        priority: 0,
        is_active: true,
        created_at: Timestamp::from_micros(0),
        conditions: Vec::new(),
    }
}

pub async fn put_rules(engine: &Engine, namespace: &str, rules: Vec<Rule>) {
    let draft = CatalogueDraft {
        over: None,
        resource_types: seed::resource_types(),
        plans: seed::plans(&mut RisingIds),
        rules,
    };
    let namespace = Namespace::parse(namespace).unwrap();
    engine.put_catalogue(namespace, draft).await.unwrap();
}

pub fn service_of(namespace: &str) -> String {
    sign(&Claims {
        namespace_id: namespace.to_owned(),
        ..claims(Role::MecService)
    })
}
