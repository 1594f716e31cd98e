//! Every resource that takes writes with every verb that it takes: once as it should be, once not.

use std::collections::BTreeSet;

use mec_query::schema::RESOURCES;
use serde_json::{Value, json};

use super::api::{Api, on_both};

on_both!(
    each_verb_of_each_resource_writes_and_refuses,
    other_verbs_are_not_taken
);

const A: &str = "00000000-0000-0000-0000-00000000000a";
const B: &str = "00000000-0000-0000-0000-00000000000b";
const E: &str = "00000000-0000-0000-0000-0000000000e1";
const G: &str = "00000000-0000-0000-0000-0000000000f1";
const T: &str = "00000000-0000-0000-0000-0000000000d1";
const R: &str = "00000000-0000-0000-0000-0000000000c1";
const NONE: &str = "00000000-0000-0000-0000-00000000dead";

/// A verb, what its address asks for, a body, and the answer: a status, and the code of an error.
type Step = (&'static str, String, Value, u16, &'static str);

fn step(verb: &'static str, query: &str, body: Value, status: u16, code: &'static str) -> Step {
    (verb, query.to_owned(), body, status, code)
}

/// The steps of the rows that all namespaces share, in their order.
fn lookups() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        (
            "account_types",
            vec![
                step("POST", "", json!({"account_type_code": "guild"}), 201, ""),
                step(
                    "POST",
                    "",
                    json!({"description": "no code"}),
                    400,
                    "missing_field",
                ),
                step(
                    "PATCH",
                    "?account_type_code=eq.guild",
                    json!({"can_have_children": true}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    "?account_type_code=eq.guild",
                    json!({"can_have_children": "so so"}),
                    400,
                    "invalid_value",
                ),
                step(
                    "PUT",
                    "?account_type_code=eq.guild",
                    json!({"account_type_code": "guild", "description": "Guilds"}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "?account_type_code=eq.guild",
                    json!({"account_type_code": "order"}),
                    400,
                    "PGRST115",
                ),
                step(
                    "DELETE",
                    "?account_type_code=eq.guild",
                    Value::Null,
                    204,
                    "",
                ),
                step(
                    "DELETE",
                    "?account_type_code=eq.organization",
                    Value::Null,
                    409,
                    "23503",
                ),
            ],
        ),
        (
            "units",
            vec![
                step(
                    "POST",
                    "",
                    json!({"unit_code": "pages", "unit_category": "pages"}),
                    201,
                    "",
                ),
                step(
                    "POST",
                    "",
                    json!({"unit_code": "count", "unit_category": "count"}),
                    409,
                    "already_exists",
                ),
                step("PATCH", "?unit_code=eq.pages", json!({"scale": 2}), 204, ""),
                step(
                    "PATCH",
                    "?unit_code=eq.pages",
                    json!({"scale": 7}),
                    422,
                    "invalid_catalogue",
                ),
                step(
                    "PUT",
                    "?unit_code=eq.sheets",
                    json!({"unit_code": "sheets", "unit_category": "sheets"}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "?unit_code=eq.sheets&limit=1",
                    json!({"unit_code": "sheets"}),
                    400,
                    "PGRST114",
                ),
                step(
                    "DELETE",
                    "?unit_code=in.(pages,sheets)",
                    Value::Null,
                    204,
                    "",
                ),
                step("DELETE", "?unit_code=eq.count", Value::Null, 409, "23503"),
            ],
        ),
        (
            "window_types",
            vec![
                step(
                    "POST",
                    "",
                    json!({"window_type_code": "two_weeks", "mode": "calendar", "period_unit": "week"}),
                    201,
                    "",
                ),
                step(
                    "POST",
                    "",
                    json!({"window_type_code": "x", "mode": "lunar", "period_unit": "week"}),
                    422,
                    "unknown_code",
                ),
                step(
                    "PATCH",
                    "?window_type_code=eq.two_weeks",
                    json!({"description": "Two"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    "?window_type_code=eq.two_weeks",
                    json!({"mode": null}),
                    400,
                    "invalid_value",
                ),
                step(
                    "PUT",
                    "?window_type_code=eq.two_weeks",
                    json!({"window_type_code": "two_weeks", "mode": "rolling", "period_count": 2}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "",
                    json!({"window_type_code": "two_weeks"}),
                    405,
                    "PGRST105",
                ),
                step(
                    "DELETE",
                    "?window_type_code=eq.two_weeks",
                    Value::Null,
                    204,
                    "",
                ),
                step(
                    "DELETE",
                    "?window_type_code=eq.calendar_month",
                    Value::Null,
                    409,
                    "23503",
                ),
            ],
        ),
    ]
}

/// The steps of the rows of a catalogue.
fn catalogue() -> Vec<(&'static str, Vec<Step>)> {
    let template = |id: &str, quantity: Value| {
        json!({"template_id": id, "plan_id": "gold", "resource_type_code": "api_requests",
               "limit_kind_code": "cumulative", "quantity_allowed": quantity, "unit_code": "requests"})
    };
    let rule = |id: &str, percent: Value| {
        json!({"rule_id": id, "rule_name": "mine", "resource_type_code": "api_requests",
               "limit_kind_code": "cumulative", "limit_action_code": "block", "warn_at_percent": percent})
    };
    let condition = |op: &str, value: &str| json!({"rule_id": R, "condition_key": "country", "condition_op": op, "condition_value": value});
    let of_rule =
        |op: &str| format!("?rule_id=eq.{R}&condition_key=eq.country&condition_op=eq.{op}");
    vec![
        (
            "resource_types",
            vec![
                step(
                    "POST",
                    "",
                    json!({"resource_type_code": "pages", "default_unit_code": "count"}),
                    201,
                    "",
                ),
                step(
                    "POST",
                    "",
                    json!({"resource_type_code": "x", "default_unit_code": "nothing"}),
                    422,
                    "invalid_catalogue",
                ),
                step(
                    "PATCH",
                    "?resource_type_code=eq.pages",
                    json!({"description": "Pages"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    "?resource_type_code=eq.pages",
                    json!({"resource_type_code": "sheets"}),
                    422,
                    "column_is_fixed",
                ),
                step(
                    "PUT",
                    "?resource_type_code=eq.sheets",
                    json!({"resource_type_code": "sheets", "default_unit_code": "count"}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "?resource_type_code=eq.sheets",
                    json!([]),
                    400,
                    "PGRST102",
                ),
                step(
                    "DELETE",
                    "?resource_type_code=eq.sheets",
                    Value::Null,
                    204,
                    "",
                ),
                step(
                    "DELETE",
                    "?resource_type_code=eq.benchmark_runs",
                    Value::Null,
                    409,
                    "23503",
                ),
            ],
        ),
        (
            "resource_type_allowed_units",
            vec![
                step(
                    "POST",
                    "",
                    json!({"resource_type_code": "gpu_hours", "unit_code": "days"}),
                    201,
                    "",
                ),
                step(
                    "POST",
                    "",
                    json!({"resource_type_code": "nothing", "unit_code": "requests"}),
                    422,
                    "unknown_code",
                ),
                step(
                    "PUT",
                    "?resource_type_code=eq.gpu_hours&unit_code=eq.days",
                    json!({"resource_type_code": "gpu_hours", "unit_code": "days"}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "?resource_type_code=eq.gpu_hours",
                    json!({"resource_type_code": "gpu_hours", "unit_code": "days"}),
                    405,
                    "PGRST105",
                ),
                step(
                    "DELETE",
                    "?resource_type_code=eq.gpu_hours&unit_code=eq.days",
                    Value::Null,
                    204,
                    "",
                ),
                step(
                    "DELETE",
                    "?resource_type_code=eq.gpu_hours",
                    Value::Null,
                    409,
                    "23503",
                ),
            ],
        ),
        (
            "plans",
            vec![
                step(
                    "POST",
                    "",
                    json!({"plan_id": "gold", "plan_name": "Gold"}),
                    201,
                    "",
                ),
                step(
                    "POST",
                    "",
                    json!({"plan_id": "x", "plan_name": "X", "trial_days": -1}),
                    400,
                    "invalid_value",
                ),
                step(
                    "PATCH",
                    "?plan_id=eq.gold",
                    json!({"description": "All"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    "?plan_id=eq.gold",
                    json!({"plan_id": "silver"}),
                    422,
                    "column_is_fixed",
                ),
                step(
                    "PUT",
                    "?plan_id=eq.silver",
                    json!({"plan_id": "silver", "plan_name": "Silver"}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "?plan_name=eq.silver",
                    json!({"plan_id": "silver", "plan_name": "Silver"}),
                    405,
                    "PGRST105",
                ),
                step("DELETE", "?plan_id=eq.silver", Value::Null, 204, ""),
                step("DELETE", "?plan_id=eq.starter", Value::Null, 409, "23503"),
            ],
        ),
        (
            "plan_entitlement_templates",
            vec![
                step("POST", "", template(T, json!(5)), 201, ""),
                step(
                    "POST",
                    "",
                    json!({"plan_id": "none", "resource_type_code": "api_requests", "limit_kind_code": "cumulative", "unit_code": "requests"}),
                    422,
                    "unknown_code",
                ),
                step(
                    "PATCH",
                    &format!("?template_id=eq.{T}"),
                    json!({"quantity_allowed": null}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &format!("?template_id=eq.{T}"),
                    json!({"quantity_allowed": 0.0000001}),
                    400,
                    "invalid_value",
                ),
                step(
                    "PUT",
                    &format!("?template_id=eq.{T}"),
                    template(T, json!(6)),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    &format!("?template_id=neq.{T}"),
                    template(T, json!(6)),
                    405,
                    "PGRST105",
                ),
                step("DELETE", "?plan_id=eq.gold", Value::Null, 204, ""),
                step("DELETE", "?template_id=eq.none", Value::Null, 400, "22P02"),
            ],
        ),
        (
            "control_rules",
            vec![
                step("POST", "", rule(R, json!(80)), 201, ""),
                step("POST", "", rule(B, json!(80)), 422, "invalid_catalogue"),
                step(
                    "PATCH",
                    &format!("?rule_id=eq.{R}"),
                    json!({"is_active": false}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &format!("?rule_id=eq.{R}"),
                    json!({"limit_action_code": "hope"}),
                    422,
                    "unknown_code",
                ),
                step(
                    "PUT",
                    &format!("?rule_id=eq.{R}"),
                    rule(R, json!(90)),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    &format!("?rule_id=eq.{R}"),
                    rule(B, json!(90)),
                    400,
                    "PGRST115",
                ),
                step(
                    "DELETE",
                    &format!("?rule_id=eq.{NONE}"),
                    Value::Null,
                    204,
                    "",
                ),
                step("DELETE", "?nothing=eq.1", Value::Null, 400, "42703"),
            ],
        ),
        (
            "control_rule_conditions",
            vec![
                step("POST", "", condition("eq", "DE"), 201, ""),
                step("POST", "", condition("in", "[DE"), 400, "invalid_value"),
                step(
                    "PATCH",
                    &of_rule("eq"),
                    json!({"condition_value": "FR"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &of_rule("eq"),
                    json!({"condition_op": "like"}),
                    422,
                    "unknown_code",
                ),
                step("PUT", &of_rule("ne"), condition("ne", "IT"), 204, ""),
                step(
                    "PUT",
                    &of_rule("eq"),
                    condition("ne", "IT"),
                    400,
                    "PGRST115",
                ),
                step("DELETE", &of_rule("ne"), Value::Null, 204, ""),
                step(
                    "DELETE",
                    "?condition_key=foo.bar",
                    Value::Null,
                    400,
                    "PGRST100",
                ),
            ],
        ),
    ]
}

/// The steps of accounts and what belongs to them.
fn trees() -> Vec<(&'static str, Vec<Step>)> {
    let limit = |id: &str, quantity: Value| {
        json!({"entitlement_id": id, "account_id": A, "resource_type_code": "api_requests",
               "limit_kind_code": "cumulative", "quantity_allowed": quantity})
    };
    let grant = |id: &str, quantity: Value| json!({"grant_id": id, "account_id": A, "resource_type_code": "api_requests", "quantity": quantity});
    let condition = |op: &str, value: &str| json!({"entitlement_id": E, "condition_key": "country", "condition_op": op, "condition_value": value});
    let of_limit =
        |op: &str| format!("?entitlement_id=eq.{E}&condition_key=eq.country&condition_op=eq.{op}");
    let link = |id: &str, account: &str| json!({"provider": "stripe", "external_id": id, "account_id": account});
    vec![
        (
            "accounts",
            vec![
                step(
                    "POST",
                    "",
                    json!({"account_id": A, "account_type_code": "organization", "external_id": "a"}),
                    201,
                    "",
                ),
                step(
                    "POST",
                    "",
                    json!({"account_type_code": "organization", "external_id": "a"}),
                    409,
                    "already_exists",
                ),
                step(
                    "PATCH",
                    &format!("?account_id=eq.{A}"),
                    json!({"display_name": "Acme"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &format!("?account_id=eq.{A}"),
                    json!({"account_type_code": "team"}),
                    422,
                    "column_is_fixed",
                ),
                step(
                    "PUT",
                    &format!("?account_id=eq.{B}"),
                    json!({"account_id": B, "account_type_code": "organization"}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    &format!("?account_id=eq.{A}"),
                    json!({"account_id": B, "account_type_code": "organization"}),
                    400,
                    "PGRST115",
                ),
            ],
        ),
        (
            "account_external_ids",
            vec![
                step("POST", "", link("cus_1", A), 201, ""),
                step("POST", "", link("cus_2", NONE), 404, "account_not_found"),
                step(
                    "PUT",
                    "?provider=eq.stripe&external_id=eq.cus_2",
                    link("cus_2", B),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    "?provider=eq.stripe&external_id=eq.cus_2",
                    link("cus_2", A),
                    422,
                    "column_is_fixed",
                ),
                step("DELETE", "?external_id=eq.cus_2", Value::Null, 204, ""),
                step("DELETE", "?external_id=cus_2", Value::Null, 400, "PGRST100"),
            ],
        ),
        (
            "entitlements",
            vec![
                step("POST", "", limit(E, json!(5)), 201, ""),
                step(
                    "POST",
                    "",
                    json!({"account_id": A, "resource_type_code": "nothing", "limit_kind_code": "cumulative"}),
                    404,
                    "unknown_resource_type",
                ),
                step(
                    "PATCH",
                    &format!("?entitlement_id=eq.{E}"),
                    json!({"quantity_allowed": 6}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &format!("?entitlement_id=eq.{E}"),
                    json!({"account_id": B}),
                    422,
                    "column_is_fixed",
                ),
                step(
                    "PUT",
                    &format!("?entitlement_id=eq.{E}"),
                    limit(E, json!(7)),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    &format!("?entitlement_id=eq.{E}"),
                    limit(E, json!(0.5)),
                    400,
                    "too_many_decimals",
                ),
            ],
        ),
        (
            "entitlement_conditions",
            vec![
                step("POST", "", condition("eq", "DE"), 201, ""),
                step("POST", "", condition("in", "[DE"), 400, "invalid_value"),
                step(
                    "PATCH",
                    &of_limit("eq"),
                    json!({"condition_value": "FR"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &of_limit("eq"),
                    json!({"entitlement_id": NONE}),
                    422,
                    "column_is_fixed",
                ),
                step("PUT", &of_limit("ne"), condition("ne", "IT"), 204, ""),
                step(
                    "PUT",
                    "?condition_op=eq.ne",
                    condition("ne", "IT"),
                    405,
                    "PGRST105",
                ),
                step("DELETE", &of_limit("ne"), Value::Null, 204, ""),
                step("DELETE", "?entitlement_id=eq.1", Value::Null, 400, "22P02"),
            ],
        ),
        (
            "grants",
            vec![
                step("POST", "", grant(G, json!(5)), 201, ""),
                step("POST", "", grant(NONE, json!(0)), 400, "invalid_quantity"),
                step(
                    "PATCH",
                    &format!("?grant_id=eq.{G}"),
                    json!({"reason": "a gift"}),
                    204,
                    "",
                ),
                step(
                    "PATCH",
                    &format!("?grant_id=eq.{G}"),
                    json!({"quantity": 9}),
                    422,
                    "column_is_fixed",
                ),
                step(
                    "PUT",
                    &format!("?grant_id=eq.{G}"),
                    json!({"grant_id": G, "account_id": A, "priority": 3}),
                    204,
                    "",
                ),
                step(
                    "PUT",
                    &format!("?grant_id=eq.{NONE}"),
                    json!({"grant_id": NONE}),
                    400,
                    "missing_field",
                ),
            ],
        ),
    ]
}

async fn each_verb_of_each_resource_writes_and_refuses(api: Api) {
    api.app.starter("uses the catalogue").await;
    let steps = lookups().into_iter().chain(catalogue()).chain(trees());
    let mut seen = BTreeSet::new();
    for (resource, steps) in steps {
        for (verb, query, body, status, code) in steps {
            let path = format!("/api/{resource}{query}");
            let call = api.call(verb, &path).by(api.writer(resource));
            let body = if body.is_null() {
                String::new()
            } else {
                body.to_string()
            };
            let answer = call.send(&body).await;
            let what = format!("{verb} {path} {body}: {} {}", answer.status, answer.text);
            assert_eq!(answer.status.as_u16(), status, "{what}");
            if code.is_empty() {
                assert_eq!(answer.text, "", "{what}");
            } else {
                assert_eq!(answer.json()["code"], code, "{what}");
            }
            seen.insert((resource, verb, code.is_empty()));
        }
    }
    let mut wanted = BTreeSet::new();
    for resource in RESOURCES {
        let writes = &resource.writes;
        let verbs = [
            (writes.insert, "POST"),
            (writes.upsert, "PUT"),
            (writes.update, "PATCH"),
            (writes.delete, "DELETE"),
        ];
        for (_, verb) in verbs.into_iter().filter(|(is_taken, _)| *is_taken) {
            wanted.extend([(resource.name, verb, true), (resource.name, verb, false)]);
        }
    }
    assert_eq!(seen, wanted);
}

async fn other_verbs_are_not_taken(api: Api) {
    let never = [
        ("consumption", "POST,PUT,PATCH,DELETE"),
        ("consumption_event_details", "POST,PUT,PATCH,DELETE"),
        ("control_decisions", "POST,PUT,PATCH,DELETE"),
        ("entitlements_audit", "POST,PUT,PATCH,DELETE"),
        ("grant_draws", "POST,PUT,PATCH,DELETE"),
        ("limit_kinds", "POST,PUT,PATCH,DELETE"),
        ("accounts", "DELETE"),
        ("entitlements", "DELETE"),
        ("grants", "DELETE"),
        ("account_external_ids", "PATCH"),
        ("resource_type_allowed_units", "PATCH"),
    ];
    for (resource, verbs) in never {
        for verb in verbs.split(',') {
            let path = format!("/api/{resource}");
            let refused = api
                .call(verb, &path)
                .by(of_all_or(&api, resource))
                .send("{}")
                .await;
            let allowed = refused.header("allow").map(str::to_owned);
            let _ = refused.error(405, "PGRST117");
            let methods = mec_query::schema::Resource::find(resource).map(|row| row.methods());
            assert_eq!(allowed, methods, "{verb} {path}");
        }
    }
}

fn of_all_or(api: &Api, resource: &str) -> String {
    match resource {
        "limit_kinds" => super::api::of_all(),
        _ => api.writer(resource),
    }
}
