//! What lines say.

use mec_http::Role;
use serde_json::{Value, json};

use super::raw::{self, Answer};
use super::{Logged, access};

const SECRET: &str = "a secret of the tests, 32 bytes or more";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const JSON: &str = "Content-Type: application/json";

fn ask(logged: &Logged, token: &str, id: &str, call: &str, body: &Value) -> Answer {
    let headers = [
        JSON.to_owned(),
        format!("Authorization: Bearer {token}"),
        format!("X-Request-Id: {id}"),
        format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01"),
    ];
    let line = format!("POST /api/rpc/{call}");
    raw::send(&logged.server.address, &line, &headers, &body.to_string())
}

#[test]
fn a_line_tells_of_a_request_what_whoever_is_on_call_asks() {
    let mut logged = Logged::start(SECRET, &[]);
    let [ada, bob] = ["ada", "bob"].map(|sub| logged.token(Role::MecService, sub));
    let row = json!({"account_type_code": "organization", "external_id": "acme"});
    let made = logged
        .server
        .post(Some(&ada), "/api/accounts", &row.to_string());
    assert_eq!(made.0, 201);
    let plan = json!({"p_external_id": "acme", "p_plan_id": "starter"});
    assert_eq!(
        ask(&logged, &ada, "plan", "provision_plan", &plan).status,
        200
    );
    let of = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    let told = ask(&logged, &ada, "check", "check_entitlement", &of);
    assert_eq!(told.header("x-request-id"), Some("check"));
    let parent = told.header("traceparent").unwrap();
    assert!(parent.starts_with(&format!("00-{TRACE}-")) && !parent.contains("00f067aa0ba902b7"));
    let mut too_much = of.clone();
    too_much["p_quantity"] = json!(1000);
    too_much["p_idempotency_key"] = json!("k");
    ask(&logged, &bob, "consume", "consume", &too_much);
    ask(&logged, &ada, "wrong", "consume", &of);
    let begun = raw::send(&logged.server.address, "BREW /nothing/here?q=1", &[], "");
    let begun = begun.header("traceparent").unwrap().to_owned();

    let lines = access(&logged.stop());
    assert_eq!(lines.len(), 6);
    let of = |id: &str| lines.iter().find(|line| line["request_id"] == id).unwrap();
    let check = of("check");
    for (field, value) in [
        ("level", json!("info")),
        ("method", json!("POST")),
        ("route", json!("/api/rpc/check_entitlement")),
        ("status", json!(200)),
        ("decision", json!("allow")),
        ("decision_code", json!("within_entitlement")),
        ("role", json!("mec_service")),
        ("namespace", json!("default")),
        ("trace_id", json!(TRACE)),
    ] {
        assert_eq!(check[field], value, "{check}");
    }
    assert!(check["duration_us"].as_u64().unwrap() > 0 && check["bytes"].as_u64().unwrap() > 100);
    assert!(check["time"].as_str().unwrap().starts_with("20") && check["error_code"].is_null());
    assert_eq!(of("plan")["subject"], check["subject"]);
    assert_ne!(of("consume")["subject"], check["subject"]);
    assert_eq!(of("consume")["decision_code"], "limit_reached");
    assert_eq!(of("wrong")["error_code"], "PGRST202");
    assert!(of("wrong")["decision_code"].is_null());
    let nowhere = lines.last().unwrap();
    assert!(nowhere["route"] == "none" && nowhere["method"] == "OTHER");
    assert!(begun.contains(nowhere["trace_id"].as_str().unwrap()));
    assert!(nowhere["role"].is_null() && nowhere["subject"].is_null());
}

#[test]
fn a_subject_has_one_hash_over_restarts_and_nodes_with_one_key() {
    let subject = |settings: &[(&str, &str)]| {
        let mut logged = Logged::start(SECRET, settings);
        let ada = logged.token(Role::MecService, "ada");
        logged.server.post(Some(&ada), "/api/rpc/get_usage", "{}");
        access(&logged.stop())[0]["subject"].clone()
    };
    let key = [("MEC_LOG_SUBJECT_KEY", "a key that all nodes share")];
    assert_eq!(subject(&key), subject(&key));
    assert_ne!(subject(&key), subject(&[]));
}

#[test]
fn what_is_told_and_how_is_a_setting() {
    for (setting, value, expected) in [
        ("MEC_ACCESS_LOG", "on", 2),
        ("MEC_ACCESS_LOG", "errors", 1),
        ("MEC_ACCESS_LOG", "off", 0),
    ] {
        let mut logged = Logged::start(SECRET, &[(setting, value)]);
        raw::send(&logged.server.address, "GET /health", &[], "");
        raw::send(&logged.server.address, "GET /nothing", &[], "");
        assert_eq!(access(&logged.stop()).len(), expected, "{value}");
    }
    let mut logged = Logged::start(
        SECRET,
        &[("MEC_LOG_FORMAT", "text"), ("MEC_LOG_LEVEL", "warn")],
    );
    raw::send(&logged.server.address, "GET /health", &[], "");
    let text = logged.stop();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains(" info  access method=GET route=/health status=200 duration_us="),
        "{text}"
    );
}
