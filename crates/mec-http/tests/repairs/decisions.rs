//! What is decided, and how it is told.

use super::{RUNS, check, create, of_acme, put_rules, rule, service_of, use_runs};
use crate::support::TestApp;
use mec_core::account::AccountStatus;
use mec_core::entitlement::LimitKind;
use mec_core::rule::{LimitAction, Rule};
use mec_core::{Command, Namespace, Quantity, Timestamp, ops};
use mec_engine::Target;
use serde_json::{Value, json};
use uuid::Uuid;

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
        consistency: Default::default(),
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
