//! The rows that the programs of the clients expect, made over HTTP beside the catalogue that every new
//! installation has.

use serde_json::{Value, json};

use crate::support::Server;

/// The accounts, by ids that the programs know.
fn accounts() -> [Value; 4] {
    [
        json!({
            "account_id": ACME, "account_type_code": "organization", "external_id": "acme",
            "display_name": "Acme, Inc. (Berlin)", "email": "it@acme.example", "timezone": "Europe/Berlin",
            "metadata": { "tier": "gold", "seats": "12" }
        }),
        json!({
            "account_id": BETA, "account_type_code": "organization", "external_id": "beta",
            "metadata": { "tier": "silver" }
        }),
        json!({
            "account_id": TEAM, "account_type_code": "team", "parent_account_id": ACME,
            "external_id": "acme-team", "display_name": "the \"red\" team\\1", "status": "suspended"
        }),
        json!({
            "account_id": GAMMA, "account_type_code": "organization", "external_id": "gamma",
            "display_name": "Gamma: 50% off", "email": "gamma@example.com"
        }),
    ]
}

pub const ACME: &str = "00000000-0000-7000-8000-00000000000a";
const BETA: &str = "00000000-0000-7000-8000-00000000000b";
const TEAM: &str = "00000000-0000-7000-8000-00000000000c";
const GAMMA: &str = "00000000-0000-7000-8000-00000000000d";

/// Usage of a past that no longer counts against a limit.
const EVENTS: [(&str, &str, &str, f64); 5] = [
    ("first", "acme", "2026-01-05T08:00:00Z", 1.5),
    ("second", "acme", "2026-01-05T09:30:00Z", 0.25),
    ("third", "acme", "2026-01-07T00:00:00Z", 3.0),
    ("fourth", "acme-team", "2026-01-07T12:00:00Z", 2.0),
    ("fifth", "beta", "2026-01-08T12:00:00Z", 7.125),
];

/// Makes the rows.
pub fn seed(server: &Server) {
    for account in accounts() {
        let (status, row) = server.post(Some(&server.token), "/api/accounts", &account.to_string());
        assert_eq!(status, 201, "{row}");
    }
    for (account, plan) in [("acme", "starter"), ("beta", "pro")] {
        let args = json!({ "p_external_id": account, "p_plan_id": plan });
        let (status, made) = server.rpc("provision_plan", args);
        assert_eq!(status, 200, "{made}");
    }
    let unlimited = json!({
        "account_id": GAMMA, "resource_type_code": "api_requests", "limit_kind_code": "cumulative",
        "quantity_allowed": null, "resource_scope": "eu,west", "priority": 7
    });
    let (status, row) = server.post(
        Some(&server.token),
        "/api/entitlements",
        &unlimited.to_string(),
    );
    assert_eq!(status, 201, "{row}");
    for (key, account, at, quantity) in EVENTS {
        let args = json!({
            "p_idempotency_key": key, "p_external_id": account, "p_resource_type": "gpu_hours",
            "p_quantity": quantity, "p_occurred_at": at, "p_details": { "job": key }
        });
        let (status, event) = server.rpc("meter_consumption", args);
        assert_eq!(status, 200, "{event}");
    }
}
