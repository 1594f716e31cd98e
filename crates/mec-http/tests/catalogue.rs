//! `/admin/catalogue`: read and replaced whole, all faults at once, nothing taken from under accounts.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use mec_http::{Claims, Role};
use serde_json::{Value, json};
use support::{Answer, TestApp, claims, get, sign, token};

const PATH: &str = "/admin/catalogue";

async fn read(app: &TestApp) -> Value {
    app.send(get(PATH, &token(Role::MecAdmin))).await.ok()
}

async fn put(app: &TestApp, document: &Value, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder()
        .method("PUT")
        .uri(PATH)
        .header("authorization", format!("Bearer {}", token(Role::MecAdmin)))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from(document.to_string())).unwrap())
        .await
}

/// The details of the refusal of a catalogue, a fault each.
async fn faults(app: &TestApp, document: &Value) -> Vec<String> {
    let refused = put(app, document, &[])
        .await
        .error(422, "invalid_catalogue");
    let details = refused["details"].as_str().unwrap_or_default();
    details.lines().map(str::to_owned).collect()
}

fn row<'d>(document: &'d mut Value, table: &str, key: &str, name: &str) -> &'d mut Value {
    let rows = document[table].as_array_mut().unwrap();
    rows.iter_mut().find(|row| row[key] == name).unwrap()
}

#[tokio::test]
async fn what_is_read_may_be_sent_back_and_changes_nothing() {
    let app = TestApp::start();
    let read_first = app.send(get(PATH, &token(Role::MecAdmin))).await;
    assert_eq!(read_first.header("etag"), Some("\"1\""));
    let document = read_first.ok();
    assert_eq!(document["version"], 1);
    assert_eq!(document["plans"].as_array().unwrap().len(), 4);
    let told = put(&app, &document, &[("if-match", "\"1\"")]).await.ok();
    let nothing = json!({ "version": 1, "applied": false, "changes": [] });
    assert_eq!(told, nothing);
    assert_eq!(read(&app).await, document);
}

#[tokio::test]
async fn a_change_is_told_applied_once_and_obeyed_at_once() {
    let app = TestApp::start();
    app.starter("acme").await;
    let mut document = read(&app).await;
    let starter = row(&mut document, "plans", "plan_id", "starter");
    let templates = starter["templates"].as_array_mut().unwrap();
    let runs = templates
        .iter_mut()
        .find(|template| template["resource_type_code"] == "benchmark_runs");
    runs.unwrap()["quantity_allowed"] = json!(7);
    let dry = put(&app, &document, &[("prefer", "tx=rollback")]).await;
    assert_eq!(dry.header("preference-applied"), Some("tx=rollback"));
    let dry = dry.ok();
    assert_eq!(
        (&dry["version"], &dry["applied"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(read(&app).await["version"], 1);
    let told = put(&app, &document, &[]).await.ok();
    assert_eq!(
        (&told["version"], &told["applied"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(told["changes"], dry["changes"]);
    let expected = json!([{
        "change": "changed", "kind": "template",
        "name": "starter: benchmark_runs cumulative calendar_month",
        "fields": [{ "field": "quantity_allowed", "before": "100", "after": "7" }],
    }]);
    assert_eq!(told["changes"], expected);
    assert_eq!(put(&app, &document, &[]).await.ok()["changes"], json!([]));
    // What was provisioned stays; what is provisioned from now on is by the new plan.
    app.starter("later").await;
    for (account, allowed) in [("acme", 100), ("later", 7)] {
        let asked = json!({ "p_external_id": account, "p_resource_type": "benchmark_runs" });
        let answer = app.rpc("check_entitlement", asked).await.ok();
        assert_eq!(answer["quantity_allowed"], allowed, "{account}");
    }
}

#[tokio::test]
async fn two_who_change_the_same_version_do_not_overwrite_one_another() {
    let app = TestApp::start();
    let mut one = read(&app).await;
    let mut other = one.clone();
    row(&mut one, "plans", "plan_id", "pro")["plan_name"] = json!("One");
    row(&mut other, "plans", "plan_id", "pro")["plan_name"] = json!("Other");
    put(&app, &one, &[]).await.ok();
    let refused = put(&app, &other, &[]).await.error(409, "catalogue_changed");
    assert!(refused["message"].as_str().unwrap().contains("version 2"));
    other["version"] = Value::Null;
    put(&app, &other, &[("if-match", "\"1\"")])
        .await
        .error(409, "catalogue_changed");
    put(&app, &other, &[("if-match", "one")])
        .await
        .error(400, "invalid_value");
    put(&app, &other, &[("if-match", "\"2\"")]).await.ok();
    let name = row(&mut read(&app).await, "plans", "plan_id", "pro")["plan_name"].take();
    assert_eq!(name, "Other");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_applied() {
    let app = Arc::new(TestApp::start());
    let document = read(&app).await;
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let (app, mut document) = (app.clone(), document.clone());
            row(&mut document, "plans", "plan_id", "pro")["plan_name"] = json!(number.to_string());
            tokio::spawn(async move { put(&app, &document, &[]).await })
        })
        .collect();
    let mut applied = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status.is_success() {
            applied += 1;
        } else {
            answer.error(409, "catalogue_changed");
        }
    }
    assert_eq!((applied, &read(&app).await["version"]), (1, &json!(2)));
}

#[tokio::test]
async fn all_faults_are_told_at_once_with_their_places() {
    let app = TestApp::start();
    let document = json!({
        "resource_types": [
            { "resource_type_code": "runs", "default_unit_code": "counts" },
            { "resource_type_code": "gpu", "default_unit_code": "hours", "allowed_units": ["hours", "tokens"] },
            { "resource_type_code": "seats", "default_unit_code": "count", "is_concurrency": true, "is_inventory": true },
            { "resource_type_code": "seats", "default_unit_code": "count", "is_concurrency": true },
        ],
        "plans": [{
            "plan_id": "a", "trial_days": 3, "stauts": "active",
            "templates": [
                { "resource_type_code": "runs", "limit_kind_code": "cumulative" },
                { "resource_type_code": "gpus", "limit_kind_code": "cumulative", "quantity_allowed": 1 },
                { "resource_type_code": "seats", "limit_kind_code": "cumulative", "quantity_allowed": -1 },
                { "resource_type_code": "gpu", "limit_kind_code": "cumulativ", "quantity_allowed": 1, "window_type_code": "monthly" },
            ],
        }],
        "control_rules": [
            { "rule_name": "r", "resource_type_code": "gpu", "limit_kind_code": "cumulative", "limit_action_code": "grace" },
            { "rule_name": "s", "resource_type_code": "gpu", "limit_kind_code": "cumulative", "limit_action_code": "block",
              "conditions": [{ "condition_key": "tier", "condition_op": "eq" }] },
        ],
        "units": [],
    });
    let expected = [
        r#"resource_types[0].default_unit_code: unknown unit "counts"; did you mean "count"?"#,
        "resource_types[1].allowed_units[1]: the unit \"tokens\" counts tokens, but \"hours\" counts time: units of one resource type convert into each other",
        "resource_types[2]: at most one of is_inventory, is_concurrency and is_time_bound is true",
        r#"resource_types[3].resource_type_code: resource_type_code "seats" stands twice, first in resource_types[2]"#,
        "plans[0].trial_days: trial_days is for plans with is_trial = true",
        r#"plans[0].templates[0]: a template needs the key quantity_allowed: a number, or "unlimited""#,
        r#"plans[0].templates[1].resource_type_code: unknown resource type "gpus"; did you mean "gpu"?"#,
        "plans[0].templates[2].quantity_allowed: quantity_allowed must be a decimal number of at most six places, not below zero",
        "plans[0].templates[2].limit_kind_code: seats is limited by leases and not metered; its limit_kind_code is concurrency",
        r#"plans[0].templates[3].limit_kind_code: unknown limit_kind_code "cumulativ"; did you mean "cumulative"?"#,
        r#"plans[0].templates[3].window_type_code: unknown window type "monthly"; known are billing_cycle, calendar_day, calendar_hour, calendar_month, calendar_year, none, rolling_24h, rolling_30d, rolling_7d"#,
        r#"plans[0].stauts: unknown key "stauts"; did you mean "status"?"#,
        "control_rules[0].limit_action_code: a rule with the action grace needs grace_quantity",
        "control_rules[1].conditions[0]: a condition needs a value",
        "units: units are shared by all namespaces; `mec lookups apply` changes them",
    ];
    assert_eq!(faults(&app, &document).await, expected);
    assert_eq!(read(&app).await["version"], 1);
}

#[tokio::test]
async fn values_are_bounded_and_named() {
    let app = TestApp::start();
    let resource = json!({ "resource_type_code": "runs", "default_unit_code": "count" });
    let cases = [
        (json!([]), ": a catalogue is a table of keys and values"),
        (
            json!({ "version": -1 }),
            "version: version must be a whole number from 0",
        ),
        (
            json!({ "plans": {} }),
            "plans: plans must be a list of tables",
        ),
        (
            json!({ "plans": [1] }),
            "plans[0]: a plan is a table of keys and values",
        ),
        (
            json!({ "plans": [{}] }),
            "plans[0]: a plan needs the key plan_id",
        ),
        (
            json!({ "plans": [{ "plan_id": "" }] }),
            "plans[0].plan_id: plan_id must be a text of 1 to 100 bytes",
        ),
        (
            json!({ "plans": [{ "plan_id": "p", "is_addon": 1 }] }),
            "plans[0].is_addon: is_addon must be true or false",
        ),
        (
            json!({ "resource_types": [resource], "plans": [{ "plan_id": "p", "templates": [
                { "resource_type_code": "runs", "limit_kind_code": "cumulative", "quantity_allowed": 0.5 }] }] }),
            "plans[0].templates[0].quantity_allowed: count have at most 0 decimal places",
        ),
        (
            json!({ "resource_types": [resource], "plans": [{ "plan_id": "p", "templates": [
                { "resource_type_code": "runs", "limit_kind_code": "concurrency", "quantity_allowed": 1 }] }] }),
            "plans[0].templates[0].limit_kind_code: runs is no resource type with is_concurrency = true",
        ),
        (
            json!({ "resource_types": [resource], "plans": [{ "plan_id": "p", "templates": [
                { "resource_type_code": "runs", "limit_kind_code": "cumulative", "quantity_allowed": 1, "unit_code": "hours" }] }] }),
            "plans[0].templates[0].unit_code: runs does not allow the unit \"hours\"; allowed: count",
        ),
    ];
    for (document, expected) in cases {
        let faults = faults(&app, &document).await;
        assert!(
            faults.len() == 1 && faults[0].starts_with(expected),
            "{document}: {faults:?}"
        );
    }
    for body in ["", "{", r#"{"plans":[],"plans":[]}"#, &"[".repeat(2_000)] {
        let admin = token(Role::MecAdmin);
        let request = Request::builder().method("PUT").uri(PATH);
        let request = request
            .header("authorization", format!("Bearer {admin}"))
            .header("content-type", "application/json");
        let answer = app.send(request.body(Body::from(body.to_owned())).unwrap());
        answer.await.error(400, "invalid_json");
    }
}

#[tokio::test]
async fn what_accounts_use_is_not_taken_away() {
    let app = TestApp::start();
    app.starter("acme").await;
    let document = read(&app).await;
    let mut without = document.clone();
    let plans = without["plans"].as_array_mut().unwrap();
    plans.retain(|plan| plan["plan_id"] == "trial-14d");
    for dry_run in [&[][..], &[("prefer", "tx=rollback")][..]] {
        let refused = put(&app, &without, dry_run).await;
        let refused = refused.error(422, "invalid_catalogue");
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with("the plan starter is held by accounts") && !message.contains("pro"),
            "{message}"
        );
    }
    let mut remade = document.clone();
    let runs = row(
        &mut remade,
        "resource_types",
        "resource_type_code",
        "server_configs",
    );
    runs["is_inventory"] = json!(false);
    let message = put(&app, &remade, &[])
        .await
        .error(422, "invalid_catalogue");
    let told = "the resource type server_configs is used by accounts: is_inventory stays as it is";
    assert_eq!(message["message"], told);
    let mut archived = document;
    row(&mut archived, "plans", "plan_id", "starter")["status"] = json!("archived");
    let resources = archived["resource_types"].as_array_mut().unwrap();
    resources.retain(|row| row["resource_type_code"] != "ai_models");
    assert_eq!(put(&app, &archived, &[]).await.ok()["version"], 2);
}

#[tokio::test]
async fn only_administrators_reach_it_each_in_their_namespace() {
    let app = TestApp::start();
    for role in [Role::MecAnon, Role::MecUser, Role::MecService] {
        let answer = app.send(get(PATH, &token(role))).await;
        answer.error(403, "insufficient_role");
    }
    let bare = Request::builder().uri(PATH).body(Body::empty()).unwrap();
    app.send(bare).await.error(401, "missing_token");
    let other = Claims {
        namespace_id: "other".to_owned(),
        ..claims(Role::MecAdmin)
    };
    let empty = app.send(get(PATH, &sign(&other))).await.ok();
    assert_eq!(
        (&empty["version"], &empty["plans"]),
        (&json!(0), &json!([]))
    );
    let plans = json!({ "plans": [{ "plan_id": "only-there" }] });
    let request = Request::builder()
        .method("PUT")
        .uri(PATH)
        .header("authorization", format!("Bearer {}", sign(&other)))
        .header("content-type", "application/json");
    app.send(request.body(Body::from(plans.to_string())).unwrap())
        .await
        .ok();
    assert_eq!(read(&app).await["version"], 1);
    let delete = Request::builder().method("DELETE").uri(PATH);
    let answer = app.send(delete.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("allow"), Some("OPTIONS,GET,HEAD,PUT"));
    answer.error(405, "PGRST117");
}
