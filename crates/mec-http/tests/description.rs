//! The API's description: the same every time, complete, and without loose references.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use mec_http::error::{CODES, ErrorCode};
use mec_http::{openapi, rpc_routes};
use serde_json::Value;

fn described() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(array) => array.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn it_is_the_same_every_time() {
    assert_eq!(
        openapi().to_pretty_json().unwrap(),
        openapi().to_pretty_json().unwrap()
    );
    assert_eq!(described()["openapi"], "3.1.0");
}

#[test]
fn every_reference_leads_somewhere() {
    let api = described();
    let mut found = BTreeSet::new();
    references(&api, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(api.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_rpc_is_described() {
    let api = described();
    for route in rpc_routes() {
        let path = &api["paths"][format!("/api/rpc/{}", route.name)];
        let call = &path["post"];
        assert_eq!(call["operationId"], route.name);
        assert!(
            call["summary"].as_str().unwrap().ends_with('.'),
            "{}",
            route.name
        );
        assert!(
            call["description"]
                .as_str()
                .unwrap()
                .contains(route.role_name()),
            "{}",
            route.name
        );
        assert_eq!(path.get("get").is_some(), route.read_only, "{}", route.name);
        for status in [
            "200", "400", "401", "403", "404", "413", "415", "500", "503",
        ] {
            assert!(
                call["responses"].get(status).is_some(),
                "{} {status}",
                route.name
            );
        }
    }
}

#[test]
fn the_codes_that_it_names_are_in_the_table() {
    let api = described();
    // Of /ready it is the same page that says what is not there.
    let paths = api["paths"].as_object().unwrap();
    let paths = paths.iter().filter(|(path, _)| *path != "/ready");
    for (_, path) in paths {
        for call in path.as_object().unwrap().values() {
            for (status, answer) in call["responses"].as_object().unwrap() {
                if status.starts_with('2') || status == "304" {
                    continue;
                }
                for code in answer["description"].as_str().unwrap().split(", ") {
                    let row = ErrorCode::find(code).unwrap_or_else(|| panic!("{code}"));
                    assert_eq!(row.status.to_string(), *status);
                }
            }
        }
    }
}

#[test]
fn every_code_has_a_place_in_the_docs() {
    let page = include_str!("../../../docs/errors.md");
    for row in CODES {
        assert!(
            page.contains(&format!("\n## {}\n\n{}. ", row.code, row.status)),
            "{}",
            row.code
        );
    }
}
