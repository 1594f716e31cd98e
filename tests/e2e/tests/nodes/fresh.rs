//! What is acknowledged on one node is seen on another: at once by writes and by checks that ask for
//! it, within the bound by all others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{Node, World, entitlement, until};

const USED: &str = "quantity_used";

fn check(client: &Client, node: &Node, more: &Value) -> Value {
    let mut args = json!({ "p_external_id": "acme", "p_resource_type": "api_requests" });
    if let (Some(args), Some(more)) = (args.as_object_mut(), more.as_object()) {
        args.extend(more.clone());
    }
    let reply = client.ask(&node.server.address, "check_entitlement", &args);
    let reply = reply.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

fn consume(client: &Client, node: &Node, key: &str) -> Value {
    let args = json!({ "p_idempotency_key": key, "p_external_id": "acme", "p_resource_type": "api_requests" });
    let reply = client.ask(&node.server.address, "consume", &args).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

#[test]
fn what_one_node_acknowledged_another_sees_within_the_bound_and_at_once_where_it_is_asked_for() {
    let world = World::new();
    let (ours, theirs) = (world.node(), world.node());
    let client = Client::new(&ours.server.token);
    let limit = entitlement("api_requests", "cumulative", "none", 1_000);
    ours.server.organization("acme", Some(limit));
    // An account that was made there is served here at once.
    assert_eq!(consume(&client, &theirs, "first")["decision"], "allow");
    let bound = client.metric(&theirs.server.address, "mec_staleness_bound_seconds");
    let bound = Duration::from_secs_f64(bound.unwrap());
    for round in 1..=20 {
        // What the other node remembers is behind from now on.
        assert_eq!(check(&client, &theirs, &json!({}))["decision"], "allow");
        consume(&client, &ours, &format!("round-{round}"));
        let now = round + 1;
        let asked = json!({ "p_consistency": "strong" });
        if round % 2 == 0 {
            assert_eq!(check(&client, &theirs, &asked)[USED], now, "{round}");
        }
        // Memory that may answer was current after the moment that lies the bound before the question.
        let acknowledged = Instant::now();
        until("the other node sees it", || {
            let asked_after = acknowledged.elapsed();
            let told = check(&client, &theirs, &json!({}));
            let is_old = told[USED] != now;
            if is_old && told["degraded"].is_null() {
                assert_eq!(told[USED], now - 1, "older than the last write but one");
                assert!(asked_after <= bound, "behind by {asked_after:?}");
            }
            !is_old
        });
    }
    world.verify();
}

#[test]
fn a_check_that_prefers_it_is_never_behind() {
    let world = World::new();
    let (ours, theirs) = (world.node(), world.node());
    let client = Client::new(&ours.server.token);
    let limit = entitlement("api_requests", "cumulative", "none", 1_000);
    ours.server.organization("acme", Some(limit));
    for round in 1..=20 {
        consume(&client, &ours, &format!("round-{round}"));
        let path = format!("{}/api/rpc/check_entitlement", theirs.server.address);
        let answer = ureq::post(path)
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", ours.server.token))
            .header("Prefer", "consistency=strong")
            .send(r#"{"p_external_id":"acme","p_resource_type":"api_requests"}"#);
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told[USED], round);
    }
}

/// A plan that did not exist, and a limit that it gives.
const CATALOGUE: &str = r#"
[[resource_types]]
resource_type_code = "prints"
default_unit_code = "count"
allowed_units = ["count"]

[[plans]]
plan_id = "reader"

[[plans.templates]]
resource_type_code = "prints"
limit_kind_code = "cumulative"
quantity_allowed = QUANTITY
window_type_code = "none"
"#;

#[test]
fn a_catalogue_that_was_changed_on_one_node_is_obeyed_by_the_next_write_on_another() {
    let world = World::new();
    let (ours, theirs) = (world.node(), world.node());
    let client = Client::new(&ours.server.token);
    ours.server.organization("acme", None);
    let folder = tempfile::tempdir().unwrap();
    let prints = json!({ "p_external_id": "acme", "p_resource_type": "prints" });
    let code_of = |node: &Node| {
        let reply = client.ask(&node.server.address, "check_entitlement", &prints);
        reply.unwrap().body["code"].clone()
    };
    // Both nodes have the old catalogue in memory.
    for node in [&ours, &theirs] {
        assert_eq!(code_of(node), "unknown_resource_type");
    }
    let file = folder.path().join("catalogue.toml");
    let shown = ours.shown_catalogue();
    std::fs::write(&file, shown + &CATALOGUE.replace("QUANTITY", "7")).unwrap();
    ours.mec(&["catalogue", "apply", file.to_str().unwrap()]);
    let provision = json!({ "p_external_id": "acme", "p_plan_id": "reader" });
    let given = client.ask(&theirs.server.address, "provision_plan", &provision);
    let given = given.unwrap();
    assert_eq!((given.status, &given.body), (200, &json!(1)));
    until("checks of both nodes go by it", || {
        [&ours, &theirs].map(code_of) == ["within_entitlement", "within_entitlement"]
    });
    world.verify();
}
