//! Whatever is sent, nothing panics and nothing is answered 5xx.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use axum::http::Uri;
use mec_http::rpc_routes;
use proptest::prelude::*;
use serde_json::Value;
use support::{TestApp, get, service};
use tokio::runtime::Runtime;

/// A valid call of everything that can be called, to mutate.
const SEEDS: [&str; 6] = [
    r#"{"p_external_id":"acme","p_resource_type":"benchmark_runs","p_requested_qty":1.5,"p_context":{"a":"b","c":1},"p_explain":true}"#,
    r#"{"p_idempotency_key":"k","p_external_id":"acme","p_resource_type":"gpu_hours","p_quantity":"0.25","p_occurred_at":"2026-03-01T10:30:00Z","p_details":{"a":null}}"#,
    r#"{"p_lease_id":"0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10","p_extend_seconds":60}"#,
    r#"{"p_events":[{"p_idempotency_key":"k","p_external_id":"acme","p_resource_type":"gpu_hours","p_quantity":1},{},5]}"#,
    r#"{"p_external_id":"acme","p_resource_type":"gpu_hours","p_from":"2026-01-01","p_to":"2026-02-01","p_bucket":"day","p_group_by":"scope"}"#,
    r#"{"account_type_code":"organization","metadata":{"a":1},"status":"active"}"#,
];

#[derive(Clone, Debug)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "\"", "{", "}", "[", ":", ",", "\\u0000", "e9", "-", "null", "1e400"
        ])
        .prop_map(|text: &str| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (at(), piece).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (at(), 1..20_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        (at(), 1..40_usize).prop_map(|(at, count)| Mutation::Double(at, count)),
    ]
}

fn mutated(seed: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for mutation in mutations {
        let length = bytes.len().max(1);
        match mutation {
            Mutation::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at.index(length)) {
                    *place = *byte;
                }
            }
            Mutation::Insert(at, piece) => {
                let at = at.index(length).min(bytes.len());
                bytes.splice(at..at, piece.iter().copied());
            }
            Mutation::Remove(at, count) => {
                let at = at.index(length).min(bytes.len());
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Mutation::Double(at, count) => {
                let at = at.index(length).min(bytes.len());
                let piece = bytes[at..(at + count).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn paths() -> Vec<String> {
    let rpcs = rpc_routes().map(|route| format!("/api/rpc/{}", route.name));
    rpcs.chain(["/api/accounts".to_owned(), "/api/entitlements".to_owned()])
        .collect()
}

/// Sends a body everywhere; the statuses.
fn everywhere(runtime: &Runtime, app: &TestApp, body: &[u8]) -> Vec<u16> {
    let token = service();
    runtime.block_on(async {
        let mut statuses = Vec::new();
        for path in paths() {
            let answer = app.post(&path, &token, body.to_vec()).await;
            if !answer.status.is_success() {
                // In the one shape of errors.
                assert!(answer.json()["code"].is_string(), "{}", answer.text);
            }
            statuses.push(answer.status.as_u16());
        }
        statuses
    })
}

#[test]
fn bodies_never_break_it() {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(async {
        let app = TestApp::start();
        app.starter("acme").await;
        app
    });
    let strategy = prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..200),
        4 => (prop::sample::select(SEEDS.to_vec()), proptest::collection::vec(mutation(), 0..5))
            .prop_map(|(seed, mutations)| mutated(seed, &mutations)),
    ];
    let config = ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(body in strategy)| {
        let statuses = everywhere(&runtime, &app, &body);
        prop_assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
    });
}

/// Values that decoders trip over, if they trip.
const NASTY: [&str; 24] = [
    "null",
    "true",
    "0",
    "-1",
    "-0.0",
    "1e400",
    "1e-400",
    "0.1234567",
    "99999999999999999999",
    "999999999999.999999",
    "\"\"",
    "\"x\"",
    "\"NaN\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"9998-12-31T23:59:59Z\"",
    "\"0001-01-01\"",
    "\"2026-02-30\"",
    "[]",
    "[[],{},null]",
    "{}",
    "{\"\":1}",
    "{\"a\":{\"b\":[]}}",
    "{\"a\":1,\"a\":2}",
];

/// A value that fits a field's schema.
fn fitting(name: &str, schema: &Value) -> String {
    let first = |value: &Value| value.get(0).cloned();
    if let Some(value) = schema.get("enum").and_then(first) {
        return value.to_string();
    }
    let kind = first(&schema["type"]).unwrap_or_else(|| schema["type"].clone());
    let text = match (kind.as_str(), schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => r#""0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10""#,
        (Some("string"), Some("date-time")) => r#""2026-03-01T00:00:00Z""#,
        (Some("string"), _) => match name {
            "p_resource_type" | "resource_type_code" => r#""benchmark_runs""#,
            "p_window_type" | "window_type_code" => r#""calendar_month""#,
            "p_timezone" | "timezone" => r#""Europe/Berlin""#,
            "p_group_by" => r#""detail:a""#,
            _ => r#""acme""#,
        },
        (Some("boolean"), _) => "true",
        (Some("array"), _) => "[]",
        (Some("object"), _) => r#"{"a":1}"#,
        _ => "1",
    };
    text.to_owned()
}

/// An object of a schema: each field fits, is nasty, or is absent, as the choices say.
fn composed(schema: &Value, choices: &[Option<usize>]) -> String {
    let fields = schema["properties"].as_object().unwrap();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut pairs = Vec::new();
    for ((name, schema), choice) in fields.iter().zip(choices.iter().cycle()) {
        let alone = name != "p_account_id";
        match choice {
            Some(nasty) if *nasty < NASTY.len() => {
                pairs.push(format!("\"{name}\":{}", NASTY[*nasty]));
            }
            Some(_) if alone => pairs.push(format!("\"{name}\":{}", fitting(name, schema))),
            _ if required.contains(&name.as_str()) => {
                pairs.push(format!("\"{name}\":{}", fitting(name, schema)));
            }
            _ => {}
        }
    }
    format!("{{{}}}", pairs.join(","))
}

#[test]
fn values_never_break_it() {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(async {
        let app = TestApp::start();
        app.starter("acme").await;
        app
    });
    let api = serde_json::to_value(mec_http::openapi()).unwrap();
    let schemas = &api["components"]["schemas"];
    // Few nasty values a call, so that the others are reached, too.
    let choice = prop_oneof![
        1 => (0..NASTY.len()).prop_map(Some),
        3 => Just(Some(usize::MAX)),
        2 => Just(None),
    ];
    let choices = proptest::collection::vec(choice, 16);
    let config = ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(choices in choices)| {
        for path in paths() {
            let name = path.rsplit('/').next().unwrap();
            let schema = match path.starts_with("/api/rpc/") {
                true => &schemas[format!("{name}_arguments")],
                false => &schemas[format!("new_{name}")],
            };
            let body = composed(schema, &choices);
            let answer = runtime.block_on(app.post(&path, &service(), body.clone()));
            prop_assert!(answer.status.as_u16() < 500, "{path} {body} {}", answer.text);
        }
    });
}

#[test]
fn queries_never_break_it() {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(async { TestApp::start() });
    let names = "p_external_id|p_resource_type|p_window_type|p_from|p_context|p_explain|x";
    let pair = format!("({names})=([a-z0-9%+.:-]{{0,12}}|%7B%22a%22:1%7D|%ff)");
    let query = proptest::collection::vec(pair.as_str(), 0..6).prop_map(|pairs| pairs.join("&"));
    let config = ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(query in query)| {
        for route in rpc_routes().filter(|route| route.read_only) {
            let path = format!("/api/rpc/{}?{query}", route.name);
            prop_assume!(path.parse::<Uri>().is_ok());
            let answer = runtime.block_on(app.send(get(&path, &service())));
            prop_assert!(answer.status.as_u16() < 500, "{path} {}", answer.text);
        }
    });
}
