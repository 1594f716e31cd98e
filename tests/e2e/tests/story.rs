//! A new user's story against the real binary, killed and started again in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::{Server, verify};

fn acme(extra: Value) -> Value {
    let mut args = json!({ "p_external_id": "acme" });
    args.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    args
}

#[test]
fn a_plan_is_checked_metered_leased_and_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let row = json!({ "account_type_code": "organization", "external_id": "acme" }).to_string();
    let (status, rows) = server.post(Some(&server.token), "/api/accounts", &row);
    assert_eq!((status, &rows[0]["external_id"]), (201, &json!("acme")));
    assert_eq!(
        server.post(Some(&server.token), "/api/accounts", &row).1["code"],
        "already_exists"
    );
    for _ in 0..2 {
        assert_eq!(
            server.rpc("provision_plan", acme(json!({ "p_plan_id": "starter" }))),
            (200, json!(5))
        );
    }
    let runs = acme(json!({ "p_resource_type": "benchmark_runs" }));
    let (_, first) = server.rpc("check_entitlement", runs.clone());
    assert_eq!(
        (
            &first["decision"],
            &first["quantity_used"],
            &first["quantity_allowed"]
        ),
        (&json!("allow"), &json!(0), &json!(100))
    );
    let meter = |key: &str, quantity: u32| {
        let args = json!({ "p_idempotency_key": key, "p_resource_type": "benchmark_runs", "p_quantity": quantity });
        server.rpc("meter_consumption", acme(args))
    };
    meter("one", 1);
    let recorded = meter("rest", 99);
    assert_eq!((recorded.0, &meter("rest", 99)), (200, &recorded));
    assert_eq!(meter("rest", 98).1["code"], "idempotency_conflict");
    let denied = server.rpc("check_entitlement", runs.clone()).1;
    assert_eq!(
        (
            &denied["decision"],
            &denied["code"],
            &denied["quantity_used"]
        ),
        (&json!("deny"), &json!("limit_reached"), &json!(100))
    );
    let users = acme(json!({ "p_resource_type": "concurrent_users" }));
    let leases: Vec<Value> = (0..4)
        .map(|_| server.rpc("acquire_lease", users.clone()).1)
        .collect();
    let held: Vec<bool> = leases
        .iter()
        .map(|lease| lease["success"].as_bool().unwrap())
        .collect();
    assert_eq!(held, [true, true, true, false]);
    assert_eq!(leases[3]["resets_at"], leases[0]["expires_at"]);
    assert_eq!(
        server.rpc(
            "release_lease",
            json!({ "p_lease_id": leases[1]["lease_id"] })
        ),
        (200, json!(true))
    );
    assert_eq!(
        server.rpc("acquire_lease", users.clone()).1["success"],
        true
    );
    server.kill();

    let mut server = Server::start(folder.path());
    assert_eq!(
        server.rpc("check_entitlement", runs).1["quantity_used"],
        100
    );
    assert_eq!(server.rpc("acquire_lease", users).1["success"], false);
    assert_eq!(
        server.rpc(
            "get_usage",
            acme(json!({ "p_resource_type": "benchmark_runs" }))
        ),
        (200, json!(100))
    );
    server.kill();
    let (code, report) = verify(folder.path());
    assert_eq!(
        (code, &report["events"], &report["problem"]),
        (Some(0), &json!(2), &Value::Null)
    );
}

#[test]
fn bad_input_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let row = json!({ "account_type_code": "organization", "external_id": "acme" }).to_string();
    server.post(Some(&server.token), "/api/accounts", &row);
    let meter = |quantity: &str| {
        format!(
            r#"{{"p_idempotency_key":"k","p_external_id":"acme","p_resource_type":"gpu_hours","p_quantity":{quantity}}}"#
        )
    };
    let cases = [
        (meter("NaN"), 400, "invalid_json"),
        (meter("1e400"), 400, "invalid_value"),
        (meter("0.1234567"), 400, "too_many_decimals"),
        (meter("-1"), 400, "invalid_quantity"),
        (meter("0"), 400, "invalid_quantity"),
        (meter("true"), 400, "invalid_value"),
        (
            meter("1").replace("\"k\"", &format!("\"{}\"", "k".repeat(300))),
            400,
            "invalid_value",
        ),
        (
            meter("1").replace("p_quantity", "p_amount"),
            404,
            "PGRST202",
        ),
        (
            meter("1").replace("gpu_hours", "nothing"),
            404,
            "unknown_resource_type",
        ),
        (
            meter("1").replace("acme", "other"),
            404,
            "account_not_found",
        ),
        ("{".to_owned(), 400, "invalid_json"),
        (" ".repeat(2_000_000), 413, "payload_too_large"),
    ];
    for (body, status, code) in cases {
        let answer = server.post(Some(&server.token), "/api/rpc/meter_consumption", &body);
        assert_eq!(
            (answer.0, &answer.1["code"]),
            (status, &json!(code)),
            "{}",
            &body[..body.len().min(200)]
        );
    }
    let path = "/api/rpc/check_entitlement";
    for token in [
        None,
        Some("x"),
        Some("eyJhbGciOiJub25lIn0.eyJyb2xlIjoibWVjX2FkbWluIn0."),
    ] {
        assert_eq!(server.post(token, path, "{}").0, 401, "{token:?}");
    }
    assert_eq!(server.rpc("nothing", json!({})).1["code"], "PGRST202");
    assert_eq!(
        server.rpc("get_usage", acme(json!({ "p_resource_type": "gpu_hours" }))),
        (200, json!(0))
    );
    server.kill();
}
