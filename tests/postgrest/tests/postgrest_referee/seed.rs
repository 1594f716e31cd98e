//! An installation that has some rows of everything that the resources tell.

use std::path::Path;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Mec, TEAM};

/// Fills a new folder through the API, and closes it.
pub fn fill(folder: &Path) {
    let mec = Mec::in_folder(folder);
    accounts(&mec);
    for (name, plan) in [
        ("acme", "starter"),
        ("globex", "pro"),
        ("initech", "trial-14d"),
    ] {
        let args = json!({"p_external_id": name, "p_plan_id": plan});
        rpc(&mec, "provision_plan", args);
    }
    entitlements(&mec);
    usage(&mec);
    decisions(&mec);
    mec.close();
    // What the API does not make yet: ids at a provider, and a rule's conditions.
    let database = rusqlite::Connection::open(folder.join("mec.db")).unwrap();
    let made = database.execute_batch(
        "INSERT INTO account_external_ids (namespace_id, external_id, provider, account_id)
         SELECT namespace_id, 'cus_' || external_id, 'stripe', account_id FROM accounts
         WHERE namespace_id = 'default' AND account_type_code = 'organization';
         INSERT INTO control_rule_conditions (namespace_id, rule_id, position, condition_key, condition_op)
         SELECT namespace_id, rule_id, 0, 'region', 'exists' FROM control_rules;",
    );
    made.unwrap();
}

fn accounts(mec: &Mec) {
    let account = |namespace: &str, id: u128, kind: &str, parent: Option<u128>, mut row: Value| {
        row["account_id"] = json!(Uuid::from_u128(id));
        row["account_type_code"] = kind.into();
        row["parent_account_id"] = json!(parent.map(Uuid::from_u128));
        mec.post(namespace, "/api/accounts", &row);
    };
    let team = TEAM.as_u128();
    account(
        "default",
        0x1,
        "organization",
        None,
        json!({
            "external_id": "acme", "display_name": "Acme, Inc. (\"the\" first)", "timezone": "Europe/Berlin",
            "metadata": {"tier": "gold", "seats": "12", "note": "\"quoted\" \\ ü", "region": "eu"},
        }),
    );
    account(
        "default",
        0x2,
        "organization",
        None,
        json!({"external_id": "globex", "display_name": "Globex", "metadata": {"tier": "silver", "region": "us"}}),
    );
    account(
        "default",
        0x3,
        "organization",
        None,
        json!({"external_id": "initech", "display_name": "initech 100%_sure", "status": "active"}),
    );
    let (name, below) = (json!({"display_name": "Research"}), Some(0x1));
    account("default", team, "team", below, name);
    for n in 0..12_u128 {
        let parent = [team, 0x1, 0x2][usize::try_from(n % 3).unwrap()];
        let mut row = json!({"external_id": format!("user-{n}"), "metadata": {"n": n.to_string(), "even": (n % 2 == 0).to_string()}});
        if n % 4 != 0 {
            row["display_name"] = format!(
                "Ünï {}",
                ["Ada", "bob", "Zoë", "ärger"][usize::try_from(n % 4).unwrap()]
            )
            .into();
        }
        if n % 3 == 0 {
            row["email"] = format!("user-{n}@example.org").into();
        }
        if n == 7 {
            row["status"] = "suspended".into();
        }
        account("default", 0x100 + n, "user", Some(parent), row);
    }
    account(
        "other",
        0x900,
        "organization",
        None,
        json!({"external_id": "acme", "display_name": "Another Acme"}),
    );
    account(
        "other",
        0x901,
        "user",
        Some(0x900),
        json!({"display_name": "Eve"}),
    );
}

fn entitlements(mec: &Mec) {
    let give = |account: u128, row: Value| {
        let mut row = row;
        row["account_id"] = json!(Uuid::from_u128(account));
        mec.post("default", "/api/entitlements", &row);
    };
    let conditions = json!([
        {"condition_key": "region", "condition_op": "eq", "condition_value": "eu"},
        {"condition_key": "beta", "condition_op": "exists"},
    ]);
    give(
        TEAM.as_u128(),
        json!({
            "resource_type_code": "api_requests", "limit_kind_code": "cumulative", "quantity_allowed": 1000,
            "window_type_code": "calendar_day", "conditions": conditions,
        }),
    );
    give(
        0x101,
        json!({
            "resource_type_code": "llm_tokens", "resource_scope": "model,one", "limit_kind_code": "cumulative",
            "quantity_allowed": "999999999999", "window_type_code": "calendar_month", "priority": -3,
        }),
    );
    give(
        0x2,
        json!({
            "resource_type_code": "llm_tokens", "limit_kind_code": "cumulative", "quantity_allowed": null,
            "effective_start": "2024-02-29T12:30:00.123456Z", "effective_end": "2025-01-01T00:00:00Z",
        }),
    );
    give(
        0x3,
        json!({
            "resource_type_code": "ai_models", "limit_kind_code": "inventory", "quantity_allowed": 3,
            "status": "suspended", "priority": 7,
        }),
    );
}

fn rpc(mec: &Mec, name: &str, args: Value) -> Value {
    mec.post("default", &format!("/api/rpc/{name}"), &args)
}

fn keyed(mec: &Mec, name: &str, key: String, mut args: Value) -> Value {
    args["p_idempotency_key"] = key.into();
    rpc(mec, name, args)
}

fn usage(mec: &Mec) {
    let mut event = Value::Null;
    for n in 0..36 {
        let who = format!("user-{}", n % 6);
        let scope = [json!("a100"), json!("h100"), Value::Null][n % 3].clone();
        let args = json!({
            "p_external_id": who, "p_resource_type": "gpu_hours", "p_quantity": format!("{}.{:06}", n % 4, 125 * (n + 1)),
            "p_unit_code": "gpu_hours", "p_resource_scope": scope,
            "p_details": {"job": (n % 5).to_string(), "von": "Zürich, \"Höngg\""},
        });
        event = keyed(mec, "meter_consumption", format!("hours-{n}"), args);
    }
    let correct = json!({"p_event_id": event, "p_quantity": 0.125, "p_reason": "twice"});
    keyed(mec, "correct_consumption", "correct".to_owned(), correct);
    for (n, quantity) in [10, 25].into_iter().enumerate() {
        let args = json!({
            "p_external_id": "acme", "p_resource_type": "benchmark_runs", "p_quantity": quantity,
            "p_reason": "sorry", "p_priority": n,
        });
        keyed(mec, "grant_credit", format!("credit-{n}"), args);
    }
    for n in 0..6 {
        let args = json!({"p_external_id": "user-1", "p_resource_type": "benchmark_runs", "p_quantity": 18});
        keyed(mec, "consume", format!("run-{n}"), args);
    }
    let mut held = Vec::new();
    for n in 0..4 {
        let args = json!({
            "p_external_id": "user-2", "p_resource_type": "benchmark_runs", "p_quantity": n + 2, "p_ttl_seconds": 3600,
        });
        let made = keyed(mec, "reserve", format!("hold-{n}"), args);
        held.push(made["reservation_id"].clone());
    }
    let commit = json!({"p_reservation_id": held[0], "p_quantity": 1});
    rpc(mec, "commit_reservation", commit);
    rpc(
        mec,
        "release_reservation",
        json!({"p_reservation_id": held[1]}),
    );
    let inventory =
        json!({"p_external_id": "globex", "p_resource_type": "server_configs", "p_quantity": 2});
    keyed(mec, "set_inventory", "configs".to_owned(), inventory);
    let mut leases = Vec::new();
    for n in 0..6 {
        let who = ["user-1", "user-2", "user-5"][n % 3];
        let mut args = json!({
            "p_external_id": who, "p_resource_type": "concurrent_users",
            "p_ttl_seconds": 7200, "p_session_token": format!("session {n}"),
        });
        if n % 2 == 0 {
            args["p_session_metadata"] =
                json!({"browser": "lynx", "tabs": n, "at": [1, null, {"x": 1.50}]});
        }
        leases.push(rpc(mec, "acquire_lease", args)["lease_id"].clone());
    }
    rpc(mec, "release_lease", json!({"p_lease_id": leases[0]}));
}

/// Refusals and checks, which the log of decisions tells.
fn decisions(mec: &Mec) {
    for n in 0..8 {
        let args = json!({
            "p_external_id": format!("user-{}", n % 5), "p_resource_type": "benchmark_runs", "p_quantity": 5000 + n,
        });
        keyed(mec, "consume", format!("denied-{n}"), args);
    }
    let change =
        json!({"p_external_id": "globex", "p_from_plan_id": "pro", "p_to_plan_id": "enterprise"});
    rpc(mec, "change_plan", change);
}
