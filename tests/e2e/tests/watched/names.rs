//! Which metrics rules and dashboards speak of, and which there are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mec_test_postgres::Server as Postgres;
use serde_json::{Value, json};

use crate::support::Server;

/// The names in a text that are those of metrics.
fn spoken_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("mec_") || word.starts_with("process_"));
    ours.map(|name| {
        let parts = ["_bucket", "_sum", "_count"];
        let whole = parts.iter().find_map(|part| name.strip_suffix(part));
        whole.unwrap_or(name).to_owned()
    })
    .collect()
}

/// The names that a page of metrics tells.
fn told(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

fn use_it(server: &Server) {
    server.organization("acme", None);
    let event = json!({"p_idempotency_key": "k", "p_external_id": "acme",
                       "p_resource_type": "benchmark_runs", "p_quantity": 1});
    assert_eq!(server.rpc("meter_consumption", event).0, 200);
    let asked = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    assert_eq!(server.rpc("check_entitlement", asked).0, 200);
    assert_eq!(server.rpc("no_such_function", json!({})).0, 404);
}

#[test]
fn rules_and_dashboards_speak_of_metrics_that_are_told() {
    let (embedded, node) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let postgres = Postgres::shared();
    let url = postgres.url("mec_engine", &postgres.database());
    let servers = [
        Server::start(embedded.path()),
        Server::node(node.path(), &url, &[]),
    ];
    let mut there = BTreeSet::new();
    for server in &servers {
        use_it(server);
        there.extend(told(&server.metrics()));
    }
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    for file in ["prometheus/mec.rules.yml", "grafana/mec.json"] {
        let named = spoken_of(&std::fs::read_to_string(deploy.join(file)).unwrap());
        assert!(named.len() > 10, "{file}: {named:?}");
        let missing: Vec<_> = named.difference(&there).collect();
        assert!(
            missing.is_empty(),
            "{file} speaks of {missing:?}, of which nothing is told"
        );
    }
}

#[test]
fn each_panel_of_the_dashboard_has_a_title_a_place_and_a_query() {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/grafana/mec.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        let place = &panel["gridPos"];
        let at = |name: &str| place[name].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24 && at("h") > 0, "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            crate::prometheus::is_query(target["expr"].as_str().unwrap());
        }
    }
    assert!(ids.len() > 10);
}
