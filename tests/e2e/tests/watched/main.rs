//! Watching the real binary: a real Prometheus loads the rules, scrapes it and fires when it should; rules
//! and dashboards speak of metrics that are there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../support/mod.rs"]
mod support;

mod names;
mod prometheus;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use mec_test_postgres::Server as Postgres;
use prometheus::{Prometheus, deployed, promtool, wait};
use serde_json::json;
use support::{Server, command};

#[test]
fn the_rules_and_the_example_are_taken() {
    promtool(&["check", "rules", "mec.rules.yml"]);
    promtool(&["check", "config", "prometheus.yml"]);
}

#[test]
fn each_alert_fires_by_its_test_and_has_its_place_in_the_docs() {
    promtool(&["test", "rules", "mec.rules.test.yml"]);
    let read = |name: &str| std::fs::read_to_string(deployed().join(name)).unwrap();
    let (rules, tests) = (read("mec.rules.yml"), read("mec.rules.test.yml"));
    let docs = read("../../docs/operating/alerts.md");
    let alerts: Vec<_> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        assert!(
            tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n")),
            "{alert} has no test"
        );
        assert!(
            docs.contains(&format!("\n## {alert}\n")),
            "{alert} has no place in the docs"
        );
        let runbook = format!(
            "runbook: docs/operating/alerts.md#{}\n",
            alert.to_lowercase()
        );
        assert!(
            rules.contains(&runbook),
            "{alert} does not say where to read"
        );
    }
}

#[test]
fn alerts_fire_when_the_database_goes_away_and_end_when_it_is_back() {
    let postgres = Postgres::start().unwrap();
    postgres.psql("postgres", "CREATE DATABASE mec").unwrap();
    postgres.migrate("mec").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = postgres.url("mec_engine", "mec");
    // What is behind for long is not served, so that each call shows the fault at once.
    let server = Server::node(folder.path(), &url, &["--degraded-for-seconds=0"]);
    server.organization("acme", None);
    let watching = Prometheus::start(server.address.trim_start_matches("http://"));
    watching.wait_for("mec_staleness_seconds");
    let check = || {
        let asked = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
        server.rpc("check_entitlement", asked).0
    };
    assert_eq!(check(), 200);
    assert_eq!(watching.firing(), Vec::<String>::new());

    postgres.halt().unwrap();
    wait("MecStale and MecErrors", || {
        check();
        let firing = watching.firing();
        ["MecStale", "MecErrors"]
            .iter()
            .all(|alert| firing.iter().any(|name| name == alert))
    });
    postgres.resume().unwrap();
    wait("the end of MecStale", || {
        !watching.firing().iter().any(|name| name == "MecStale")
    });
    assert_eq!(check(), 200);
}

#[test]
fn the_metrics_have_a_listener_and_a_token_of_their_own_where_they_are_set() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let own = format!("127.0.0.1:{port}");
    let mut child = command(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
        .env("MEC_METRICS_LISTEN", &own)
        .env("MEC_METRICS_TOKEN", "a-token-for-the-metrics")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
    let address = address.unwrap();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build();
    let agent = ureq::Agent::new_with_config(agent);
    let get = |url: &str, token: Option<&str>| {
        let mut request = agent.get(url);
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap(),
        )
    };
    let page = format!("http://{own}/metrics");
    let (status, text) = get(&page, Some("a-token-for-the-metrics"));
    assert!(status == 200 && text.contains("mec_build_info"), "{text}");
    assert_eq!(get(&page, None).0, 401);
    assert_eq!(get(&page, Some("a-token-for-the-metric")).0, 401);
    assert_eq!(
        get(
            &format!("{address}/metrics"),
            Some("a-token-for-the-metrics")
        )
        .0,
        404
    );
    assert_eq!(get(&format!("http://{own}/api/plans"), None).0, 404);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_ledger_that_was_changed_is_told_by_the_server_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    server.organization("acme", None);
    let event = json!({"p_idempotency_key": "k", "p_external_id": "acme",
                       "p_resource_type": "benchmark_runs", "p_quantity": 1});
    assert_eq!(server.rpc("meter_consumption", event).0, 200);
    server.stop();
    let proven = |expected: &str| {
        let mut server = Server::start_with(folder.path(), &["--verify-every-hours=1"]);
        let expected = format!("mec_chain_mismatch {expected}\n");
        wait(&expected, || {
            let told = server.metrics();
            told.contains("mec_verifications_total 1\n") && told.contains(&expected)
        });
        server.stop();
    };
    proven("0");
    let database = rusqlite::Connection::open(folder.path().join("mec.db")).unwrap();
    let guards =
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'consumption_ledger'";
    let guards: Vec<String> = {
        let mut statement = database.prepare(guards).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    for guard in guards {
        database
            .execute_batch(&format!("DROP TRIGGER {guard}"))
            .unwrap();
    }
    let changed = database.execute("UPDATE consumption_ledger SET quantity = quantity + 1", []);
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    proven("1");
}
