//! The repairs of the plan's design, one test each, as a client sees them. Two concern the other
//! store: TRUNCATE (17), whose counterpart here is a DELETE without a condition, is refused in the
//! embedded store's own tests (`what_is_appended_is_never_changed_or_deleted`); connections that are
//! pooled with a caller's claims (18) exist there only, and here one connection serves many callers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use mec_core::account::AccountStatus;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::LimitKind;
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Command, Namespace, Quantity, Timestamp, ops, seed};
use mec_engine::{Engine, EngineConfig, RisingIds, Target};
use mec_http::{App, Claims, Role, router, rpc_routes};
use mec_store::CatalogueDraft;
use mec_store::memory::MemoryStore;
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::{Value, json};
use support::{Answer, Hands, SECRET, TestApp, claims, post, service, sign, token, user_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

const RUNS: &str = "benchmark_runs";

/// A call about the account `acme`.
fn of_acme(resource: &str, more: Value) -> Value {
    let mut arguments = json!({"p_external_id": "acme", "p_resource_type": resource});
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

async fn check(app: &TestApp, resource: &str, quantity: i64) -> Value {
    let asked = of_acme(resource, json!({ "p_requested_qty": quantity }));
    app.rpc("check_entitlement", asked).await.ok()
}

async fn use_runs(app: &TestApp, rpc: &str, key: &str, quantity: i64) -> Answer {
    let used = json!({"p_idempotency_key": key, "p_quantity": quantity});
    app.rpc(rpc, of_acme(RUNS, used)).await
}

async fn create(app: &TestApp, resource: &str, row: Value) -> Answer {
    app.post(&format!("/api/{resource}"), &service(), row.to_string())
        .await
}

/// A rule with this action and nothing else said.
fn rule(action: LimitAction, kind: LimitKind, resource: &str) -> Rule {
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

async fn put_rules(engine: &Engine, namespace: &str, rules: Vec<Rule>) {
    let draft = CatalogueDraft {
        resource_types: seed::resource_types(),
        plans: seed::plans(&mut RisingIds),
        rules,
    };
    let namespace = Namespace::parse(namespace).unwrap();
    engine.put_catalogue(namespace, draft).await.unwrap();
}

fn service_of(namespace: &str) -> String {
    sign(&Claims {
        namespace_id: namespace.to_owned(),
        ..claims(Role::MecService)
    })
}

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
async fn repair_03_no_function_reaches_an_account_of_another_namespace() {
    let app = TestApp::start();
    app.starter("acme").await;
    put_rules(&app.engine, "other", Vec::new()).await;
    for role in [Role::MecUser, Role::MecService, Role::MecAdmin] {
        let token = sign(&Claims {
            namespace_id: "other".to_owned(),
            ..claims(role)
        });
        let call = async |rpc: &str, more: Value| {
            let arguments = of_acme(RUNS, more).to_string();
            app.post(&format!("/api/rpc/{rpc}"), &token, arguments)
                .await
        };
        let told = call("check_entitlement", json!({})).await.ok();
        assert_eq!(told["code"], "account_not_found");
        let key = json!({"p_idempotency_key": "k", "p_quantity": 1});
        assert_eq!(
            call("consume", key.clone()).await.ok()["code"],
            "account_not_found"
        );
        call("meter_consumption", key)
            .await
            .error(404, "account_not_found");
        call("get_usage", json!({}))
            .await
            .error(404, "account_not_found");
    }
    assert_eq!(app.usage("acme").await, 0);
}

#[tokio::test]
async fn repair_03_the_header_of_a_namespace_opens_none() {
    let app = TestApp::start();
    app.starter("acme").await;
    let request =
        post("/api/rpc/get_usage", &service_of("other")).header("MEC-Namespace", "default");
    let body = of_acme(RUNS, json!({})).to_string();
    app.send(request.body(Body::from(body)).unwrap())
        .await
        .error(403, "insufficient_role");
}

#[tokio::test]
async fn repair_04_a_warning_is_an_answer_and_nothing_is_divided_by_zero() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    use_runs(&app, "consume", "a", 80).await.ok();
    let warned = check(&app, RUNS, 1).await;
    assert_eq!(
        (&warned["decision"], &warned["code"]),
        (&json!("warn"), &json!("warn_threshold"))
    );
    assert_eq!(
        (&warned["percent_used"], &warned["quantity_used"]),
        (&json!(80), &json!(80))
    );
    assert!(
        warned["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty())
    );
    assert_eq!(
        use_runs(&app, "consume", "b", 1).await.ok()["decision"],
        "warn"
    );
    let nothing = json!({"account_id": acme, "resource_type_code": "llm_tokens",
        "limit_kind_code": "cumulative", "quantity_allowed": 0});
    assert_eq!(
        create(&app, "entitlements", nothing).await.status.as_u16(),
        201
    );
    let denied = check(&app, "llm_tokens", 1).await;
    assert_eq!(
        (&denied["decision"], &denied["percent_used"]),
        (&json!("deny"), &json!(100))
    );
}

#[tokio::test]
async fn repair_05_billing_cycles_fall_on_real_anniversaries() {
    let app = TestApp::start();
    let ends = "01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31";
    let ends: Vec<String> = ends
        .split(' ')
        .map(|day| format!("2027-{day}T00:00:00+00:00"))
        .collect();
    for (start, end) in ends.iter().zip(ends.iter().skip(1)) {
        let asked = json!({"p_window_type": "billing_cycle", "p_window_anchor": "2024-01-31T00:00:00Z", "p_reference_time": start});
        let window = app.rpc("get_window_boundaries", asked).await.ok();
        assert_eq!(window, json!({"window_start": start, "window_end": end}));
    }
}

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
        max_size_bytes: None,
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

#[tokio::test]
async fn repair_07_what_is_stored_is_evaluated() {
    let clock = Hands::at("2026-11-24T10:00:30Z");
    let store = Arc::new(MemoryStore::new(clock.clone(), &mut RisingIds));
    let config = EngineConfig::default();
    let engine = Engine::start(store.clone(), clock.clone(), RisingIds, config).unwrap();
    let engine = Arc::new(engine);
    let app = TestApp {
        router: router(App::new(engine.clone(), SECRET.to_owned().into())),
        engine,
        folder: tempfile::tempdir().unwrap(),
    };
    let in_eu = Condition {
        key: "region".to_owned(),
        op: ConditionOp::Eq,
        value: Some("eu".to_owned()),
    };
    let grace = Rule {
        grace_quantity: Quantity::parse("5").ok(),
        grace_window_hours: Some(1),
        conditions: vec![in_eu],
        ..rule(LimitAction::Grace, LimitKind::Cumulative, RUNS)
    };
    put_rules(&app.engine, "default", vec![grace]).await;
    put_rules(
        &app.engine,
        "other",
        vec![rule(LimitAction::Overage, LimitKind::Cumulative, RUNS)],
    )
    .await;
    app.starter("acme").await;
    let row = json!({"account_type_code": "organization", "external_id": "acme"}).to_string();
    let elsewhere = service_of("other");
    assert_eq!(
        app.post("/api/accounts", &elsewhere, row)
            .await
            .status
            .as_u16(),
        201
    );
    let plan = json!({"p_external_id": "acme", "p_plan_id": "starter"}).to_string();
    app.post("/api/rpc/provision_plan", &elsewhere, plan)
        .await
        .ok();

    // Conditions of rules, the grace quantity and its window.
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
    assert_eq!(ask("eu", 6).await, "grace_exceeded");
    let above = json!({"p_idempotency_key": "c", "p_quantity": 1, "p_context": {"region": "eu"}});
    let above = app.rpc("consume", of_acme(RUNS, above)).await.ok();
    assert_eq!(above["decision"], "grace");
    clock.pass(3600);
    assert_eq!(ask("eu", 1).await, "within_grace");
    clock.pass(1);
    assert_eq!(ask("eu", 1).await, "grace_exceeded");

    // Rules are a namespace's own.
    let asked = of_acme(RUNS, json!({"p_requested_qty": 101})).to_string();
    let told = app
        .post("/api/rpc/check_entitlement", &elsewhere, asked)
        .await
        .ok();
    assert_eq!(told["decision"], "overage");

    // Units convert, and corrections count.
    let half = json!({"p_idempotency_key": "u", "p_quantity": 30, "p_unit_code": "minutes"});
    app.rpc("meter_consumption", of_acme("gpu_hours", half))
        .await
        .ok();
    assert_eq!(check(&app, "gpu_hours", 1).await["quantity_used"], 0.5);
    let undone =
        json!({"p_idempotency_key": "x", "p_event_id": above["event_id"], "p_quantity": 0});
    app.rpc("correct_consumption", undone).await.ok();
    assert_eq!(ask("eu", 1).await, "within_grace");

    // The decisions are logged.
    app.engine.close().await;
    let logged = store.decisions(&Namespace::default_namespace());
    let codes: Vec<&str> = logged.iter().map(|row| row.code).collect();
    for code in [
        "limit_reached",
        "grace_exceeded",
        "within_grace",
        "within_entitlement",
    ] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    assert_eq!(
        store.decisions(&Namespace::parse("other").unwrap()).len(),
        1
    );
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
async fn repair_09_a_childs_own_entitlement_counts() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    let row = json!({"account_type_code": "user", "external_id": "ada", "parent_account_id": acme, "account_id": Uuid::new_v4()});
    assert_eq!(
        create(&app, "accounts", row.clone()).await.status.as_u16(),
        201
    );
    let own = json!({"account_id": row["account_id"], "resource_type_code": RUNS,
        "limit_kind_code": "cumulative", "quantity_allowed": 3, "window_type_code": "calendar_month"});
    assert_eq!(create(&app, "entitlements", own).await.status.as_u16(), 201);
    let consume = async |who: &str, key: &str, quantity: i64| {
        let used = json!({"p_external_id": who, "p_resource_type": RUNS, "p_idempotency_key": key, "p_quantity": quantity});
        app.rpc("consume", used).await.ok()
    };
    assert_eq!(consume("ada", "1", 3).await["decision"], "allow");
    let denied = consume("ada", "2", 1).await;
    assert_eq!(
        (&denied["decision"], &denied["quantity_allowed"]),
        (&json!("deny"), &json!(3))
    );
    let of_all = consume("acme", "3", 1).await;
    assert_eq!(
        (&of_all["decision"], &of_all["quantity_used"]),
        (&json!("allow"), &json!(4))
    );
}

#[tokio::test]
async fn repair_10_a_refusal_is_always_deny() {
    let app = TestApp::start();
    let actions = [LimitAction::Block, LimitAction::Grace];
    for (number, action) in actions.into_iter().enumerate() {
        let namespace = format!("n{number}");
        let kinds = [
            (LimitKind::Cumulative, RUNS),
            (LimitKind::Concurrency, "concurrent_users"),
            (LimitKind::Inventory, "server_configs"),
        ];
        let rules = kinds.map(|(kind, resource)| Rule {
            grace_quantity: Some(Quantity::ZERO),
            ..rule(action, kind, resource)
        });
        put_rules(&app.engine, &namespace, rules.into()).await;
        let token = service_of(&namespace);
        let row = json!({"account_type_code": "organization", "external_id": "acme"});
        app.post("/api/accounts", &token, row.to_string()).await;
        let call = async |rpc: &str, arguments: Value| {
            app.post(&format!("/api/rpc/{rpc}"), &token, arguments.to_string())
                .await
                .ok()
        };
        call(
            "provision_plan",
            json!({"p_external_id": "acme", "p_plan_id": "starter"}),
        )
        .await;
        let much = json!({"p_idempotency_key": "k", "p_quantity": 1000});
        let refusals = [
            call(
                "check_entitlement",
                of_acme(RUNS, json!({"p_requested_qty": 1000})),
            )
            .await,
            call("consume", of_acme(RUNS, much.clone())).await,
            call("reserve", of_acme(RUNS, much.clone())).await,
            call("consume", of_acme("server_configs", much)).await,
            call(
                "acquire_lease",
                of_acme("concurrent_users", json!({"p_slots": 1000})),
            )
            .await,
        ];
        for refusal in refusals {
            assert_eq!(
                (&refusal["decision"], &refusal["limit_action"]),
                (&json!("deny"), &json!(action.as_str()))
            );
        }
    }
}

#[tokio::test]
async fn repair_11_quantities_and_lengths_that_are_none_are_refused_by_name() {
    let app = TestApp::start();
    app.starter("acme").await;
    for rpc in ["consume", "meter_consumption", "reserve", "grant_credit"] {
        for (quantity, code) in [
            (json!(0), "invalid_quantity"),
            (json!(-1), "invalid_quantity"),
            (json!("NaN"), "invalid_value"),
            (json!("Infinity"), "invalid_value"),
            (json!("1e400"), "invalid_value"),
            (json!("99999999999999999999"), "invalid_value"),
        ] {
            let call = of_acme(
                RUNS,
                json!({"p_idempotency_key": "k", "p_quantity": quantity}),
            );
            let refused = app.rpc(rpc, call).await.error(400, code);
            assert_eq!(refused["details"], "p_quantity", "{rpc} {quantity}");
        }
    }
    for (field, value) in [
        ("p_ttl_minutes", -5),
        ("p_ttl_seconds", -5),
        ("p_ttl_seconds", 0),
        ("p_slots", 0),
        ("p_slots", -1),
    ] {
        let call = of_acme("concurrent_users", json!({ field: value }));
        let refused = app
            .rpc("acquire_lease", call)
            .await
            .error(400, "invalid_value");
        assert_eq!(refused["details"], field);
    }
    let call = of_acme(
        RUNS,
        json!({"p_idempotency_key": "k", "p_quantity": 1, "p_ttl_seconds": -1}),
    );
    app.rpc("reserve", call).await.error(400, "invalid_value");
    app.rpc("acquire_lease", of_acme(RUNS, json!({})))
        .await
        .error(422, "not_concurrent");
    let unlimited = of_acme("concurrent_jobs", json!({}));
    assert_eq!(
        app.rpc("acquire_lease", unlimited).await.ok()["code"],
        "no_entitlement"
    );
    assert_eq!(app.usage("acme").await, 0);
}

#[tokio::test]
async fn repair_12_a_suspended_account_is_not_served() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    let session = of_acme("concurrent_users", json!({"p_session_token": "s"}));
    let lease = app.rpc("acquire_lease", session.clone()).await.ok();
    let request = mec_engine::Request {
        namespace: Namespace::default_namespace(),
        target: Target::Account(acme),
        command: Command::SetAccountStatus(ops::account::SetStatus {
            status: AccountStatus::Suspended,
        }),
        key: None,
        by: "tester".into(),
        guard: None,
        request_id: None,
    };
    app.engine.call(request).await.unwrap();
    let told = [
        check(&app, RUNS, 1).await,
        use_runs(&app, "consume", "c", 1).await.ok(),
        use_runs(&app, "reserve", "r", 1).await.ok(),
        app.rpc("acquire_lease", of_acme("concurrent_users", json!({})))
            .await
            .ok(),
        app.rpc("acquire_lease", session).await.ok(),
    ];
    for told in told {
        assert_eq!(
            (&told["decision"], &told["code"]),
            (&json!("deny"), &json!("account_suspended"))
        );
    }
    let beat = json!({"p_lease_id": lease["lease_id"]});
    assert_eq!(app.rpc("heartbeat_lease", beat).await.ok(), false);
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

#[tokio::test]
async fn repair_14_now_lies_inside_its_own_window() {
    let app = TestApp::start();
    let types = "calendar_hour calendar_day calendar_month calendar_year billing_cycle rolling_24h rolling_7d rolling_30d";
    let zones = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
    ];
    let moments = [
        "2026-11-24T10:00:00Z",
        "2026-12-31T23:59:59.999999Z",
        "2027-01-01T00:00:00Z",
        "2027-03-28T00:59:59Z",
        "2027-03-28T01:00:00Z",
        "2027-10-31T00:30:00Z",
        "2027-10-31T01:30:00Z",
        "2028-02-29T23:59:59Z",
        "2027-03-14T06:59:59Z",
        "2027-11-07T05:30:00Z",
        "2027-04-03T15:00:00Z",
        "2027-10-02T15:29:59Z",
    ];
    for window_type in types.split(' ') {
        for zone in zones {
            for moment in moments {
                let asked = json!({"p_window_type": window_type, "p_window_anchor": "2026-01-31T12:34:56Z", "p_reference_time": moment, "p_timezone": zone});
                let window = app.rpc("get_window_boundaries", asked.clone()).await.ok();
                let bound = |name: &str| Timestamp::parse(window[name].as_str().unwrap()).unwrap();
                let now = Timestamp::parse(moment).unwrap();
                assert!(
                    bound("window_start") <= now && now < bound("window_end"),
                    "{asked} {window}"
                );
            }
        }
    }
}

#[tokio::test]
async fn repair_15_every_namespace_works_and_their_keys_do_not_collide() {
    let app = TestApp::start();
    for namespace in ["default", "a", "b"] {
        put_rules(&app.engine, namespace, Vec::new()).await;
        let token = service_of(namespace);
        let row = json!({"account_type_code": "organization", "external_id": "acme"});
        let made = app.post("/api/accounts", &token, row.to_string()).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.text);
        let call = async |rpc: &str, arguments: Value| {
            app.post(&format!("/api/rpc/{rpc}"), &token, arguments.to_string())
                .await
        };
        let plan = json!({"p_external_id": "acme", "p_plan_id": "starter"});
        assert_eq!(call("provision_plan", plan).await.ok(), 5);
        let used = call(
            "consume",
            of_acme(
                RUNS,
                json!({"p_idempotency_key": "one key", "p_quantity": 7}),
            ),
        )
        .await;
        assert_eq!(used.header("idempotency-replayed"), None);
        assert_eq!(used.ok()["quantity_used"], 7);
        assert_eq!(
            call(
                "acquire_lease",
                of_acme("concurrent_users", json!({"p_session_token": "s"}))
            )
            .await
            .ok()["fencing_token"],
            1
        );
        assert_eq!(call("get_usage", of_acme(RUNS, json!({}))).await.ok(), 7);
    }
}

#[tokio::test]
async fn repair_16_anonymous_callers_write_nothing() {
    let app = TestApp::start();
    app.starter("acme").await;
    let rpcs = rpc_routes().map(|route| format!("/api/rpc/{}", route.name));
    let resources = ["accounts", "entitlements"].map(|name| format!("/api/{name}"));
    let body = of_acme(RUNS, json!({"p_idempotency_key": "k", "p_quantity": 1})).to_string();
    for path in rpcs.chain(resources) {
        let told = app.post(&path, &token(Role::MecAnon), body.clone()).await;
        told.error(403, "insufficient_role");
        let bare = Request::builder()
            .method("POST")
            .uri(&path)
            .header("content-type", "application/json");
        let told = app.send(bare.body(Body::from(body.clone())).unwrap()).await;
        told.error(401, "missing_token");
    }
    assert_eq!(app.usage("acme").await, 0);
}

/// One answer from a connection that goes on.
async fn exchange(connection: &mut TcpStream, token: Option<&str>, body: &str) -> (String, Value) {
    let token = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "POST /api/rpc/get_usage HTTP/1.1\r\nHost: x\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8(read.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return (head.to_owned(), serde_json::from_str(body).unwrap());
            }
        }
        read.push(connection.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn repair_18_a_connection_carries_no_callers_claims_to_the_next() {
    let app = TestApp::start();
    let (acme, globex) = (app.starter("acme").await, app.starter("globex").await);
    use_runs(&app, "consume", "k", 7).await.ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let application = App::new(app.engine.clone(), SECRET.to_owned().into());
    tokio::spawn(mec_http::serve(
        listener,
        application,
        std::future::pending(),
    ));
    let mut connection = TcpStream::connect(address).await.unwrap();
    let asked = of_acme(RUNS, json!({})).to_string();
    for _ in 0..3 {
        let (_, told) = exchange(&mut connection, Some(&user_of(acme)), &asked).await;
        assert_eq!(told, 7);
        let (_, told) = exchange(&mut connection, Some(&user_of(globex)), &asked).await;
        assert_eq!(told["code"], "account_not_found");
        let (_, told) = exchange(&mut connection, Some(&service_of("other")), &asked).await;
        assert_eq!(told["code"], "account_not_found");
        let (head, told) = exchange(&mut connection, None, &asked).await;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert_eq!(told["code"], "missing_token");
        let (_, told) = exchange(&mut connection, Some(&service()), &asked).await;
        assert_eq!(told, 7);
    }
}

/// The database cases of the plan, section 4.1, through the RPCs.
#[tokio::test]
async fn repair_19_the_plans_cases_run_through_the_rpcs() {
    let clock = Hands::at("2026-11-24T10:00:30Z");
    let app = TestApp::start_by(clock.clone());
    // Provisioning creates all entitlements.
    let acme = app.starter("acme").await;
    for (resource, allowed) in [
        ("concurrent_users", json!(3)),
        (RUNS, json!(100)),
        ("gpu_hours", json!(25)),
        ("server_configs", json!(2)),
        ("server_instances", json!(10)),
    ] {
        assert_eq!(
            check(&app, resource, 1).await["quantity_allowed"],
            allowed,
            "{resource}"
        );
    }
    assert_eq!(
        check(&app, "platform_access", 1).await["code"],
        "no_entitlement"
    );
    // Allowed under the limit, warned at the threshold, denied over the limit; by GET, too.
    assert_eq!(check(&app, RUNS, 1).await["decision"], "allow");
    use_runs(&app, "meter_consumption", "a", 80).await.ok();
    assert_eq!(check(&app, RUNS, 1).await["decision"], "warn");
    use_runs(&app, "meter_consumption", "b", 20).await.ok();
    assert_eq!(check(&app, RUNS, 1).await["decision"], "deny");
    let address = format!("/api/rpc/check_entitlement?p_account_id={acme}&p_resource_type={RUNS}");
    assert_eq!(
        app.send(support::get(&address, &service())).await.ok()["decision"],
        "deny"
    );
    // A duplicate key counts once.
    let first = use_runs(&app, "meter_consumption", "c", 5).await.ok();
    assert_eq!(
        use_runs(&app, "meter_consumption", "c", 5).await.ok(),
        first
    );
    assert_eq!(app.usage("acme").await, 105);
    // Leases are acquired, kept alive, released, and expire.
    let acquire = async || {
        let asked = of_acme("concurrent_users", json!({"p_ttl_minutes": 5}));
        app.rpc("acquire_lease", asked).await.ok()
    };
    let lease = acquire().await;
    assert_eq!(
        (&lease["success"], &lease["expires_at"]),
        (&json!(true), &json!("2026-11-24T10:05:30+00:00"))
    );
    let named = json!({"p_lease_id": lease["lease_id"]});
    clock.pass(299);
    assert_eq!(app.rpc("heartbeat_lease", named.clone()).await.ok(), true);
    clock.pass(299);
    assert_eq!(check(&app, "concurrent_users", 1).await["quantity_used"], 1);
    assert_eq!(app.rpc("release_lease", named.clone()).await.ok(), true);
    assert_eq!(app.rpc("release_lease", named).await.ok(), false);
    for _ in 0..3 {
        assert_eq!(acquire().await["success"], true);
    }
    assert_eq!(acquire().await["success"], false);
    clock.pass(300);
    assert_eq!(
        check(&app, "concurrent_users", 3).await["decision"],
        "allow"
    );
}
