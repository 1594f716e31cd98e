//! The summary beside the check: of each limit of the account's own both tell the same.

use std::collections::BTreeMap;

use mec_core::Command;
use mec_core::ops::check::Check;
use mec_core::ops::summary::LimitState;
use mec_engine::{Consistency, Target};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Running;

/// Compares what a summary and an explained check tell of the limits that a request with the scope of
/// the check, and without a context, meets at the account itself.
pub fn agrees_with_check(running: &mut Running, account: Uuid, check: &Check) {
    let explained = Check {
        explain: true,
        context: BTreeMap::new(),
        ..check.clone()
    };
    let command = Command::Check(explained);
    let Ok(body) = running.call(Target::Account(account), command) else {
        return;
    };
    let decision: Value = serde_json::from_str(&body).unwrap();
    if ["account_suspended", "account_inactive"].contains(&decision["code"].as_str().unwrap()) {
        return;
    }
    let scope = json!(check.scope);
    // An account or a resource that is not known has no limits to tell.
    let views = decision["limits"].as_array().cloned().unwrap_or_default();
    let mut seen: Vec<Value> = views
        .iter()
        .filter(|view| view["level"] == 0 && view["resource_scope"] == scope)
        .map(of_view)
        .collect();
    let all = summary(running, account);
    let of_check = all.iter().filter(|state| {
        state.resource_type_code == check.resource
            && state.resource_scope == check.scope
            && (check.scope.is_none() || state.entitlement_id.is_some())
    });
    let mut told: Vec<Value> = of_check.map(of_state).collect();
    for rows in [&mut seen, &mut told] {
        rows.sort_by_key(Value::to_string);
    }
    assert_eq!(told, seen, "{check:?}");
}

fn summary(running: &Running, account: Uuid) -> Vec<LimitState> {
    let engine = running.engine.as_ref().unwrap();
    let asked = engine.usage_summary(
        &running.namespace,
        vec![account],
        None,
        Consistency::Bounded,
    );
    running.runtime.block_on(asked).unwrap()
}

fn of_view(view: &Value) -> Value {
    json!({
        "account": view["account_id"], "kind": view["limit_kind"], "window_type": view["window_type"],
        "entitlements": view["entitlement_ids"], "allowed": view["allowed"], "used": view["used"],
        "reserved": view["reserved"], "granted": view["granted"],
        "from": view["window_start"], "until": view["window_end"],
    })
}

fn of_state(state: &LimitState) -> Value {
    assert_eq!(state.entitlement_id, state.entitlement_ids.first().copied());
    json!({
        "account": state.account_id, "kind": state.limit_kind_code, "window_type": state.window_type_code,
        "entitlements": state.entitlement_ids, "allowed": state.quantity_allowed,
        "used": state.quantity_used, "reserved": state.quantity_reserved, "granted": state.quantity_granted,
        "from": state.window_start, "until": state.window_end,
    })
}
