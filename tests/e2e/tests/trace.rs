//! An hour of real requests to a large language model service, metered and consumed over HTTP.
//! The trace is from "Azure LLM inference traces 2023"; see tests/data/README.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::{Server, verify};

/// Context and generated tokens of all rows together, as the source states them.
const TOTAL: u64 = 18_059_974 + 245_896;

/// Tokens of each row, context and generated together.
fn trace() -> Vec<u64> {
    let text = include_str!("../../data/llm_inference_trace_code.csv");
    let tokens = |line: &str| {
        let mut columns = line
            .split(',')
            .skip(1)
            .map(|column| column.trim().parse::<u64>().unwrap());
        columns.next().unwrap() + columns.next().unwrap()
    };
    text.lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(tokens)
        .collect()
}

#[test]
fn a_real_hour_is_metered_once_however_often_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    server.organization("acme", None);
    let rows = trace();
    assert_eq!((rows.len(), rows.iter().sum::<u64>()), (8_819, TOTAL));
    let indexed: Vec<(usize, u64)> = rows.into_iter().enumerate().collect();
    for replayed in [false, true] {
        for chunk in indexed.chunks(1_000) {
            let event = |(row, tokens): &(usize, u64)| {
                json!({ "p_idempotency_key": format!("row-{row}"), "p_external_id": "acme",
                        "p_resource_type": "llm_tokens", "p_quantity": tokens })
            };
            let events: Vec<Value> = chunk.iter().map(event).collect();
            let (status, answers) = server.rpc("meter_consumptions", json!({ "p_events": events }));
            assert_eq!(status, 200);
            let as_expected =
                |answer: &Value| answer["status"] == 200 && answer["replayed"] == replayed;
            assert!(answers.as_array().unwrap().iter().all(as_expected));
        }
        let used = json!({ "p_external_id": "acme", "p_resource_type": "llm_tokens" });
        assert_eq!(server.rpc("get_usage", used), (200, json!(TOTAL)));
    }
    server.kill();
    assert_eq!(verify(folder.path()).1["problem"], Value::Null);
}

#[test]
fn a_limit_in_the_middle_refuses_exactly_the_rows_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let limit = 9_000_000;
    server.organization(
        "acme",
        Some(
            json!({ "resource_type_code": "llm_tokens", "limit_kind_code": "cumulative",
                     "quantity_allowed": limit, "window_type_code": "none" }),
        ),
    );
    let mut used = 0;
    let mut first_refused = None;
    for (row, tokens) in trace().into_iter().enumerate() {
        let args = json!({ "p_idempotency_key": format!("row-{row}"), "p_external_id": "acme",
                           "p_resource_type": "llm_tokens", "p_quantity": tokens });
        let (status, answer) = server.rpc("consume", args);
        let fits = used + tokens <= limit;
        let expected = if fits { "allow" } else { "deny" };
        assert_eq!(
            (status, &answer["decision"]),
            (200, &json!(expected)),
            "row {row}: {answer}"
        );
        if fits {
            used += tokens;
        } else {
            first_refused.get_or_insert(row);
        }
        assert_eq!(answer["quantity_used"], used);
    }
    assert!(first_refused.is_some_and(|row| (1_000..8_000).contains(&row)));
}
